"""Each sentence of check_results is reached by a constructed fault, and none without one."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pytest

from strangecast.core.atomic import write_json
from strangecast.core.schemas import COMPARISONS, RUNS, SCORES
from strangecast.core.tables import read_parquet, write_parquet
from strangecast.evaluation.check import check_results
from strangecast.evaluation.compare import compare_study
from strangecast.evaluation.forecast import forecast_block
from strangecast.evaluation.score import score_block, scores_frame
from tests.unit.evaluation.synthetic import block_plan, make_run_folder

SCHEMAS = {"runs": RUNS, "scores": SCORES, "comparisons": COMPARISONS}


def edit(results, name, change):
    """Rewrite a table of the study after ``change(frame) -> frame``."""
    path = results.root / "ripples" / f"{name}.parquet"
    table = read_parquet(path, SCHEMAS[name])
    frame = scores_frame(table) if name == "scores" else table.to_pandas()
    for column in frame:
        if isinstance(frame[column].dtype, pd.CategoricalDtype):
            frame[column] = frame[column].astype(object)
    write_parquet(path, pa.Table.from_pandas(change(frame), preserve_index=False), SCHEMAS[name])


def problems(results):
    return check_results([results.study], results.root)


def only(results, *parts):
    """Exactly one problem, which says all of ``parts``."""
    found = problems(results)
    assert len(found) == 1, found
    for part in parts:
        assert part in found[0]


def rewrite_plan(results, emulator):
    block = results.blocks[emulator]
    write_json(results.root / "plan" / "block" / f"{block['folder'].removeprefix('runs/')}.json", block)


def test_sound_results_have_no_problems(built):
    assert check_results([built.study], built.root) == []


@pytest.mark.parametrize("name", ["runs", "scores", "comparisons", "claims"])
def test_a_missing_or_damaged_table(results, name):
    path = results.root / "ripples" / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:100])
    only(results, f"{name}.parquet is damaged")
    path.unlink()
    only(results, f"{name}.parquet does not exist")


def test_a_table_with_other_columns(results):
    path = results.root / "ripples" / "runs.parquet"
    write_parquet(path, read_parquet(path).drop_columns(["label"]))
    only(results, "wrong columns", "label")


def test_runs_that_are_absent_foreign_or_double(results):
    edit(results, "runs", lambda f: f[f["run_id"] != "ridge-waves-A-0"])
    assert any("1 planned runs are not there, the first is ridge-waves-A-0" in p for p in problems(results))
    compare_study(results.study, results.root)
    edit(results, "runs", lambda f: pd.concat([f, f.tail(1).assign(run_id="stray")]))
    found = problems(results)
    assert any("1 runs are not planned, the first is stray" in p for p in found)
    compare_study(results.study, results.root)
    edit(results, "runs", lambda f: pd.concat([f, f.tail(1)]))
    only(results, "run mlp-waves-B-1 stands there 2 times")


def test_a_status_that_does_not_exist(results):
    edit(results, "runs", lambda f: f.assign(status=f["status"].where(f["seed"] == 0, "fine")))
    found = problems(results)
    assert any("run mlp-waves-A-1 has status 'fine'" in p for p in found)


def test_scores_that_stand_there_twice(results):
    edit(results, "scores", lambda f: pd.concat([f, f.head(1)]))
    found = problems(results)
    assert sum("1 rows stand there more than once, the first is run climatology-all-0" in p for p in found) == 1


def test_nan_without_divergence(results):
    def change(f):
        f.loc[f["metric"] == "mse", "value"] = float("nan")
        f.loc[f["metric"] == "mse", "diverged_at"] = 3
        f.loc[f.index[f["metric"] == "nrmse"][:2], "value"] = float("nan")
        return f

    edit(results, "scores", change)
    only(results, "2 values are NaN though nothing diverged", "nrmse")


def test_a_finished_run_without_scores_and_one_with_too_few(results):
    edit(results, "scores", lambda f: f[f["run_id"] != "mlp-waves-A-1"])
    only(results, "1 finished runs have no scores, the first is mlp-waves-A-1")
    compare_study(results.study, results.root)
    edit(
        results,
        "scores",
        lambda f: f[~((f["run_id"] == "mlp-waves-A-1") & (f["horizon"] == 8) & (f["metric"] == "mse"))],
    )
    only(results, "run mlp-waves-A-1 has 8 scores of mse on waves-A", "others have 12")


def test_the_mean_forecast_must_score_100(results):
    def change(f):
        own = f.index[(f["run_id"] == "climatology-all-0") & (f["metric"] == "smape")]
        f.loc[own[0], "value"] = 99.9999
        return f

    edit(results, "scores", change)
    only(results, "predicting the context mean scores smape 99.9999, not 100", "climatology-all-0")


@pytest.mark.parametrize("value", [-0.1, 1.21])
def test_valid_prediction_time_within_the_horizon(results, value):
    def change(f):
        own = f.index[(f["dataset"] == "waves-A") & (f["metric"] == "valid_prediction_time")]
        f.loc[own[0], "value"] = value
        return f

    edit(results, "scores", change)
    only(results, f"valid_prediction_time is {value}, outside 0 to the horizon")


def test_nothing_beats_an_oracle(results):
    results.study["emulators"]["persistence"]["can"]["needs"] = ["state"]
    found = problems(results)
    assert found
    assert all("beats the oracle Persistence in" in p for p in found)
    assert any("Ridge beats the oracle Persistence in valid_prediction_time at horizon 24" in p for p in found)
    assert not any("Climatology" in p and "smape" in p for p in found)


def test_data_of_other_settings(results):
    path = results.root / "plan" / "dataset" / "waves-B.json"
    plan = json.loads(path.read_text())
    write_json(path, plan | {"hash": {"filter": "other"}})
    found = problems(results)
    assert any("data/waves-B/manifest.parquet" in p and "run the rule filter again" in p for p in found)
    assert not any("waves-A" in p or "shard" in p for p in found)


def test_weights_of_other_code(results):
    results.blocks["ridge"]["members"][0]["static_key"] = "new"
    rewrite_plan(results, "ridge")
    only(
        results,
        "ridge/least_squares/base-all/run.json: 1 runs were trained by other code",
        "ridge-waves-A-0",
        "rule train",
    )


def test_a_run_that_run_json_does_not_hold(results):
    block = block_plan("ridge", "least_squares", [("waves-A", 0), ("waves-B", 0), ("waves-A", 1)])
    results.blocks["ridge"] = block
    rewrite_plan(results, "ridge")
    only(results, "run.json: 1 runs are absent, the first is ridge-waves-A-1", "rule train")


def test_forecasts_of_other_code_weights_or_windows(results):
    results.blocks["mlp"]["code"]["forecast"] = "g"
    rewrite_plan(results, "mlp")
    found = problems(results)
    assert len(found) == 2
    assert "forecasts of 4 pairs of run and dataset are not those of the plan" in found[0]
    assert "rule forecast" in found[0]
    assert "rule score" in found[1]


def test_scores_of_another_metric(results):
    results.blocks["mlp"]["suites"]["waves"]["metrics"]["smape"]["key"] = "smape-2"
    rewrite_plan(results, "mlp")
    only(results, "mlp/supervised/base-all/waves/scores.parquet: 48 scores (smape)", "rule score")


def test_a_study_table_older_than_its_blocks(results):
    block = results.blocks["mlp"]
    block["suites"]["waves"]["metrics"]["smape"]["key"] = "smape-2"
    rewrite_plan(results, "mlp")
    score_block(block, results.root, "waves")
    only(results, "ripples/scores.parquet: 48 scores are not those of its blocks", "rule compare")
    compare_study(results.study, results.root)
    assert problems(results) == []


def test_a_missing_plan_or_forecast_file(results):
    file = results.root / results.blocks["mlp"]["suites"]["waves"]["forecast_folder"] / "forecasts.arrow"
    file.unlink()
    only(results, "block runs/waves/mlp/supervised/base-all", "forecasts.arrow does not exist")
    (results.root / "plan" / "block" / "waves" / "mlp" / "supervised" / "base-all.json").write_text("{")
    only(results, "is not a plan file")


def test_diverged_training_is_no_problem(results):
    block = results.blocks["ridge"]
    make_run_folder(results.root, block, status="diverged")
    forecast_block(block, results.root, "waves", device="cpu")
    score_block(block, results.root, "waves")
    compare_study(results.study, results.root)
    assert problems(results) == []
    run = json.loads((results.root / block["folder"] / "run.json").read_text())
    assert {m["status"] for m in run["members"]} == {"diverged"}
