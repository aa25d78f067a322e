"""Samples: what counts as run away, and the one forecast they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.metrics.samples import RUNAWAY, band, contained, point_forecast
from strangecast.metrics.scale import Scale


def scale(B=1):
    """Two channels: climate mean 1 and 5, deviation 2 and none."""
    mean, std = np.tile([1.0, 5.0], (B, 1)), np.tile([2.0, 0.0], (B, 1))
    return Scale(mean, std + 1, mean, std, np.ones(B), np.ones(B))


def draw(N=6, S=2, B=3, H=4, grid=()):
    return np.random.default_rng(N).standard_normal((N, S, B, H, 2, *grid))


@pytest.mark.parametrize("grid", [(), (5,), (3, 2)])
def test_what_lies_inside_is_left_as_it_is(grid):
    samples = draw(grid=grid)
    assert contained(samples, scale(3)).tobytes() == samples.tobytes()


def test_what_ran_away_goes_to_the_bound_on_its_side():
    samples = np.full((5, 1, 1, 1, 2), 1.0)
    samples[:, 0, 0, 0, 0] = [np.nan, np.inf, -np.inf, 1e9, 1 + 2 * RUNAWAY]
    samples[:, 0, 0, 0, 1] = [-1e5, 5 * RUNAWAY + 5, np.nan, 0, 0]
    found = contained(samples, scale())[:, 0, 0, 0]
    high, low = 1 + 2 * RUNAWAY, 1 - 2 * RUNAWAY
    assert found[:, 0].tolist() == [high, high, low, high, high]
    assert found[:, 1].tolist() == [5 - 5 * RUNAWAY, 5 + 5 * RUNAWAY, 5 + 5 * RUNAWAY, 0, 0]
    assert (contained(found[:, None, None, None], scale())[:, 0, 0, 0] == found).all()


@pytest.mark.parametrize("N", [1, 2, 5, 6])
def test_median_and_mean_value_by_value(N):
    samples = draw(N, grid=(3,))
    assert point_forecast(samples, scale(3)) == pytest.approx(np.median(samples, axis=0), abs=1e-15)
    assert point_forecast(samples, scale(3), "mean") == pytest.approx(samples.mean(axis=0), abs=1e-15)
    with pytest.raises(ConfigError, match="no point forecast 'mode'"):
        point_forecast(samples, scale(3), "mode")


@pytest.mark.parametrize("of", ["median", "mean"])
def test_one_sample_is_its_own_forecast_to_the_bit(of):
    samples = draw(1)
    assert point_forecast(samples, scale(3), of).tobytes() == samples[0].tobytes()


@pytest.mark.parametrize("N", [3, 4, 5, 20])
def test_fewer_than_half_cannot_drag_the_median_away(N):
    samples = draw(N)
    kept = samples[(N - 1) // 2 :].copy()
    samples[: (N - 1) // 2] = np.nan
    found = point_forecast(samples, scale(3))
    assert (found <= kept.max(axis=0)).all()
    assert (found >= kept.min(axis=0)).all()
    assert np.isfinite(point_forecast(samples, scale(3), "mean")).all()


@pytest.mark.parametrize("of", ["median", "mean"])
def test_bits_do_not_depend_on_neighbours(of):
    samples = draw(20, S=3, B=4, H=5)
    together = point_forecast(samples, scale(4), of)
    for s in range(3):
        for b in range(4):
            alone = samples[:, s : s + 1, b : b + 1]
            assert (point_forecast(alone, scale(), of) == together[s, b]).all()
            first = alone[:, :, :, :1, :1]
            one = Scale(*(x[:, :1] if x.ndim > 1 else x for x in vars(scale()).values() if x is not None))
            assert (point_forecast(first, one, of)[0, 0, 0, 0] == together[s, b, 0, 0]).all()


def test_band_holds_eight_of_ten():
    samples = np.arange(11.0).reshape(11, 1, 1, 1, 1).repeat(2, axis=-1)
    low, high = band(samples, scale())
    assert (low == 1.0).all()
    assert (high == 9.0).all()


def test_the_scale_of_some_windows():
    whole = Scale(*np.random.default_rng(0).random((4, 5, 2)), *np.random.default_rng(1).random((2, 5)))
    part = whole.of(slice(2, 4))
    assert (part.climate_std == whole.climate_std[2:4]).all()
    assert (part.lyapunov == whole.lyapunov[2:4]).all()
