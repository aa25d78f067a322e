"""Claims: what is computed, and what verdict follows."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from strangecast.core.errors import ConfigError
from strangecast.core.schemas import CLAIMS
from strangecast.core.tables import read_parquet
from strangecast.evaluation.claim_checks import claims_problems
from strangecast.evaluation.claim_rules import (
    analysis_value,
    difference_of_values,
    fraction_of_datasets,
    mean_paired_difference,
    median_of,
    paired_difference,
    superiority_over,
    wilson,
)
from strangecast.evaluation.claims import (
    NOT_REPRODUCED,
    REPRODUCED,
    StudyFrames,
    judge,
    judge_claims,
    labels_without_weights,
    verdict,
)
from strangecast.evaluation.compare import compare_study
from strangecast.evaluation.forecast import forecast_block
from strangecast.evaluation.score import score_block

BASE = {"statement": "s", "source": "x", "anchor": "published"}
PUBLISHED = BASE | {"published": 1.0}


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.9, 1.1, "reproduced"),
        (1.15, 1.3, "reproduced"),
        (1.21, 1.3, "not reproduced"),
        (0.5, 0.79, "not reproduced"),
        (0.7, 1.3, "reproduced"),  # wider than the band, not twice
        (0.5, 1.4, "not testable here"),
        (-5.0, 5.0, "not testable here"),
        (0.9, 5.0, "reproduced"),
        (np.nan, np.nan, "not testable here"),
    ],
)
def test_verdict_on_a_published_number(low, high, expected):
    claim = BASE | {"published": 1.0, "tolerance": 0.2}
    assert verdict(claim, (low + high) / 2, low, high)[0] == expected


@pytest.mark.parametrize(
    ("low", "high", "extra", "expected"),
    [
        (0.1, 0.3, {}, "reproduced"),
        (0.0, 0.3, {}, "not reproduced"),
        (-0.1, 0.3, {}, "not reproduced"),
        (-0.3, -0.1, {}, "not reproduced"),
        (-0.3, -0.1, {"direction": "negative"}, "reproduced"),
        (0.1, 0.3, {"direction": "negative"}, "not reproduced"),
        (0.4, 0.6, {"reference": 0.5}, "not reproduced"),
        (0.6, 0.8, {"reference": 0.5}, "reproduced"),
        (-np.inf, 0.8, {}, "not reproduced"),
    ],
)
def test_verdict_on_a_direction(low, high, extra, expected):
    assert verdict(BASE | extra, 0.0, low, high)[0] == expected


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"statement": "s", "source": "x"}, "does not say its anchor"),
        (BASE | {"anchor": "publsihed"}, "did you mean 'published'"),
        (BASE | {"toleranse": 1}, "did you mean 'tolerance'"),
        (BASE, "neither how to compute it nor what is missing"),
        (BASE | {"compute": {"_target_": "strangecast.evaluation.claim_rules.nothing"}}, "cannot be imported"),
        (BASE | {"compute": {"_target_": "strangecast.evaluation.claim_rules.wilson", "x": 1}}, "does not take"),
    ],
)
def test_a_claim_that_cannot_be_judged_is_refused(claim, message, built):
    with pytest.raises(ConfigError, match=message):
        judge("c", claim, StudyFrames(built.study, built.root))


def test_a_published_number_needs_a_tolerance():
    with pytest.raises(ConfigError, match="no tolerance"):
        judge("c", PUBLISHED, {})


def test_a_number_of_ours_is_never_published():
    with pytest.raises(ConfigError, match="never published"):
        judge("c", PUBLISHED | {"anchor": "own", "tolerance": 1.0}, {})


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(100, 100, REPRODUCED), (99, 101, REPRODUCED), (98.9, 100, NOT_REPRODUCED)]
)
def test_an_identity_holds_within_its_tolerance(low, high, expected):
    claim = BASE | {"direction": "equal", "reference": 100.0, "tolerance": 1.0}
    assert verdict(claim, 100.0, low, high)[0] == expected
    assert verdict(claim | {"tolerance": None}, 100.0, low, high)[0] == (REPRODUCED if low == high else NOT_REPRODUCED)


def test_claims_are_checked_without_results(built):
    plan = copy.deepcopy(built.study)
    assert claims_problems(plan) == []
    claim = plan["claims"]["ridge_beats_persistence"]
    for key, value in (("label", "Rigde"), ("peer", "Persistance"), ("metric", "mes"), ("suite", "wave")):
        wrong = plan | {"claims": {"c": claim | {"compute": claim["compute"] | {key: value}}}}
        (found,) = claims_problems(wrong)
        assert f"there is no {key} '{value}'; did you mean" in found
    wrong = plan | {"claims": {"c": claim | {"compute": claim["compute"] | {"labell": "Ridge"}}}}
    assert "does not take its parameters" in claims_problems(wrong)[0]
    wrong = plan | {"claims": {"c": claim | {"tolerance": "small"}, "d": claim | {"direction": "up"}}}
    assert ["tolerance is 'small'" in p or "no direction 'up'" in p for p in claims_problems(wrong)] == [True, True]


def test_checking_claims_needs_no_heavy_library():
    code = (
        "import sys; from strangecast.evaluation.claim_checks import claims_problems; "
        "import strangecast.evaluation.claim_rules; print({'torch', 'pandas', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_ties_at_the_horizon_hide_from_the_median_and_not_from_the_mean():
    rng = np.random.default_rng(0)
    rows, runs = [], []
    for label in "AB":
        for d in range(6):
            runs.append((f"{label}{d}", label, 0))
            for w in range(10):
                value = 5.0 if w < 6 else 2.0 + rng.uniform(0, 0.1) + (label == "A")
                rows.append((f"{label}{d}", "s", f"d{d}", f"d{d}-t", w, 8, "vpt", value, 0 if w > 8 else pd.NA))
    columns = ["run_id", "suite", "dataset", "trajectory_id", "window", "horizon", "metric", "value", "diverged_at"]
    scores = pd.DataFrame(rows, columns=columns).astype({"diverged_at": "Int32"})
    frames = {
        "scores": scores,
        "runs": pd.DataFrame(runs, columns=["run_id", "label", "seed"]),
        "metrics": pd.DataFrame({"metric": ["vpt"], "better": ["higher"], "worst": [0.0]}),
    }
    value, low, high = mean_paired_difference(frames, suite="s", metric="vpt", label="A", peer="B")
    assert value == pytest.approx(0.4, abs=0.05)
    assert 0 < low < value < high < 0.8
    back = mean_paired_difference(frames, suite="s", metric="vpt", label="B", peer="A")
    assert back[0] == pytest.approx(-value)
    with pytest.raises(ConfigError, match="no label with such scores 'C'"):
        mean_paired_difference(frames, suite="s", metric="vpt", label="C", peer="B")


def test_runs_that_diverged_in_training_lose_their_datasets(results):
    """A is better than its peer where it was trained at all, and lost on one of two datasets: a tie, no victory."""
    block = results.blocks["ridge"]
    run = results.root / block["folder"] / "run.json"
    where = {"suite": "waves", "metric": "valid_prediction_time", "label": "Ridge", "peer": "Persistence"}
    before = fraction_of_datasets(StudyFrames(results.study, results.root), **where)[0]
    record = json.loads(run.read_text())
    record["members"][0]["status"] = "diverged"
    run.write_text(json.dumps(record))
    for job in (forecast_block, score_block):
        job(block, results.root, "waves")
    compare_study(results.study, results.root)
    assert before == 1.0
    assert fraction_of_datasets(StudyFrames(results.study, results.root), **where)[0] <= 0.75
    where["metric"] = "mse"
    assert fraction_of_datasets(StudyFrames(results.study, results.root), **where)[0] <= 0.5


def test_rules_read_the_comparisons(built):
    frames = StudyFrames(built.study, built.root)
    table = frames["comparisons"]
    where = {"suite": "waves", "metric": "smape"}
    own = table[(table["metric"] == "smape") & (table["label"] == "Ridge")].set_index(["horizon", "peer"])
    expected = own.xs(np.nan, level="peer").loc[24, ["median", "low", "high"]].tolist()
    assert list(median_of(frames, label="Ridge", **where)) == expected
    assert median_of(frames, label="Ridge", horizon=8, **where)[0] == own.xs(np.nan, level="peer").loc[8, "median"]
    pair = own.loc[(24, "Persistence")]
    assert (
        list(paired_difference(frames, label="Ridge", peer="Persistence", **where))
        == pair[["median", "low", "high"]].tolist()
    )
    assert superiority_over(frames, label="Ridge", peer="Persistence", **where)[0] == pytest.approx(pair["superiority"])
    with pytest.raises(ConfigError, match="did you mean 'Ridge'"):
        median_of(frames, label="Rigde", **where)
    with pytest.raises(ConfigError, match="there is no horizon '25'"):
        median_of(frames, label="Ridge", horizon=25, **where)


def test_fraction_of_datasets_by_hand():
    values = {"A": [1.0, 1.0, 1.0, 1.0], "B": [0.0, 2.0, 1.0, np.nan]}
    scores = pd.DataFrame(
        [(f"{x}-{d}", "s", d, "vpt", 8, v) for x in "AB" for d, v in zip("pqrs", values[x], strict=True)],
        columns=["run_id", "suite", "dataset", "metric", "horizon", "value"],
    )
    runs = pd.DataFrame([(f"{x}-{d}", x) for x in "AB" for d in "pqrs"], columns=["run_id", "label"])
    frames = {"scores": scores, "runs": runs, "metrics": pd.DataFrame({"metric": ["vpt"], "better": ["higher"]})}
    value, low, high = fraction_of_datasets(frames, suite="s", metric="vpt", label="A", peer="B")
    assert value == (1 + 0 + 0.5 + 1) / 4  # a diverged score loses
    assert 0 < low < value < high < 1
    assert fraction_of_datasets(frames, suite="s", metric="vpt", label="B", peer="A")[0] == pytest.approx(1 - value)


def test_losing_seven_of_ten_datasets_in_training_is_a_win_on_three():
    scores = pd.DataFrame(
        [(f"{x}-{d}", "s", d, "vpt", 8, (0.0 if d < 7 else 2.0) if x == "A" else 1.0) for x in "AB" for d in range(10)],
        columns=["run_id", "suite", "dataset", "metric", "horizon", "value"],
    )
    runs = pd.DataFrame([(f"{x}-{d}", x) for x in "AB" for d in range(10)], columns=["run_id", "label"])
    frames = {"scores": scores, "runs": runs, "metrics": pd.DataFrame({"metric": ["vpt"], "better": ["higher"]})}
    assert fraction_of_datasets(frames, suite="s", metric="vpt", label="A", peer="B")[0] == pytest.approx(0.3)


def test_wilson_against_statsmodels():
    from statsmodels.stats.proportion import proportion_confint

    for k, n in ((0, 5), (3, 8), (8, 8)):
        assert wilson(k, n)[1:] == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-9)
    assert wilson(0, 0)[1:] == (0.0, 1.0)


def test_difference_of_proportions_against_statsmodels():
    from statsmodels.stats.proportion import confint_proportions_2indep

    rows = [("a", *wilson(9, 12)), ("b", *wilson(20, 50))]
    frames = {"analysis/rates": pd.DataFrame(rows, columns=["group", "rate", "low", "high"])}
    columns = {"value": "rate", "low": "low", "high": "high"}
    found = difference_of_values(frames, analysis="rates", where={"group": "a"}, minus={"group": "b"}, **columns)
    expected = confint_proportions_2indep(9, 12, 20, 50, method="newcomb", compare="diff")
    assert found == pytest.approx((9 / 12 - 20 / 50, *expected), abs=1e-9)


def test_analysis_value_needs_one_row(built):
    frames = StudyFrames(built.study, built.root)
    where = {"dataset": "waves-A", "label": "Ridge", "step": 3}
    value, low, high = analysis_value(
        frames, analysis="error_growth", where=where, value="median", low="q25", high="q75"
    )
    assert low <= value <= high
    with pytest.raises(ConfigError, match="24 rows"):
        analysis_value(frames, analysis="error_growth", where={"dataset": "waves-A", "label": "Ridge"}, value="median")
    with pytest.raises(ConfigError, match="there is no table"):
        analysis_value(frames, analysis="growth", where={}, value="median")


def test_the_job_writes_one_row_per_claim(results):
    table = read_parquet(results.root / "ripples" / "claims.parquet", CLAIMS).to_pandas().set_index("claim")
    assert table["verdict"].to_dict() == {"ridge_beats_persistence": "reproduced", "oceans": "not testable here"}
    assert table.loc["oceans", "note"] == "needs an ocean"
    assert np.isnan(table.loc["oceans", "ours"])
    assert table.loc["ridge_beats_persistence", "low"] > 0
    results.study["claims"] = {}
    judge_claims(results.study, results.root)
    assert read_parquet(results.root / "ripples" / "claims.parquet", CLAIMS).num_rows == 0


def test_claims_about_labels_whose_weights_are_not_here(results):
    def absent(label, **more):
        return {"run_id": label, "label": label, "status": "weights absent", **more}

    compute = results.study["claims"]["ridge_beats_persistence"]["compute"]
    analysis = "strangecast.evaluation.claim_rules.difference_of_values"
    parts = {"analysis": "error_growth", "value": "median", "low": "q25", "high": "q75"}
    where = {"where": {"label": "Ridge"}, "minus": {"label": "Tuned"}}
    asked = {
        "label": compute | {"label": "Large"},
        "peer": compute | {"peer": "Large"},
        "analysis": {"_target_": analysis, **parts, **where},
        "here": compute,
    }
    own = results.study["claims"]["ridge_beats_persistence"]
    results.study["claims"] = {name: own | {"compute": config} for name, config in asked.items()}
    results.study["runs"] += [
        absent("Large", weights="large-1", init=None),
        absent("Tuned", weights=None, init="Large"),
        absent("Ridge", weights="large-1", init=None),  # the label has other runs
        absent("Older"),
    ]
    assert labels_without_weights(results.study) == {
        "Large": "the weights 'large-1'",
        "Tuned": "the weights 'large-1'",
        "Older": "weights that are not on this machine",
    }
    judge_claims(results.study, results.root)
    table = read_parquet(results.root / "ripples" / "claims.parquet", CLAIMS).to_pandas().set_index("claim")
    assert table["verdict"].tolist() == ["not testable here"] * 3 + ["reproduced"]
    assert set(table["note"][:3]) == {"needs the weights 'large-1'"}
    assert table["ours"].isna().tolist() == [True] * 3 + [False]


def test_clusters_are_among_the_tables(built):
    frames = StudyFrames(built.study, built.root)
    assert set(frames) == {"metrics", "clusters", "runs", "scores", "comparisons"} | {
        f"analysis/{a}" for a in built.study["analyses"]
    }
    assert len(frames) == len(list(frames))
    found = frames["clusters"]
    assert (found["cluster"] == found["dataset"]).all()
    assert len(frames) == len(list(frames))
