"""Windows for which a metric means nothing have no row, for any forecast; what cannot be in a YAML is told."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.core.schemas import SCORES
from strangecast.core.tables import read_parquet
from strangecast.data.forecasts import read_forecasts, write_forecasts
from strangecast.data.windows import Windows
from strangecast.evaluation.direct import COLUMNS, score_arrays
from strangecast.evaluation.metric_option import metric_option
from strangecast.evaluation.score import lost_scores, score_block, scores_frame
from strangecast.evaluation.windows_scored import defined_at, metric_values
from strangecast.metrics.scale import window_scale
from strangecast.workflow.compose import Registry
from tests.unit.evaluation.synthetic import HORIZON

REGISTRY = Registry()


def option(name, **changed):
    return {"config": REGISTRY.option("metric", name, "smoke") | changed, "key": f"{name}-1"}


def test_scores_of_a_block_have_rows_only_where_a_metric_is_defined(results):
    block = results.blocks["persistence"]
    use = block["suites"]["waves"]
    use["metrics"] = {
        "mase10": option("mase10"),
        "d_stsp_bins30": option("d_stsp_bins30"),  # no window is long enough
        "lyapunov_error_relative": option("lyapunov_error_relative", shortest=10, follow=2),
        "divergence_time": option("divergence_time"),
        "divergence_rate": option("divergence_rate"),
    }
    path = results.root / use["forecast_folder"] / "forecasts.arrow"
    old = read_forecasts(path)
    rows = [{**r, "values": np.array(old.array(i))} for i, r in enumerate(old.table.to_dict("records"))]
    for row in rows[::3]:
        row["values"][5:] = np.nan
    write_forecasts(path, rows, dict(old.labels))
    score_block(block, results.root, "waves", reuse=False)
    table = scores_frame(read_parquet(results.root / use["forecast_folder"] / "scores.parquet", SCORES))
    windows = Windows.open(results.root, "suites/waves")
    counts = table.groupby(["metric", "dataset"]).size()
    for metric in ("mase10", "divergence_rate"):
        assert counts[metric].to_dict() == {d: len(windows.rows(d)) for d in windows.datasets}
    for metric in ("divergence_time", "lyapunov_error_relative"):
        assert set(counts[metric].index) == {"waves-A", "waves-B"}
    assert "d_stsp_bins30" not in counts
    lost = table["diverged_at"].notna()
    assert (
        table.loc[table["metric"] == "divergence_rate", "value"] == lost[table["metric"] == "divergence_rate"]
    ).all()
    assert np.isinf(table.loc[lost & table["metric"].isin(["mase10", "lyapunov_error_relative"]), "value"]).all()
    assert table["value"].notna().all()
    keys = {("gone", d): "k" for d in windows.datasets}
    gone = lost_scores(windows, "waves", use, keys, {d: [HORIZON] for d in windows.datasets})
    assert gone.groupby(["metric", "dataset"]).size().to_dict() == counts.to_dict()


def test_arrays_in_hand_are_scored_by_the_same_rule():
    rng = np.random.default_rng(0)
    truth, context = rng.standard_normal((3, 30, 2)), rng.standard_normal((3, 20, 2))
    truth[1] = 4.0
    forecast = rng.standard_normal((2, 3, 30, 2))
    forecast[0, 1, 7] = np.nan
    forecast[1, 0, 3] = np.inf
    configs = {
        name: REGISTRY.option("metric", name, "smoke")
        for name in ("r2", "spearman", "mae", "hellinger_smoothed", "correlation_time", "correlation_time_samples")
    }
    table = score_arrays(truth, forecast, context, configs)
    assert list(table) == COLUMNS
    counts = table.groupby("metric").size().to_dict()
    # a truth that stands still has no ranks, no exponent no Lyapunov times, 30 samples no spectrum
    assert counts == {"r2": 4, "spearman": 4, "mae": 6, "correlation_time_samples": 6}
    assert table.loc[table["metric"] == "correlation_time_samples", "value"].notna().all()
    assert (
        table["value"].isna() == (table["diverged_at"].notna() & (table["metric"] != "correlation_time_samples"))
    ).all()
    assert list(score_arrays(truth, forecast, context, {"g": configs["hellinger_smoothed"]})) == COLUMNS
    assert len(score_arrays(truth, forecast, context, {})) == 0


def test_prefixes_shorter_than_the_metric_are_passed_over():
    rng = np.random.default_rng(0)
    truth, context = rng.standard_normal((2, 30, 2)), rng.standard_normal((2, 20, 2))
    scale = window_scale(context, np.zeros((2, 2)), np.ones((2, 2)), np.ones(2), np.full(2, np.nan))
    metric = metric_option("r2", REGISTRY.option("metric", "r2", "smoke") | {"shortest": 16})
    at = np.full((1, 2), -1)
    assert list(metric_values(metric, truth, truth[None], scale, at, [8, 16, 30])) == [16, 30]
    assert not defined_at(metric, truth, scale, 8).any()
    truth[0, :16] = 1.0
    assert defined_at(metric, truth, scale, 16).tolist() == [False, True]
    assert defined_at(metric, truth, scale, 30).tolist() == [True, True]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"shortest": 0}, "metric 'r2': shortest is 0; it is a number of samples, at least 1"),
        ({"shortest": 1.5}, "shortest is 1.5"),
        ({"kind": "attractors"}, "there is no kind 'attractors'; did you mean 'attractor'?"),
        (
            {"defined": "strangecast.metrics.r2.nowhere"},
            "metric 'r2', defined: _target_ 'strangecast.metrics.r2.nowhere'",
        ),
        (
            {"defined": "strangecast.metrics.spearman.defined"},
            "must be in the file of its _target_ 'strangecast.metrics.r2.r2'",
        ),
    ],
)
def test_yamls_that_cannot_work_are_told(changed, message):
    with pytest.raises(ConfigError, match=message):
        metric_option("r2", REGISTRY.option("metric", "r2", "smoke") | changed)
