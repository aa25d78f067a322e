"""Floors of a suite: right numbers, kept while nothing changes, none where a metric means nothing."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.schemas import FLOORS
from strangecast.core.tables import read_parquet
from strangecast.data.windows import Windows
from strangecast.evaluation import floors as module
from strangecast.evaluation.floors import floor_suite, median_floors, truth_floor
from strangecast.evaluation.metric_option import metric_option
from strangecast.metrics.hellinger_smoothed import hellinger_smoothed
from strangecast.metrics.suite_arrays import scale_of
from strangecast.workflow.compose import Registry
from tests.unit.evaluation.synthetic import HORIZON

REGISTRY = Registry()


def use(*metrics, **changed):
    """A suite as blocks have it, with metrics that accept its short windows."""
    configs = {m: REGISTRY.option("metric", m, "smoke") | changed for m in metrics}
    return {
        "folder": "suites/waves",
        "normalisation": "context",
        "metrics": {m: {"config": c, "key": f"{m}-1"} for m, c in configs.items()},
    }


def read(results):
    return read_parquet(results.root / "suites/waves/floors.parquet", FLOORS).to_pandas()


def test_every_window_has_the_floor_of_every_metric_that_has_one(results):
    asked = use("mse", "hellinger_smoothed", "hellinger_first100", "valid_prediction_time", shortest=20)
    floor_suite(results.root, "waves", asked)
    table = read(results)
    windows = Windows.open(results.root, "suites/waves")
    assert set(table["metric"]) == {"hellinger_smoothed", "hellinger_first100"}
    assert len(table) == 2 * len(windows)
    assert set(table["horizon"]) == {HORIZON}
    assert set(table["length"]) == {HORIZON // 2}
    assert table["value"].between(0, 1).all()
    rows = windows.rows("waves-B")
    truth, scale = windows.truth(rows)[0], scale_of(windows, rows)
    half = HORIZON // 2
    expected = hellinger_smoothed(truth[:, :half], truth[:, half:][None], scale)[0]
    own = table[(table["dataset"] == "waves-B") & (table["metric"] == "hellinger_smoothed")]
    assert own["value"].tolist() == expected.tolist()


def test_a_metric_is_measured_in_its_own_space(results):
    windows = Windows.open(results.root, "suites/waves")
    rows = windows.rows("waves-A")
    truth, scale = windows.truth(rows)[0], scale_of(windows, rows)
    metric = metric_option("x", REGISTRY.option("metric", "hellinger_first100", "smoke"))
    flat = scale.standardise(truth[None])[0]
    expected = metric.function(flat[:, :12], flat[:, 12:][None], scale.standardised())[0]
    assert truth_floor(metric, truth, scale).tolist() == expected.tolist()


def test_what_has_not_changed_is_kept(results, monkeypatch):
    asked = use("hellinger_smoothed", "hellinger_bins20", shortest=20)
    floor_suite(results.root, "waves", asked)
    first = (results.root / "suites/waves/floors.parquet").read_bytes()
    computed = []
    whole = module.suite_floors
    monkeypatch.setattr(module, "suite_floors", lambda w, d, m: computed.append((d, m.name)) or whole(w, d, m))
    floor_suite(results.root, "waves", asked)
    assert computed == []
    assert (results.root / "suites/waves/floors.parquet").read_bytes() == first
    asked["metrics"]["hellinger_bins20"]["key"] = "hellinger_bins20-2"
    floor_suite(results.root, "waves", asked)
    assert {m for _, m in computed} == {"hellinger_bins20"}
    computed.clear()
    floor_suite(results.root, "waves", asked, reuse=False)
    assert len(computed) == 6


def test_windows_too_short_have_no_floor(results):
    floor_suite(results.root, "waves", use("hellinger_smoothed", "d_stsp_bins30"))
    assert read(results).empty
    floor_suite(results.root, "waves", use("mse"))
    assert read(results).empty


def test_medians_stand_beside_scores(results):
    floor_suite(results.root, "waves", use("hellinger_smoothed", shortest=20))
    table = read(results)
    found = median_floors(table)
    assert found[["suite", "metric", "horizon"]].to_numpy().tolist() == [["waves", "hellinger_smoothed", HORIZON]]
    assert found["floor"][0] == np.median(table["value"])
    assert found["n_windows"][0] == len(table)


def test_what_cannot_be_is_told(results):
    with pytest.raises(ConfigError, match="there is no normalisation 'climate'"):
        floor_suite(results.root, "waves", use("mse") | {"normalisation": "climate"})
    with pytest.raises(ResultsError, match="does not exist"):
        floor_suite(results.root, "waves", use("mse") | {"folder": "suites/none"})
    metric = metric_option("mse", REGISTRY.option("metric", "mse", "smoke"))
    with pytest.raises(ConfigError, match="metric 'mse' compares values at the same time"):
        truth_floor(metric, np.zeros((1, 8, 1)), None)
