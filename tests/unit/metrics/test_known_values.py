"""Metrics against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.metrics.averages import channel_mean, window_mean
from strangecast.metrics.mae import mae
from strangecast.metrics.mse import mse
from strangecast.metrics.normalised_error import normalised_error
from strangecast.metrics.nrmse import nrmse
from strangecast.metrics.rmse import rmse
from strangecast.metrics.scale import Scale, window_scale
from strangecast.metrics.smape import smape
from strangecast.metrics.valid_prediction_time import valid_prediction_time


def scale(climate_std=(2.0, 4.0), lyapunov=0.5, dt=0.1) -> Scale:
    """One window, two channels."""
    std = np.array([climate_std], float)
    zero, one = np.zeros_like(std), np.ones_like(std)
    return Scale(zero, one, zero, std, np.array([dt]), np.array([lyapunov]))


TRUTH = np.array([[[1.0, 2.0], [3.0, -4.0], [0.0, 1.0]]])
FORECAST = np.array([[[[3.0, 2.0], [1.0, 4.0], [0.0, 0.0]]]])


def test_squared_and_absolute_errors():
    # differences 2 0 / -2 8 / 0 -1
    assert mse(TRUTH, FORECAST, scale()) == pytest.approx(np.array([[(4 + 4 + 64 + 1) / 6]]))
    assert mae(TRUTH, FORECAST, scale()) == pytest.approx(np.array([[13 / 6]]))
    assert rmse(TRUTH, FORECAST, scale()) == pytest.approx(np.array([[np.sqrt(73 / 6)]]))


def test_smape_by_hand():
    # |d| / (|a| + |b|): 2/4, 0/4, 2/4, 8/8, 0/0 -> 0, 1/1
    assert smape(TRUTH, FORECAST, scale()) == pytest.approx(np.array([[100 * (0.5 + 0 + 0.5 + 1 + 0 + 1) / 6]]))


def test_smape_of_zero_is_exactly_100():
    truth = np.random.default_rng(0).standard_normal((4, 50, 3))
    assert (smape(truth, np.zeros((2, 4, 50, 3)), scale()) == 100.0).all()


def test_nrmse_weighs_each_channel_by_its_climate():
    first, second = np.sqrt(8 / 3) / 2, np.sqrt(65 / 3) / 4
    assert nrmse(TRUTH, FORECAST, scale()) == pytest.approx(np.array([[(first + second) / 2]]))


def test_nrmse_of_the_climate_mean_is_one_over_a_long_window():
    truth = np.random.default_rng(1).standard_normal((1, 200_000, 2)) * [2.0, 4.0]
    assert nrmse(truth, np.zeros((1, *truth.shape)), scale()) == pytest.approx(1.0, abs=5e-3)


def test_channels_without_climate_variance_are_left_out():
    alone = nrmse(TRUTH[..., :1], FORECAST[..., :1], scale((2.0,)))
    assert nrmse(TRUTH, FORECAST, scale((2.0, 0.0))) == pytest.approx(alone)
    step = normalised_error(TRUTH, FORECAST, scale((2.0, 0.0)))
    assert step == pytest.approx(np.array([[[1.0, 1.0, 0.0]]]))
    # none varies: physical units
    assert nrmse(TRUTH, FORECAST, scale((0.0, 0.0))) == pytest.approx((np.sqrt(8 / 3) + np.sqrt(65 / 3)) / 2)


def test_normalised_error_by_hand():
    expected = [np.sqrt((1 + 0) / 2), np.sqrt((1 + 4) / 2), np.sqrt((0 + 1 / 16) / 2)]
    assert normalised_error(TRUTH, FORECAST, scale()) == pytest.approx(np.array([[expected]]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_normalised_error_of_what_is_not_finite_is_infinite(bad):
    forecast = FORECAST.copy()
    forecast[0, 0, 1, 0] = bad
    found = normalised_error(TRUTH, forecast, scale())
    assert np.isinf(found[0, 0, 1])
    assert np.isfinite(found[0, 0, [0, 2]]).all()


@pytest.mark.parametrize("k", [0, 1, 7, 20])
def test_valid_prediction_time_counts_the_samples_before_the_error(k):
    truth = np.zeros((1, 20, 2))
    forecast = np.zeros((1, 1, 20, 2))
    forecast[0, 0, k:] = 1.0  # error sqrt((1/4 + 1/16) / 2) = 0.395
    assert valid_prediction_time(truth, forecast, scale(), epsilon=0.39) == pytest.approx(k * 0.1 * 0.5)
    assert valid_prediction_time(truth, forecast, scale(), epsilon=0.40) == pytest.approx(20 * 0.1 * 0.5)


def test_valid_prediction_time_does_not_recover():
    forecast = np.zeros((1, 1, 20, 2))
    forecast[0, 0, 5] = 100.0
    assert valid_prediction_time(np.zeros((1, 20, 2)), forecast, scale()) == pytest.approx(0.25)


@pytest.mark.parametrize("lyapunov", [np.nan, 0.0, -0.3])
def test_valid_prediction_time_is_undefined_without_a_positive_exponent(lyapunov):
    found = valid_prediction_time(TRUTH, FORECAST, scale(lyapunov=lyapunov))
    assert np.isnan(found).all()


def test_fields_are_averaged_over_their_grid():
    rng = np.random.default_rng(2)
    truth, forecast = rng.standard_normal((1, 6, 2, 5, 4)), rng.standard_normal((3, 1, 6, 2, 5, 4))
    difference = forecast - truth
    assert mse(truth, forecast, scale()) == pytest.approx((difference**2).mean(axis=(2, 3, 4, 5)))
    assert channel_mean(difference) == pytest.approx(difference.mean(axis=(2, 4, 5)))
    by_step = np.sqrt((difference**2 / np.array([4.0, 16.0]).reshape(2, 1, 1)).mean(axis=(3, 4, 5)))
    assert normalised_error(truth, forecast, scale()) == pytest.approx(by_step)


def test_window_scale_floors_a_channel_that_stands_still():
    context = np.stack([np.linspace(0, 1, 50), np.full(50, 3.0), np.full(50, 7.0)], axis=-1)[None]
    climate = np.array([[0.3, 2.0, 0.0]])
    found = window_scale(context, np.zeros((1, 3)), climate, np.array([0.1]), np.array([np.nan]))
    assert found.context_std == pytest.approx(np.array([[np.linspace(0, 1, 50).std(), 2e-3, 1.0]]))
    assert found.context_mean == pytest.approx(np.array([[0.5, 3.0, 7.0]]))
    assert np.isnan(found.lyapunov_steps).all()


def test_standardised_values_and_scale_belong_together():
    rng = np.random.default_rng(3)
    context = rng.normal(5, 3, (2, 40, 3))
    climate = rng.uniform(1, 2, (2, 3))
    s = window_scale(context, rng.normal(5, 1, (2, 3)), climate, np.ones(2), np.ones(2))
    flat = s.standardise(context[None])[0]
    assert flat.mean(axis=1) == pytest.approx(np.zeros((2, 3)), abs=1e-12)
    assert flat.std(axis=1) == pytest.approx(np.ones((2, 3)))
    truth, forecast = rng.normal(5, 3, (2, 9, 3)), rng.normal(5, 3, (4, 2, 9, 3))
    normalised = s.standardise(truth[None])[0], s.standardise(forecast)
    assert nrmse(*normalised, s.standardised()) == pytest.approx(nrmse(truth, forecast, s))


def test_window_mean_has_the_same_bits_in_any_company():
    values = np.random.default_rng(4).standard_normal((3, 7, 33, 5))
    together = window_mean(values)
    assert (window_mean(values[1:2, 3:4]) == together[1:2, 3:4]).all()
    assert (window_mean(np.asfortranarray(values)) == together).all()
