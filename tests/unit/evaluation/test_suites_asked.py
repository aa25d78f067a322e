"""A run that lists its suites is forecast, gathered and analysed on these alone."""

from __future__ import annotations

from strangecast.analyses.cases import cases
from strangecast.core.atomic import write_json
from strangecast.core.plans import scored_on
from strangecast.core.schemas import COMPARISONS, RUNS, SCORES
from strangecast.core.tables import read_parquet
from strangecast.data.forecasts import read_forecasts
from strangecast.evaluation.check import check_results
from strangecast.evaluation.compare import compare_study
from strangecast.evaluation.forecast import forecast_block
from strangecast.evaluation.keys import datasets_of
from strangecast.evaluation.score import score_block, scores_frame


def forecasts(results, emulator):
    folder = results.root / results.blocks[emulator]["suites"]["waves"]["forecast_folder"]
    return set(read_forecasts(folder / "forecasts.arrow").table["run_id"])


def read(results, name, schema):
    return read_parquet(results.root / "ripples" / f"{name}.parquet", schema)


def ask(results, run_id, suites, members=True):
    """Say the suites of a run, in the study's plan and in its block's."""
    for r in results.study["runs"]:
        if r["run_id"] == run_id:
            r["suites"] = suites
    for block in results.blocks.values() if members else ():
        for m in block["members"]:
            if m["run_id"] == run_id:
                m["suites"] = suites
                name = block["folder"].removeprefix("runs/")
                write_json(results.root / "plan" / "block" / f"{name}.json", block)


def test_entries_without_suites_mean_all():
    assert scored_on({}, "a")
    assert scored_on({"suites": ["a"]}, "a")
    assert not scored_on({"suites": ["a"]}, "b")
    assert not scored_on({"suites": []}, "a")
    assert datasets_of({"dataset": None}, "a", ["p", "q"]) == ["p", "q"]
    assert datasets_of({"dataset": "q", "suites": ["a"]}, "a", ["p", "q"]) == ["q"]
    assert datasets_of({"dataset": "q", "suites": ["b"]}, "a", ["p", "q"]) == []


def test_a_run_that_only_others_start_from_is_not_forecast(results):
    ask(results, "mlp-waves-A-1", [])
    assert any("forecasts of 1 pairs" in p for p in check_results([results.study], results.root))
    block = results.blocks["mlp"]
    forecast_block(block, results.root, "waves", device="cpu")
    score_block(block, results.root, "waves")
    assert forecasts(results, "mlp") == {"mlp-waves-A-0", "mlp-waves-B-0", "mlp-waves-B-1"}
    compare_study(results.study, results.root)
    assert check_results([results.study], results.root) == []
    assert "mlp-waves-A-1" not in set(scores_frame(read(results, "scores", SCORES))["run_id"])
    runs = read(results, "runs", RUNS).to_pandas().set_index("run_id")
    assert runs.loc["mlp-waves-A-1", "status"] == "done"
    # nor was it lost in training
    assert not any("mlp-waves-A-1" in c.run_ids for c in cases(results.study, results.root))


def test_a_study_leaves_out_what_only_another_asks_for(results):
    """The block is forecast on the suite for somebody else; this study's row does not list it."""
    ask(results, "ridge-waves-A-0", [], members=False)
    said = [p for p in check_results([results.study], results.root) if "not asked for" in p]
    assert len(said) == 1
    assert "1 pairs of run and suite are scored and not asked for, the first is run ridge-waves-A-0 on waves" in said[0]
    compare_study(results.study, results.root)
    assert check_results([results.study], results.root) == []
    assert "ridge-waves-A-0" in forecasts(results, "ridge")
    assert "ridge-waves-A-0" not in set(scores_frame(read(results, "scores", SCORES))["run_id"])
    table = read(results, "comparisons", COMPARISONS).to_pandas()
    assert set(table.loc[table["label"] == "Ridge", "n_datasets"]) == {1}
    runs = read(results, "runs", RUNS).to_pandas().set_index("run_id")["forecast_seconds"]
    assert runs.isna().to_dict() == {r: r == "ridge-waves-A-0" for r in runs.index}
    assert not any("ridge-waves-A-0" in c.run_ids for c in cases(results.study, results.root))
