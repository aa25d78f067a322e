"""Weights of other data, and windows of other settings: named by the check, dated back by adoption."""

from __future__ import annotations

import json

import pytest

from strangecast.core.atomic import write_json
from strangecast.core.errors import ResultsError
from strangecast.core.run_file import run_key
from strangecast.data.splits import split_dataset
from strangecast.data.store import Dataset
from strangecast.data.windows import build_windows
from strangecast.evaluation.check import check_results
from strangecast.evaluation.stale import stale_keys, stale_runs
from strangecast.workflow.adopt import LONG_AGO, adopt
from tests.unit.evaluation.synthetic import dataset_plan, suite_plan


def noisy(results, name):
    """The split of a dataset again, with noise: other data to train on, the same to forecast."""
    plan = dataset_plan(name)
    plan["config"]["noise"] = 0.3
    split_dataset(plan, results.root)


def edit_run(results, emulator, change):
    path = results.root / results.blocks[emulator]["folder"] / "run.json"
    run = json.loads(path.read_text())
    change(run)
    write_json(path, run)


def hashed(results, value):
    plan = suite_plan() | {"hash": value}
    write_json(results.root / "plan" / "suite" / "waves.json", plan)
    return plan


def test_weights_trained_on_other_data_are_named_and_dated_back(results):
    noisy(results, "waves-A")
    found = check_results([results.study], results.root)
    assert len(found) == 2
    assert "ridge/least_squares/base-all/run.json: 1 runs were trained by other code, configuration or data" in found[0]
    assert "mlp/supervised/base-all/run.json: 2 runs were trained" in found[1]
    assert adopt(results.root) == sorted(found)
    for emulator in ("ridge", "mlp"):
        assert (results.root / results.blocks[emulator]["folder"] / "run.json").stat().st_mtime == LONG_AGO


def test_weights_that_start_from_other_weights_are_named(results):
    child, parent = results.blocks["mlp"], results.blocks["ridge"]
    child["init"] = {"folder": parent["folder"]}
    child["members"][0]["init"] = "ridge-waves-A-0"
    (before,) = stale_runs(child, results.root)
    assert "1 runs were trained" in before.sentence
    held = json.loads((results.root / parent["folder"] / "run.json").read_text())["members"][0]
    content = Dataset.open(results.root / "data" / "waves-A").content
    key = run_key(child["members"][0]["static_key"], [content], held["key"])
    edit_run(results, "mlp", lambda run: run["members"][0].update(key=key))
    assert stale_runs(child, results.root) == []
    edit_run(results, "ridge", lambda run: run["members"][0].update(key="other"))
    (after,) = stale_runs(child, results.root)
    assert "the first is mlp-waves-A-0" in after.sentence
    edit_run(results, "ridge", lambda run: run["members"][0].pop("key"))
    with pytest.raises(ResultsError, match=r"run\.json is damaged"):
        stale_runs(child, results.root)


def test_weights_without_their_data_are_held_against_code_and_configuration(results):
    (results.root / "data" / "waves-A" / "splits.parquet").unlink()
    assert stale_runs(results.blocks["ridge"], results.root) == []
    results.blocks["ridge"]["members"][0]["static_key"] = "new"
    assert len(stale_runs(results.blocks["ridge"], results.root)) == 1


def test_datasets_that_only_blocks_read_are_checked(results):
    path = results.root / "plan" / "dataset" / "waves-B.json"
    write_json(path, json.loads(path.read_text()) | {"hash": {"split": "new"}})
    found = stale_keys(results.study | {"suites": {}}, results.root, None)
    assert found == [
        "data/waves-B/splits.parquet: it is absent, or was made by other settings or code; run the rule split again"
    ]


def test_windows_of_other_settings_or_data(results):
    build_windows(hashed(results, "one"), results.root)
    assert check_results([results.study], results.root) == []
    assert adopt(results.root) == []
    hashed(results, "two")
    said = "suites/waves/windows.parquet: it was made by other settings or code; run the rule windows again"
    assert check_results([results.study], results.root) == [said]
    assert adopt(results.root) == [said]
    assert (results.root / "suites/waves/windows.parquet").stat().st_mtime == LONG_AGO
    hashed(results, "one")
    noisy(results, "waves-C")
    said = "suites/waves/windows.parquet: it was made from other data of 'waves-C'; run the rule windows again"
    assert check_results([results.study], results.root) == [said]
    build_windows(hashed(results, "one"), results.root)
    assert check_results([results.study], results.root) == []


def test_windows_of_a_plan_without_a_hash_are_taken_as_they_are(results):
    noisy(results, "waves-C")
    assert check_results([results.study], results.root) == []
