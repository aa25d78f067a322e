"""Results copied from elsewhere: times in the order of the DAG, and what is stale behind its inputs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from strangecast.core.atomic import write_json
from strangecast.core.errors import ResultsError
from strangecast.workflow.adopt import LONG_AGO, adopt


@pytest.fixture
def copied(results):
    """Results whose times are all the same, with a file that says they were checked."""
    (results.root / "checked.txt").write_text("checked elsewhere\n")
    return results


def block_files(results, emulator):
    block = results.blocks[emulator]
    folder = results.root / block["folder"]
    return folder, folder / "waves" / "forecasts.arrow", folder / "waves" / "scores.parquet"


def edit_plan(results, emulator, change):
    block = results.blocks[emulator]
    change(block)
    write_json(results.root / "plan" / "block" / f"{block['folder'].removeprefix('runs/')}.json", block)


def times(results):
    return {p: p.stat().st_mtime for p in results.root.rglob("*") if p.is_file() and "plan" not in p.parts}


def test_current_results_get_times_in_order_and_are_checked(copied):
    assert adopt(copied.root) == []
    order = [
        copied.root / "data/waves-A/shard-0000.arrow",
        copied.root / "data/waves-A/splits.parquet",
        copied.root / "suites/waves/windows.parquet",
        *block_files(copied, "mlp")[1:],
        copied.root / "ripples/comparisons.parquet",
        copied.root / "ripples/claims.parquet",
        copied.root / "leaderboard.csv",
        copied.root / "checked.txt",
    ]
    found = [p.stat().st_mtime for p in order]
    assert found == sorted(set(found))
    assert "nothing wrong" in (copied.root / "checked.txt").read_text()


def test_weights_of_other_code_are_dated_back(copied):
    edit_plan(copied, "ridge", lambda b: b["members"][0].update(static_key="new"))
    (sentence,) = adopt(copied.root)
    assert "ridge" in sentence
    assert "run the rule train again" in sentence
    folder, forecasts, _ = block_files(copied, "ridge")
    assert {p.stat().st_mtime for p in folder.glob("*.*")} == {LONG_AGO}
    assert 0 < LONG_AGO < 1e6  # Snakemake takes 0 for no time
    assert forecasts.stat().st_mtime > 1e6
    assert not (copied.root / "checked.txt").exists()


@pytest.mark.parametrize("emulator", ["persistence", "mlp"])
def test_forecasts_and_scores_of_other_code_are_dated_back(copied, emulator):
    edit_plan(copied, emulator, lambda b: b["code"].update(forecast="new"))
    sentences = adopt(copied.root)
    assert ["forecast again" in s or "score again" in s for s in sentences] == [True, True]
    old = {p for p, t in times(copied).items() if t == LONG_AGO}
    assert old == set(block_files(copied, emulator)[1:])
    assert not (copied.root / "checked.txt").exists()


def test_scores_by_another_metric_are_dated_back(copied):
    edit_plan(copied, "climatology", lambda b: b["suites"]["waves"]["metrics"]["mse"].update(key="mse-2"))
    assert len(adopt(copied.root)) == 1
    assert {p for p, t in times(copied).items() if t == LONG_AGO} == {block_files(copied, "climatology")[2]}


def test_data_of_other_settings_are_dated_back_and_shards_deleted(copied):
    path = copied.root / "plan/dataset/waves-A.json"
    plan = json.loads(path.read_text())
    write_json(path, plan | {"hash": {"split": "new"}})
    (sentence,) = adopt(copied.root)
    assert "waves-A/splits.parquet" in sentence
    assert {p for p, t in times(copied).items() if t == LONG_AGO} == {copied.root / "data/waves-A/splits.parquet"}
    write_json(path, plan | {"hash": {"make": "new"}})
    adopt(copied.root)
    assert not (copied.root / "data/waves-A/shard-0000.arrow").exists()
    assert (copied.root / "data/waves-B/shard-0000.arrow").exists()


def test_faulty_results_lose_their_mark(copied):
    (copied.root / "ripples" / "claims.parquet").unlink()
    (sentence,) = adopt(copied.root)
    assert "claims.parquet does not exist" in sentence
    assert not (copied.root / "checked.txt").exists()


def test_what_was_never_checked_is_not_marked(results):
    assert adopt(results.root) == []
    assert not (results.root / "checked.txt").exists()


def test_a_folder_without_plans_is_refused(tmp_path):
    with pytest.raises(ResultsError, match="has no plan"):
        adopt(tmp_path)


def test_adopting_needs_no_torch():
    code = "import sys, strangecast.workflow.adopt; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
