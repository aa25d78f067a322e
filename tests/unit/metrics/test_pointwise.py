"""Pointwise metrics against their definitions, on random and on chaotic data, and against values by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.references import pointwise as direct
from strangecast.core.errors import ConfigError, DataError
from strangecast.metrics.anomaly_correlation import anomaly_correlation
from strangecast.metrics.correlation_time import correlation_time, crossing
from strangecast.metrics.divergence_rate import divergence_rate
from strangecast.metrics.divergence_time import divergence_time
from strangecast.metrics.error_curve import apebench_nrmse, geometric_mean, mean_error_curve
from strangecast.metrics.gmean_nrmse import gmean_nrmse
from strangecast.metrics.mae import mae
from strangecast.metrics.mase import defined as mase_defined
from strangecast.metrics.mase import mase
from strangecast.metrics.mase_dynamix import defined as dynamix_defined
from strangecast.metrics.mase_dynamix import mase_dynamix
from strangecast.metrics.mse import mse
from strangecast.metrics.n_step_error import all_starts, n_step_error, prediction_error
from strangecast.metrics.nrmse import nrmse
from strangecast.metrics.r2 import defined as r2_defined
from strangecast.metrics.r2 import r2
from strangecast.metrics.ranks import ranks
from strangecast.metrics.rmse import rmse
from strangecast.metrics.scale import window_scale
from strangecast.metrics.smape import smape
from strangecast.metrics.spearman import defined as spearman_defined
from strangecast.metrics.spearman import spearman
from strangecast.metrics.valid_prediction_time import valid_prediction_time
from tests.unit.metrics.chaos import case, lorenz, standard, unit_scale

DIRECT = {
    "mse": (mse, lambda x, f, s, b: direct.mse(x, f)),
    "mae": (mae, lambda x, f, s, b: direct.mae(x, f)),
    "rmse": (rmse, lambda x, f, s, b: direct.rmse(x, f)),
    "nrmse": (nrmse, lambda x, f, s, b: direct.nrmse(x, f, s.climate_std[b])),
    "smape": (smape, lambda x, f, s, b: direct.smape(x, f)),
    "mase_lag1": (mase, lambda x, f, s, b: direct.mase(x, f, s.context[b], 1)),
    "mase_lag7": (lambda *a: mase(*a, lag=7), lambda x, f, s, b: direct.mase(x, f, s.context[b], 7)),
    "mase10": (lambda *a: mase(*a, steps=10), lambda x, f, s, b: direct.mase(x, f, s.context[b], 1, 10)),
    "mase_dynamix": (mase_dynamix, lambda x, f, s, b: direct.mase_dynamix(x, f, 10)),
    "r2": (r2, lambda x, f, s, b: direct.r2(x, f)),
    "r2_pooled": (lambda *a: r2(*a, pooled=True), lambda x, f, s, b: direct.r2_pooled(x, f)),
    "spearman": (spearman, lambda x, f, s, b: direct.spearman(x, f)),
    "gmean_nrmse": (gmean_nrmse, lambda x, f, s, b: direct.gmean_nrmse(x, f, s.climate_std[b])),
    "pe20": (n_step_error, lambda x, f, s, b: direct.n_step_error(x, f, s.climate_std[b], 20)),
    "vpt": (
        valid_prediction_time,
        lambda x, f, s, b: direct.valid_prediction_time(x, f, s.climate_std[b], 0.4, s.lyapunov_steps[b]),
    ),
    "correlation_time": (
        correlation_time,
        lambda x, f, s, b: direct.correlation_time(x, f, s.climate_mean[b], s.climate_std[b], 0.8, s.lyapunov_steps[b]),
    ),
}


@pytest.mark.parametrize("kind", ["random", "chaotic"])
@pytest.mark.parametrize("name", DIRECT)
def test_against_the_definition(name, kind):
    truth, forecast, scale = case(kind)
    fast, slow = DIRECT[name]
    found = fast(truth, forecast, scale)
    expected = [[slow(truth[b], forecast[s, b], scale, b) for b in range(len(truth))] for s in range(len(forecast))]
    assert found == pytest.approx(np.array(expected), rel=1e-10)


# MASE


def test_mase_of_the_naive_forecast_is_about_one_at_its_own_horizon():
    walk = np.random.default_rng(0).standard_normal((1, 20_000, 1)).cumsum(axis=1)
    scale = window_scale(walk[:, :10_000], np.zeros((1, 1)), np.ones((1, 1)), np.ones(1), np.ones(1))
    truth = walk[:, 10_000:]
    one_back = walk[None, :, 9_999:-1]
    assert mase(truth, one_back, scale) == pytest.approx(1.0, abs=0.03)


def test_mase_of_a_context_that_stands_still_has_the_floor_of_its_deviation():
    context = np.zeros((1, 5, 2))
    scale = window_scale(context, np.zeros((1, 2)), np.array([[4.0, 0.0]]), np.ones(1), np.ones(1))
    assert scale.naive_error() == pytest.approx(np.array([[4e-3, 1.0]]))
    assert mase(np.zeros((1, 3, 2)), np.ones((1, 1, 3, 2)), scale) == pytest.approx((1 / 4e-3 + 1.0) / 2)


def test_mase_needs_a_context_longer_than_its_lag():
    truth, forecast, scale = case("random", T=5)
    assert mase_defined(truth, scale, lag=4).all()
    assert not mase_defined(truth, scale, lag=5).any()
    with pytest.raises(DataError, match="a context of at least 6 samples, found 5"):
        mase(truth, forecast, scale, lag=5)
    bare = unit_scale(3, 3)
    assert not mase_defined(truth, bare).any()
    with pytest.raises(DataError, match="found 0"):
        mase(truth, forecast, bare)


def test_mase_does_not_depend_on_the_space():
    truth, forecast, scale = case("chaotic")
    flat = scale.standardise(truth[None])[0], scale.standardise(forecast), scale.standardised()
    assert mase(*flat) == pytest.approx(mase(truth, forecast, scale), rel=1e-12)


def test_only_the_first_steps_count_in_mase10():
    truth, forecast, scale = case("random")
    lost = forecast.copy()
    lost[:, :, 10:] = np.inf
    assert (mase(truth, lost, scale, steps=10) == mase(truth, forecast, scale, steps=10)).all()
    lost[:, :, 9] = np.inf
    assert np.isinf(mase(truth, lost, scale, steps=10)).all()


def test_dynamix_needs_a_truth_that_changes():
    truth = np.stack([np.ones((9, 2)), np.arange(18.0).reshape(9, 2)])
    assert dynamix_defined(truth, None).tolist() == [False, True]


# R2


def test_r2_by_hand_and_its_known_values():
    truth, forecast, scale = case("chaotic")
    assert (r2(truth, truth[None], scale) == 1).all()
    assert r2(truth, np.broadcast_to(truth.mean(axis=1, keepdims=True), (1, *truth.shape)), scale) == pytest.approx(0)
    pooled = np.broadcast_to(truth.mean(axis=(1, 2), keepdims=True), (1, *truth.shape))
    assert r2(truth, pooled, scale, pooled=True) == pytest.approx(0)
    assert r2(truth * 3 + 7, forecast * 3 + 7, scale) == pytest.approx(r2(truth, forecast, scale), rel=1e-10)


def test_r2_leaves_out_channels_that_stand_still():
    truth, forecast, scale = case("random")
    truth = truth.copy()
    truth[0, :, 1] = 4.0
    truth[1] = 4.0
    found = r2(truth, forecast, scale)
    assert found[:, 0] == pytest.approx(r2(truth[:1, :, ::2], forecast[:, :1, :, ::2], scale)[:, 0])
    assert np.isnan(found[:, 1]).all()
    assert r2_defined(truth, scale).tolist() == [True, False, True]
    assert np.isnan(r2(truth, forecast, scale, pooled=True)).any(axis=0).tolist() == [False, True, False]


# Spearman


def test_ranks_are_those_of_scipy():
    rows = np.random.default_rng(0).integers(0, 6, (5, 40)).astype(float)
    out = np.empty(rows.shape)
    ranks(rows, out)
    assert out == pytest.approx(stats.rankdata(rows, axis=1) - 20.5)


def test_spearman_sees_order_only():
    truth, _, scale = case("chaotic")
    assert spearman(truth, np.exp(truth / 20)[None], scale) == pytest.approx(1.0)
    assert spearman(truth, -truth[None], scale) == pytest.approx(-1.0)


def test_a_constant_forecast_counts_zero_and_a_constant_truth_not_at_all():
    truth, forecast, scale = case("random")
    still = forecast.copy()
    still[0, 0, :, 1] = 3.0
    whole = [stats.spearmanr(truth[0, :, c], forecast[0, 0, :, c]).statistic for c in range(3)]
    assert spearman(truth, still, scale)[0, 0] == pytest.approx((whole[0] + whole[2]) / 3)
    assert (spearman(truth, np.ones_like(forecast), scale) == 0).all()
    truth = truth.copy()
    truth[0, :, 1] = 3.0
    truth[2] = 3.0
    found = spearman(truth, forecast, scale)
    assert found[0, 0] == pytest.approx((whole[0] + whole[2]) / 2)
    assert np.isnan(found[:, 2]).all()
    assert spearman_defined(truth, scale).tolist() == [True, True, False]


# Curves


def test_mean_error_curve_is_the_mean_over_windows():
    truth, forecast, scale = case("chaotic")
    expected = np.mean([direct.error_curve(truth[b], forecast[1, b], scale.climate_std[b]) for b in range(3)], axis=0)
    assert mean_error_curve(truth, forecast, scale)[1] == pytest.approx(expected, rel=1e-12)


def test_geometric_mean_of_exponential_growth_is_its_middle():
    curve = np.exp(np.linspace(-6, 2, 101))
    assert geometric_mean(curve) == pytest.approx(np.exp(-2.0))
    assert geometric_mean(curve, steps=51) == pytest.approx(np.exp(-4.0))
    assert geometric_mean(np.array([1.0, 0.0, np.inf])) == 0
    assert geometric_mean(np.array([1.0, np.inf])) == np.inf


def test_apebench_curve_on_a_field_by_hand():
    rng = np.random.default_rng(3)
    truth, forecast = rng.standard_normal((2, 4, 3, 8)), rng.standard_normal((2, 2, 4, 3, 8))
    found = apebench_nrmse(truth, forecast)
    for s, b, t in np.ndindex(2, 2, 4):
        expected = sum(
            np.sqrt(((forecast[s, b, t, c] - truth[b, t, c]) ** 2).mean() / (truth[b, t, c] ** 2).mean())
            for c in range(3)
        )
        assert found[s, b, t] == pytest.approx(expected)
    assert (apebench_nrmse(np.zeros((1, 2, 1)), np.zeros((1, 1, 2, 1))) == 0).all()
    assert np.isinf(apebench_nrmse(np.zeros((1, 2, 1)), np.ones((1, 1, 2, 1)))).all()


# PE(n)


def test_all_starts_are_all_windows():
    series = np.arange(20.0).reshape(10, 2)
    contexts, future = all_starts(series, 3, 2)
    assert contexts.shape == (6, 3, 2)
    assert future.shape == (6, 2, 2)
    assert (contexts[4] == series[4:7]).all()
    assert (future[4] == series[7:9]).all()
    assert np.shares_memory(contexts, series)
    with pytest.raises(DataError, match="do not fit into a series of 10"):
        all_starts(series, 9, 2)


def test_prediction_error_is_the_mean_of_the_windows_own():
    series = standard(lorenz(400))
    contexts, future = all_starts(series, 1, 20)
    forecast = np.stack([np.broadcast_to(contexts, future.shape), np.broadcast_to(contexts * 0.9, future.shape)])
    windows = n_step_error(future, forecast, unit_scale(len(future), 3))

    def persistence(c):
        return np.stack([np.broadcast_to(c, (len(c), 20, 3)), np.broadcast_to(c * 0.9, (len(c), 20, 3))])

    assert prediction_error(series, persistence, 20, batch=37) == pytest.approx(windows.mean(axis=1), rel=1e-12)
    slow = np.mean([(series[t] - series[t + 20]) ** 2 for t in range(380)])
    assert prediction_error(series, persistence, 20)[0] == pytest.approx(slow, rel=1e-12)
    halved = prediction_error(series, persistence, 20, std=np.full(3, 2.0))
    assert halved == pytest.approx(prediction_error(series, persistence, 20) / 4, rel=1e-12)


def test_persistence_on_lorenz_is_where_it_has_been_measured():
    series = standard(lorenz(12_000, dt=0.01))
    found = prediction_error(series, lambda c: np.broadcast_to(c, (len(c), 20, 3))[None], 20)
    assert found == pytest.approx(1.433, rel=0.1)


# Correlation time


def test_correlation_is_one_for_the_anomaly_and_its_multiples():
    truth, forecast, scale = case("chaotic")
    mean = scale.climate_mean[:, None]
    assert anomaly_correlation(truth, (mean + 3 * (truth - mean))[None], scale) == pytest.approx(1.0)
    assert anomaly_correlation(truth, (mean - (truth - mean))[None], scale) == pytest.approx(-1.0)
    assert anomaly_correlation(truth, np.broadcast_to(mean, truth.shape)[None], scale) == pytest.approx(0.0)
    bad = forecast.copy()
    bad[0, 1, 4, 2] = np.inf
    bad[0, 1, 5, 2] = 1e200
    found = anomaly_correlation(truth, bad, scale)
    assert found[0, 1, 4] == -np.inf
    assert np.isfinite(np.delete(found.reshape(-1), 1 * 60 + 4)).all()
    centre = np.broadcast_to(mean, truth.shape)
    assert (anomaly_correlation(centre, centre[None], scale) == 1).all()


def test_a_channel_without_climate_is_left_out_of_the_correlation():
    truth, forecast, scale = case("random")
    std = scale.climate_std.copy()
    std[:, 1] = 0
    part = type(scale)(
        *(x[:, ::2] for x in (scale.context_mean, scale.context_std, scale.climate_mean, std)), scale.dt, scale.lyapunov
    )
    whole = type(scale)(scale.context_mean, scale.context_std, scale.climate_mean, std, scale.dt, scale.lyapunov)
    assert anomaly_correlation(truth, forecast, whole) == pytest.approx(
        anomaly_correlation(truth[..., ::2], forecast[..., ::2], part)
    )


def test_crossings_are_interpolated():
    curve = np.array([[1.0, 0.9, 0.7, 0.9, 0.2], [1.0, 0.9, 0.85, 0.9, 0.8], [0.5, 1, 1, 1, 1], [1.0, -1.0, 1, 1, 1]])
    assert crossing(curve, 0.8) == pytest.approx([1.5, 4.0, 0.0, 0.1])
    assert crossing(np.array([1.0, 0.9, -np.inf, 1.0]), 0.8) == 1.0


def test_correlation_time_of_what_is_exact_and_then_uncorrelated():
    truth = np.zeros((1, 20, 2))
    truth[..., 0] = 1.0
    forecast = np.zeros((1, 1, 20, 2))
    forecast[..., 0] = 1.0
    forecast[0, 0, 7:] = [0.0, 1.0]
    scale = unit_scale(1, 2, dt=0.1, lyapunov=0.5)
    assert correlation_time(truth, forecast, scale, unit_of_time="samples") == pytest.approx(7.2)
    assert correlation_time(truth, forecast, scale, unit_of_time="time") == pytest.approx(0.72)
    assert correlation_time(truth, forecast, scale) == pytest.approx(0.36)
    assert correlation_time(truth, truth[None], scale) == pytest.approx(1.0)
    with pytest.raises(ConfigError, match="unit of a correlation time 'years'"):
        correlation_time(truth, forecast, scale, unit_of_time="years")


# Divergence


def test_divergence_by_hand():
    forecast = np.zeros((1, 3, 10, 2))
    forecast[0, 1, 4:, 1] = np.inf
    forecast[0, 2, 0] = np.nan
    scale = unit_scale(3, 2, dt=0.1, lyapunov=0.5)
    truth = np.zeros((3, 10, 2))
    assert divergence_rate(truth, forecast, scale).tolist() == [[0.0, 1.0, 1.0]]
    assert divergence_time(truth, forecast, scale, unit_of_time="samples").tolist() == [[10.0, 4.0, 0.0]]
    assert divergence_time(truth, forecast, scale) == pytest.approx(np.array([[0.5, 0.2, 0.0]]))
    with pytest.raises(ConfigError, match="unit of a divergence time"):
        divergence_time(truth, forecast, scale, unit_of_time="hours")


# The context in the scale


def test_the_scale_keeps_its_context_through_everything():
    _, _, scale = case("random")
    assert scale.of(slice(1, 2)).context.shape == (1, 50, 3)
    flat = scale.standardised().context
    assert flat.mean(axis=1) == pytest.approx(np.zeros((3, 3)), abs=1e-12)
    assert unit_scale(2, 3).of(slice(0, 1)).context is None
    assert unit_scale(2, 3).standardised().context is None
    with pytest.raises(DataError, match="lag 0"):
        scale.naive_error(0)
