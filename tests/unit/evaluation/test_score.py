"""Scores: right numbers, divergence as a column, keys per run and metric."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from strangecast.core.errors import ConfigError
from strangecast.core.schemas import SCORES
from strangecast.core.tables import read_parquet
from strangecast.data.forecasts import read_forecasts, write_forecasts
from strangecast.data.windows import Windows
from strangecast.evaluation import score as module
from strangecast.evaluation.check import check_results
from strangecast.evaluation.compare import compare_study
from strangecast.evaluation.direct import score_arrays
from strangecast.evaluation.score import score_block, scores_frame
from strangecast.evaluation.windows_scored import RUNAWAY, diverged_at
from strangecast.metrics.scale import Scale
from strangecast.workflow.compose import Registry
from tests.unit.evaluation.synthetic import CONTEXT, DT, HORIZON, PREFIXES

KEYS = ["run_id", "dataset", "trajectory_id", "window", "horizon", "metric"]


def path_of(results, emulator):
    return results.root / results.blocks[emulator]["suites"]["waves"]["forecast_folder"] / "scores.parquet"


def read(results, emulator):
    return scores_frame(read_parquet(path_of(results, emulator), SCORES))


def edit_forecasts(results, emulator, change):
    """Rewrite the forecasts with ``change(row dict) -> array`` applied."""
    path = path_of(results, emulator).with_name("forecasts.arrow")
    old = read_forecasts(path)
    rows = [{**r, "values": change(r, np.array(old.array(i)))} for i, r in enumerate(old.table.to_dict("records"))]
    write_forecasts(path, rows, dict(old.labels))


def test_scores_every_window_metric_and_prefix(built):
    t = read(built, "ridge")
    assert len(t) == 2 * 4 * (3 * len(PREFIXES) + 1)
    assert sorted(set(t["horizon"])) == PREFIXES
    assert not t.duplicated(KEYS).any()
    assert set(t.loc[t["metric"] == "valid_prediction_time", "horizon"]) == {HORIZON}


def test_values_against_arrays_by_hand(built):
    windows = Windows.open(built.root, "suites/waves")
    forecasts = read_forecasts(path_of(built, "persistence").with_name("forecasts.arrow"))
    t = read(built, "persistence").set_index(KEYS)["value"]
    for i, r in enumerate(forecasts.table.itertuples()):
        row = next(
            j
            for j, w in enumerate(windows.table.itertuples())
            if (w.dataset, w.trajectory_id, w.window) == (r.dataset, r.trajectory_id, r.window)
        )
        context, truth = windows.context(np.array([row]), CONTEXT)[0][0], windows.truth(np.array([row]))[0][0]
        forecast = forecasts.array(i)
        d = (forecast - truth) / context.std(axis=0)
        key = (r.run_id, r.dataset, r.trajectory_id, r.window)
        assert t[(*key, 16, "mse")] == pytest.approx((d[:16] ** 2).mean())
        std = windows.table["climate_std"].iat[row]
        assert t[(*key, 8, "nrmse")] == pytest.approx(
            (np.sqrt(((forecast - truth)[:8] ** 2).mean(axis=0)) / std).mean()
        )


def test_horizons_in_lyapunov_times_and_undefined_rows(built):
    t = read(built, "persistence")
    exponent = {"waves-A": 0.5, "waves-B": 1.0}
    for dataset, rows in t.groupby("dataset"):
        if dataset in exponent:
            expected = rows["horizon"] * DT * exponent[dataset]
            assert rows["horizon_lyapunov"].to_numpy() == pytest.approx(expected.to_numpy())
            assert "valid_prediction_time" in set(rows["metric"])
        else:
            assert rows["horizon_lyapunov"].isna().all()
            assert "valid_prediction_time" not in set(rows["metric"])
    assert t["value"].notna().all()
    assert t["diverged_at"].isna().all()


def test_climatology_scores_100(built):
    t = read(built, "climatology")
    assert (t.loc[t["metric"] == "smape", "value"] - 100).abs().max() < 1e-9


def test_divergence_is_a_column_and_vpt_stays_finite(results):
    def change(row, values):
        if row["run_id"] == "mlp-waves-A-0" and row["window"] == 0:
            values[10:] = np.nan
        if row["run_id"] == "mlp-waves-A-0" and row["window"] == 1:
            values[20, 1] = 1e9
        return values

    calm = read(results, "mlp").set_index(KEYS)["value"]
    edit_forecasts(results, "mlp", change)
    score_block(results.blocks["mlp"], results.root, "waves", reuse=False)
    t = read(results, "mlp")
    own = t[t["run_id"] == "mlp-waves-A-0"]
    assert set(own.loc[own["window"] == 0, "diverged_at"]) == {10}
    assert set(own.loc[own["window"] == 1, "diverged_at"]) == {20}
    assert t.loc[t["run_id"] != "mlp-waves-A-0", "diverged_at"].isna().all()
    pointwise = own["metric"] != "valid_prediction_time"
    beyond = own["horizon"] > own["diverged_at"].astype(int)
    assert (own["value"].isna() == (pointwise & beyond)).all()
    kept = t[t["value"].notna() & (t["metric"] != "valid_prediction_time")].set_index(KEYS)["value"]
    assert (kept == calm[kept.index]).all()
    vpt = own[~pointwise]
    assert vpt["value"].between(0, vpt["horizon_lyapunov"]).all()
    assert (vpt.loc[vpt["window"] == 0, "value"] <= 10 * DT * 0.5).all()


def test_nothing_stands_in_lyapunov_times_without_an_exponent(results):
    """A forecast that diverges where no exponent is known has no valid prediction time, and nothing is wrong."""

    def change(row, values):
        if row["dataset"] == "waves-C":
            values[3:] = np.nan
        return values

    edit_forecasts(results, "persistence", change)
    score_block(results.blocks["persistence"], results.root, "waves", reuse=False)
    t = read(results, "persistence")
    assert set(t.loc[t["dataset"] == "waves-C", "metric"]) == {"mse", "nrmse", "smape"}
    assert set(t.loc[t["dataset"] == "waves-C", "diverged_at"]) == {3}
    compare_study(results.study, results.root)
    table = read_parquet(results.root / "ripples" / "comparisons.parquet").to_pandas()
    own = table[(table["metric"] == "valid_prediction_time") & (table["label"] == "Persistence")]
    assert own["n_datasets"].max() == 2
    assert (own["diverged"] == 0).all()
    assert check_results([results.study], results.root) == []


def test_diverged_at_by_hand():
    mean, std = np.array([[1.0, 5.0]]), np.array([[2.0, 0.0]])
    scale = Scale(mean, std + 1, mean, std, np.ones(1), np.ones(1))
    forecast = np.zeros((4, 1, 6, 2))
    forecast[1, 0, 3, 0] = 1 + RUNAWAY * 2 + 1e-6  # just beyond
    forecast[2, 0, 2, 1] = -np.inf
    forecast[3, 0, 5, 1] = RUNAWAY * 5 + 5.1  # a channel without variance: a thousand times its mean
    assert diverged_at(forecast, scale).tolist() == [[-1], [3], [2], [5]]
    forecast[1, 0, 3, 0] = 1 + RUNAWAY * 2
    forecast[3, 0, 5, 1] = RUNAWAY * 5 + 5
    assert diverged_at(forecast, scale).tolist() == [[-1], [-1], [2], [-1]]


def test_unchanged_keys_are_kept_and_bytes_do_not_depend_on_the_way(results, monkeypatch):
    block, path = results.blocks["mlp"], path_of(results, "mlp")
    whole = path.read_bytes()
    computed = []
    original = module.metric_values
    monkeypatch.setattr(module, "metric_values", lambda m, *a: computed.append(m.name) or original(m, *a))
    score_block(block, results.root, "waves")
    assert computed == []
    assert path.read_bytes() == whole
    # one metric changes: it alone is scored again
    block["suites"]["waves"]["metrics"]["mse"]["key"] = "mse-2"
    score_block(block, results.root, "waves")
    assert set(computed) == {"mse"}
    # a metric that is no longer asked for goes, and a new one comes
    computed.clear()
    vpt = block["suites"]["waves"]["metrics"].pop("valid_prediction_time")
    score_block(block, results.root, "waves")
    assert computed == []
    assert "valid_prediction_time" not in set(read(results, "mlp")["metric"])
    block["suites"]["waves"]["metrics"]["valid_prediction_time"] = vpt
    block["suites"]["waves"]["metrics"]["mse"]["key"] = "mse-1"
    score_block(block, results.root, "waves")
    assert set(computed) == {"mse", "valid_prediction_time"}
    assert path.read_bytes() == whole
    score_block(block, results.root, "waves", reuse=False)
    assert path.read_bytes() == whole


def test_new_prefixes_are_new_scores(results):
    file = results.root / "plan" / "suite" / "waves.json"
    plan = json.loads(file.read_text())
    for d in plan["datasets"].values():
        d["window"]["prefixes"] = [4, 24]
    file.write_text(json.dumps(plan))
    score_block(results.blocks["ridge"], results.root, "waves")
    assert sorted(set(read(results, "ridge")["horizon"])) == [4, 24]


def test_an_unknown_normalisation_is_refused(results):
    results.blocks["ridge"]["suites"]["waves"]["normalisation"] = "climat"
    with pytest.raises(ConfigError, match="allowed: context"):
        score_block(results.blocks["ridge"], results.root, "waves")


def test_direct_scores_agree_with_those_of_a_suite(built):
    windows = Windows.open(built.root, "suites/waves")
    rows = windows.rows("waves-A")
    forecasts = read_forecasts(path_of(built, "ridge").with_name("forecasts.arrow"))
    values = module.stacked_forecasts(forecasts, windows, rows, ["ridge-waves-A-0"])
    configs = {m: c for m, c in built.study["metrics"].items() if m in ("mse", "smape")}
    found = score_arrays(
        windows.truth(rows)[0], values, windows.context(rows, CONTEXT)[0], configs, dt=DT, lyapunov=0.5
    )
    t = read(built, "ridge")
    t = t[(t["dataset"] == "waves-A") & (t["horizon"] == HORIZON)]
    for metric in configs:
        expected = t[t["metric"] == metric].sort_values(["trajectory_id", "window"])["value"].to_numpy()
        order = windows.table.iloc[rows].reset_index(drop=True).sort_values(["trajectory_id", "window"]).index
        assert found.loc[found["metric"] == metric, "value"].to_numpy()[order] == pytest.approx(expected, rel=1e-12)
    assert pd.api.types.is_integer_dtype(found["diverged_at"].dtype)


def test_direct_scores_leave_out_what_is_undefined_and_name_the_wrong_axis(built):
    truth, context = np.random.default_rng(0).standard_normal((2, 2, 9, 3))
    configs = built.study["metrics"]
    found = score_arrays(truth, truth[None], context, configs)
    assert set(found["metric"]) == {"mse", "nrmse", "smape"}
    from strangecast.core.errors import DataError

    with pytest.raises(DataError, match="forecasts have 8 steps, the truth has 9"):
        score_arrays(truth, truth[None, :, :8], context, configs)
    with pytest.raises(DataError, match="context have 2 channels, the truth has 3"):
        score_arrays(truth, truth[None], context[..., :2], configs)


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ([], -1),
        ([3], -1),
        ([3, 5], -1),
        ([5, 3, 4], 5),
        ([0, 0, 9, 0], 0),
        ([7, 1, 2, 3, 4, 5], 3),
    ],
)
def test_samples_diverge_when_half_of_them_have(lost, expected):
    one = np.ones((1, 2))
    scale = Scale(one, one, one, one, np.ones(1), np.ones(1))
    samples = np.zeros((6, 1, 1, 10, 2))
    for n, step in enumerate(lost):
        samples[n, 0, 0, step, n % 2] = np.nan
    assert diverged_at(samples, scale, samples=True).tolist() == [[expected]]
    assert diverged_at(samples, scale, samples=True).dtype == np.int32


@pytest.mark.parametrize(("N", "needed"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (20, 10)])
def test_half_is_rounded_up(N, needed):
    one = np.ones((1, 1))
    scale = Scale(one, one, one, one, np.ones(1), np.ones(1))
    for gone in range(N + 1):
        samples = np.zeros((N, 1, 1, 3, 1))
        samples[:gone, ..., 2, :] = np.inf
        assert diverged_at(samples, scale, samples=True).item() == (2 if gone >= needed else -1)


def test_direct_scores_of_samples(built):
    rng = np.random.default_rng(1)
    truth, context = rng.standard_normal((2, 9, 3)), rng.standard_normal((2, 20, 3))
    samples = rng.standard_normal((5, 2, 2, 9, 3))
    configs = {"mse": built.study["metrics"]["mse"], "crps": Registry().option("metric", "crps", "smoke")}
    found = score_arrays(truth, samples, context, configs)
    point = score_arrays(truth, np.median(samples, axis=0), context, {"mse": configs["mse"]})
    assert (found.loc[found["metric"] == "mse", "value"].to_numpy() == point["value"].to_numpy()).all()
    mean = score_arrays(truth, samples, context, {"mse": configs["mse"] | {"of": "mean"}})
    other = score_arrays(truth, samples.mean(axis=0), context, {"mse": configs["mse"]})
    assert mean["value"].to_numpy() == pytest.approx(other["value"].to_numpy(), rel=1e-12)
    assert len(found) == 8
    with pytest.raises(ConfigError, match="no of 'mode'"):
        score_arrays(truth, samples, context, {"mse": configs["mse"] | {"of": "mode"}})
    from strangecast.core.errors import DataError

    with pytest.raises(DataError, match="hold none of them"):
        score_arrays(truth, samples[:0], context, configs)
    with pytest.raises(DataError, match="forecasts have 8 steps, the truth has 9"):
        score_arrays(truth, samples[:, :, :, :8], context, configs)
