"""Analyses against values computed from the files by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from strangecast.analyses.cases import Case, cases, gathered
from strangecast.analyses.error_growth import COLUMNS as GROWTH
from strangecast.analyses.error_growth import error_growth
from strangecast.analyses.forecast_examples import COLUMNS as EXAMPLES
from strangecast.analyses.forecast_examples import forecast_examples
from strangecast.analyses.job import analyse
from strangecast.core.errors import ConfigError
from strangecast.core.tables import read_parquet
from strangecast.evaluation.forecast import forecast_block
from strangecast.metrics.scale import Scale


def case(dataset="d", label="A", errors=((1.0, 2.0, 3.0, 4.0),), lyapunov=0.5, seeds=1):
    """One channel, truth 0, climate deviation 1: the forecasts are the errors, one row per window."""
    forecast = np.array(errors, float)[None, :, :, None].repeat(seeds, axis=0)
    B, H = forecast.shape[1:3]
    one = np.ones((B, 1))
    return Case(
        suite="s",
        dataset=dataset,
        system=dataset,
        label=label,
        run_ids=tuple(f"r{i}" for i in range(seeds)),
        seeds=tuple(range(seeds)),
        channels=("x",),
        windows=pd.DataFrame({"trajectory_id": [f"{dataset}-0"] * B, "window": range(B)}),
        truth=np.zeros((B, H, 1)),
        forecast=forecast,
        scale=Scale(one * 0, one, one * 0, one, np.full(B, 0.1), np.full(B, lyapunov)),
    )


def test_cases_cover_labels_and_datasets_in_the_order_of_the_plan(built):
    found = [(c.dataset, c.label, c.run_ids) for c in cases(built.study, built.root)]
    assert [f[:2] for f in found] == [
        ("waves-A", "Persistence"),
        ("waves-A", "Climatology"),
        ("waves-A", "Ridge"),
        ("waves-A", "Mlp"),
        ("waves-B", "Persistence"),
        ("waves-B", "Climatology"),
        ("waves-B", "Ridge"),
        ("waves-B", "Mlp"),
        ("waves-C", "Persistence"),
        ("waves-C", "Climatology"),
    ]
    assert found[3][2] == ("mlp-waves-A-0", "mlp-waves-A-1")
    shapes = {c.forecast.shape for c in cases(built.study, built.root)}
    assert shapes == {(1, 4, 24, 3), (2, 4, 24, 3), (1, 4, 24, 2)}


def test_a_run_lost_in_training_is_infinitely_wrong(results):
    block = results.blocks["mlp"]
    run = results.root / block["folder"] / "run.json"
    record = json.loads(run.read_text())
    record["members"][0]["status"] = "diverged"
    run.write_text(json.dumps(record))
    forecast_block(block, results.root, "waves", device="cpu")
    found = {(c.dataset, c.label): c for c in cases(results.study, results.root)}
    lost = found["waves-A", "Mlp"]
    assert lost.run_ids == ("mlp-waves-A-0", "mlp-waves-A-1")
    assert np.isinf(lost.forecast[0]).all()
    assert np.isfinite(lost.forecast[1]).all()
    assert np.isfinite(found["waves-B", "Mlp"].forecast).all()
    growth = error_growth([lost])
    assert (growth["q75"] == np.inf).all()


def test_error_growth_of_one_dataset_by_hand():
    table = error_growth([case(errors=[[1, 2, 3, 4], [2, 4, 6, 8], [3, 6, np.inf, np.inf]])], points=2)
    own = table[table["dataset"] == "d"]
    assert list(table) == GROWTH
    assert own["step"].tolist() == [1, 2, 3, 4]
    assert own["lyapunov_time"].tolist() == pytest.approx([0.05, 0.1, 0.15, 0.2])
    assert own["median"].tolist() == [2, 4, 6, 8]
    assert own["q25"].tolist()[:2] == [1, 2] or own["q25"].tolist()[:2] == [2, 4]
    assert (own["q75"] >= own["median"]).all()
    assert set(own["n"]) == {3}


def test_error_growth_pools_datasets_at_equal_lyapunov_times():
    slow, fast = case("d", lyapunov=0.5), case("e", errors=[[10, 20, 30, 40]], lyapunov=1.0)
    table = error_growth([slow, fast], points=4, longest=0.4)
    pooled = table[table["dataset"].isna()]
    assert pooled["lyapunov_time"].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])
    # time 0.1: sample 2 of the slow (error 2), 1 of the fast (10); beyond 0.2 the slow one has no forecast
    assert pooled["n_datasets"].tolist() == [2, 2, 1, 1]
    assert pooled["median"].tolist()[2:] == [30, 40]
    assert pooled["q25"].tolist()[:2] == [2, 4]
    assert pooled["q75"].tolist()[:2] == [10, 20]
    assert pooled["step"].isna().all()


def test_error_growth_without_an_exponent_is_not_pooled():
    table = error_growth([case(lyapunov=np.nan)])
    assert table["dataset"].notna().all()
    assert table["lyapunov_time"].isna().all()
    assert list(error_growth([])) == GROWTH


def test_forecast_examples_show_one_window_and_the_first_seed(built):
    table = forecast_examples(cases(built.study, built.root), window=1)
    assert list(table) == EXAMPLES
    assert not table.duplicated(["dataset", "label", "channel", "step"]).any()
    assert table.groupby(["dataset", "label"]).size().to_dict()[("waves-B", "Mlp")] == 3 * 24
    assert set(table["run_id"][table["label"] == "Mlp"]) == {"mlp-waves-A-0", "mlp-waves-B-0"}
    first = next(iter(cases(built.study, built.root)))
    own = table[(table["dataset"] == "waves-A") & (table["label"] == "Persistence") & (table["channel"] == "x2")]
    assert own["truth"].to_numpy() == pytest.approx(first.truth[1, :, 2])
    assert own["forecast"].nunique() == 1
    assert own["lyapunov_time"].iloc[-1] == pytest.approx(24 * 0.1 * 0.5)
    assert table.loc[table["dataset"] == "waves-C", "lyapunov_time"].isna().all()
    assert list(forecast_examples([])) == EXAMPLES


def test_a_position_beyond_the_last_window_shows_the_last():
    table = forecast_examples([case(errors=[[1, 1], [2, 2]])], window=7)
    assert table["window"].unique().tolist() == [1]
    assert table["forecast"].tolist() == [2, 2]


def test_the_job_writes_what_the_function_gives(results):
    path = results.root / "ripples" / "analysis" / "error_growth.parquet"
    before = path.read_bytes()
    found = read_parquet(path).to_pandas()
    expected = error_growth(cases(results.study, results.root))
    assert found["median"].to_numpy() == pytest.approx(expected["median"].to_numpy())
    analyse(results.study, results.root, "error_growth")
    assert path.read_bytes() == before
    with pytest.raises(ConfigError, match="did you mean 'error_growth'"):
        analyse(results.study, results.root, "eror_growth")
    results.study["analyses"]["error_growth"]["_target_"] = "strangecast.analyses.nothing.at_all"
    with pytest.raises(ConfigError, match="cannot be imported"):
        analyse(results.study, results.root, "error_growth")


def test_a_band_is_shown_where_there_are_samples():
    plain = case(label="B")
    samples = np.arange(11.0).reshape(11, 1, 1, 1, 1) + plain.truth
    drawn = replace(plain, label="A", forecast=np.median(samples, axis=0), samples=samples)
    table = forecast_examples([plain, drawn])
    assert table.loc[table["label"] == "B", ["low", "high"]].isna().all(axis=None)
    own = table[table["label"] == "A"]
    assert set(own["low"]) == {1.0}
    assert set(own["forecast"]) == {5.0}
    assert set(own["high"]) == {9.0}


def test_a_lost_run_beside_one_with_samples_is_infinite_in_all_of_them():
    plain = case()
    samples = np.arange(3.0).reshape(3, 1, 1, 1, 1) + np.zeros((3, 1, *plain.truth.shape))
    forecast, found = gathered([None, samples], plain.truth, plain.scale, "A")
    assert found.shape == (3, 2, *plain.truth.shape)
    assert np.isinf(found[:, 0]).all()
    assert (found[:, 1:] == samples).all()
    assert np.isinf(forecast[0]).all()
    assert (forecast[1] == 1).all()
    lost, none = gathered([None, None], plain.truth, plain.scale, "A")
    assert none is None
    assert np.isinf(lost).all()
