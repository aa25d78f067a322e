"""A study's tables: runs, scores, and labels compared."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from strangecast.core.atomic import write_json
from strangecast.core.schemas import COMPARISONS, RUNS, SCORES
from strangecast.core.tables import read_parquet
from strangecast.evaluation.check import check_results
from strangecast.evaluation.compare import compare_study, comparisons
from strangecast.evaluation.forecast import forecast_block
from strangecast.evaluation.runs_table import runs_table
from strangecast.evaluation.score import score_block, scores_frame
from tests.unit.evaluation.synthetic import make_run_folder

LOWER = {"err": {"better": "lower"}}


def frames(values, metric="err", diverged=None):
    """Scores and runs from ``{label: {dataset: [[seed 0's windows], [seed 1's windows], ...]}}``."""
    scores, runs = [], []
    for label, datasets in values.items():
        for dataset, seeds in datasets.items():
            for seed, windows in enumerate(seeds):
                run_id = f"{label}-{dataset}-{seed}"
                runs.append([run_id, label, label.lower(), "none", dataset, seed, "done"])
                for w, value in enumerate(windows):
                    at = pd.NA if not (diverged and diverged(run_id, w)) else 3
                    scores.append([run_id, "s", dataset, f"{dataset}-t", w, 8, np.nan, metric, value, at])
    columns = [
        "run_id",
        "suite",
        "dataset",
        "trajectory_id",
        "window",
        "horizon",
        "horizon_lyapunov",
        "metric",
        "value",
    ]
    scores = pd.DataFrame(scores, columns=[*columns, "diverged_at"]).astype({"diverged_at": "Int32"})
    return scores, pd.DataFrame(runs, columns=["run_id", "label", "emulator", "training", "data", "seed", "status"])


def row(table, label, peer=None):
    found = table[(table["label"] == label) & (table["peer"].isna() if peer is None else table["peer"] == peer)]
    assert len(found) == 1
    return found.iloc[0]


def test_medians_differences_and_superiority_by_hand():
    values = {
        "A": {"d": [[1, 2, 3], [3, 4, 5]], "e": [[10, 10, 10], [12, 12, 12]]},
        "B": {"d": [[2, 2, 2]], "e": [[11] * 3]},
    }
    table = comparisons(*frames(values), LOWER)
    a = row(table, "A")
    assert a["median"] == np.median([1, 2, 3, 3, 4, 5, 10, 10, 10, 12, 12, 12])
    assert a["mean"] == pytest.approx(84 / 12)
    assert (a["n_datasets"], a["n_windows"], a["n_seeds"], a["diverged"]) == (2, 6, 2, 0)
    assert a["low"] <= a["median"] <= a["high"]
    d = [-1, 0, 1, 1, 2, 3, -1, -1, -1, 1, 1, 1]
    ab, ba = row(table, "A", "B"), row(table, "B", "A")
    assert ab["median"] == np.median(d)
    assert ab["mean"] == pytest.approx(np.mean(d))
    assert ab["superiority"] == pytest.approx((4 + 0.5) / 12)
    assert ba["superiority"] == pytest.approx(1 - ab["superiority"])
    assert [ba["median"], ba["low"], ba["high"]] == [-ab["median"], -ab["high"], -ab["low"]]
    assert ab["p_value"] == ba["p_value"]
    assert row(table, "A")[["emulator", "training"]].tolist() == ["a", "none"]


def test_a_clear_winner_is_clear():
    rng = np.random.default_rng(0)
    base = rng.normal(10, 3, (8, 1, 6))
    values = {
        "good": {f"d{i}": (base[i] + rng.normal(0, 0.1, (3, 6))).tolist() for i in range(8)},
        "bad": {f"d{i}": (base[i] + 1 + rng.normal(0, 0.1, (3, 6))).tolist() for i in range(8)},
        "twin": {f"d{i}": (base[i] + rng.normal(0, 0.1, (3, 6))).tolist() for i in range(8)},
    }
    table = comparisons(*frames(values), LOWER)
    won = row(table, "good", "bad")
    assert won["high"] < 0
    assert won["superiority"] > 0.99
    assert won["p_value"] == pytest.approx(min(1, 3 * 2 / 2**8))
    even = row(table, "good", "twin")
    assert even["low"] < 0 < even["high"]
    assert even["p_value"] > 0.05
    # the spread between systems hides in the interval of one label and not in that of the difference
    assert row(table, "good")["high"] - row(table, "good")["low"] > 10 * (won["high"] - won["low"])


def test_higher_is_better_turns_superiority_only():
    values = {"A": {"d": [[1, 2]]}, "B": {"d": [[0, 1]]}}
    scores, runs = frames(values)
    assert row(comparisons(scores, runs, LOWER), "A", "B")["superiority"] == 0.0
    higher = comparisons(scores, runs, {"err": {"better": "higher"}})
    assert row(higher, "A", "B")["superiority"] == 1.0
    assert row(higher, "A", "B")["median"] == 1.0


def test_divergence_counts_as_worst():
    values = {"A": {"d": [[1, np.nan, np.nan]]}, "B": {"d": [[2, 2, np.nan]]}}
    diverged = lambda run, w: (run, w) in {("A-d-0", 1), ("A-d-0", 2), ("B-d-0", 2)}  # noqa: E731
    table = comparisons(*frames(values, diverged=diverged), LOWER)
    a = row(table, "A")
    assert (a["median"], a["mean"], a["diverged"]) == (np.inf, np.inf, 2)
    ab = row(table, "A", "B")
    assert ab["median"] == 0.0  # -1, inf, and a tie
    assert ab["superiority"] == pytest.approx(0.5)
    assert row(table, "B")["diverged"] == 1


def test_labels_without_common_datasets_are_not_paired():
    table = comparisons(*frames({"A": {"d": [[1]]}, "B": {"e": [[1]]}}), LOWER)
    assert table["peer"].isna().all()
    table = comparisons(*frames({"A": {"d": [[1]], "e": [[5]]}, "B": {"e": [[1]]}}), LOWER)
    assert row(table, "A", "B")["median"] == 4
    assert row(table, "A", "B")["n_datasets"] == 1


def test_p_values_are_corrected_within_a_metric_and_horizon():
    rng = np.random.default_rng(1)
    values = {x: {f"d{i}": [[rng.normal(m)]] for i in range(10)} for x, m in (("A", 0), ("B", 2), ("C", 4))}
    scores, runs = frames(values)
    one = comparisons(scores, runs, LOWER)
    twice = pd.concat([scores, scores.assign(horizon=16)])
    two = comparisons(twice, runs, LOWER)
    for pair in (("A", "B"), ("A", "C"), ("B", "C")):
        p = two[(two["label"] == pair[0]) & (two["peer"] == pair[1])]["p_value"]
        assert p.tolist() == [row(one, *pair)["p_value"]] * 2


# The job


def test_tables_have_their_schemas_and_every_run(built):
    folder = built.root / "ripples"
    runs = read_parquet(folder / "runs.parquet", RUNS).to_pandas()
    assert runs["run_id"].tolist() == [r["run_id"] for r in built.study["runs"]]
    assert set(runs["status"]) == {"done"}
    mlp = runs[runs["emulator"] == "mlp"]
    assert (mlp["train_seconds"] == 1.5).all()
    assert (mlp["forecast_seconds"] > 0).all()
    assert mlp["key"].nunique() == 4
    assert mlp["config_hash"].nunique() == 1
    assert runs["code_hash"].notna().all()
    scores = read_parquet(folder / "scores.parquet", SCORES)
    parts = [
        read_parquet(built.root / b["suites"]["waves"]["forecast_folder"] / "scores.parquet", SCORES).num_rows
        for b in built.blocks.values()
    ]
    assert scores.num_rows == sum(parts)
    table = read_parquet(folder / "comparisons.parquet", COMPARISONS).to_pandas()
    cells = table.groupby(["suite", "metric", "horizon"], observed=True).size()
    assert (cells == 4 + 4 * 3).all()
    assert len(cells) == 10


def test_a_study_takes_its_own_metrics_and_runs_only(results):
    results.study["metrics"].pop("mse")
    results.study["runs"] = [r for r in results.study["runs"] if r["seed"] == 0]
    compare_study(results.study, results.root)
    scores = scores_frame(read_parquet(results.root / "ripples" / "scores.parquet", SCORES))
    assert "mse" not in set(scores["metric"])
    assert set(scores["run_id"]) == {r["run_id"] for r in results.study["runs"]}


def test_tables_are_made_to_the_same_bytes(results):
    names = ("runs", "scores", "comparisons")
    before = {n: (results.root / "ripples" / f"{n}.parquet").read_bytes() for n in names}
    compare_study(results.study, results.root)
    assert {n: (results.root / "ripples" / f"{n}.parquet").read_bytes() for n in names} == before


def test_diverged_and_missing_runs_keep_their_rows(results):
    block = results.blocks["ridge"]
    make_run_folder(results.root, block, status="diverged")
    run = json.loads((results.root / block["folder"] / "run.json").read_text())
    for job in (forecast_block, score_block):
        job(block, results.root, "waves")
    compare_study(results.study, results.root)
    runs = read_parquet(results.root / "ripples" / "runs.parquet", RUNS).to_pandas()
    assert set(runs.loc[runs["emulator"] == "ridge", "status"]) == {"diverged"}
    table = read_parquet(results.root / "ripples" / "comparisons.parquet", COMPARISONS).to_pandas()
    ridge = table[(table["label"] == "Ridge") & table["peer"].isna()]
    assert (ridge["diverged"] == 8).all()
    assert (ridge.loc[ridge["metric"] == "valid_prediction_time", "median"] == 0).all()
    scores = scores_frame(read_parquet(results.root / "ripples" / "scores.parquet", SCORES))
    lost, done = (scores[scores["run_id"].str.startswith(e)] for e in ("ridge", "mlp"))
    assert (lost["diverged_at"] == 0).all()
    assert lost["value"].isna().eq(lost["metric"] != "valid_prediction_time").all()
    where = ["dataset", "trajectory_id", "window", "horizon", "horizon_lyapunov", "metric"]
    once = done[done["run_id"].str.endswith("-0")]
    assert len(lost[where].merge(once[where])) == len(lost) == len(once)
    assert check_results([results.study], results.root) == []
    run["members"] = run["members"][:1]
    (results.root / block["folder"] / "run.json").write_text(json.dumps(run))
    compare_study(results.study, results.root)
    runs = read_parquet(results.root / "ripples" / "runs.parquet", RUNS).to_pandas().set_index("run_id")
    assert runs.loc["ridge-waves-B-0", "status"] == "missing"


def test_the_place_of_pretrained_weights_is_no_configuration(results):
    block = results.blocks["mlp"]
    path = results.root / "plan" / "block" / f"{block['folder'].removeprefix('runs/')}.json"

    def hashes(**weights):
        block["emulator"]["weights"] = {"name": "w", "folder": "/here", "content": "1"} | weights
        write_json(path, block)
        runs = runs_table(results.study, results.root).to_pandas()
        return set(runs.loc[runs["emulator"] == "mlp", "config_hash"])

    assert hashes() == hashes(folder="/there")
    assert hashes() != hashes(content="2")
    one = hashes()
    block["emulator"]["config"]["hidden"] = 5
    assert hashes() != one
