"""What the truth scores against itself."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import DataError
from strangecast.metrics.attractors import by_window, points
from strangecast.metrics.d_stsp_bins import bins_divergence, d_stsp_bins
from strangecast.metrics.floor import floor, halves
from strangecast.metrics.hellinger_smoothed import hellinger_smoothed
from tests.unit.metrics.chaos import case, lorenz, unit_scale


def test_halves_are_the_two_ends():
    truth = np.arange(22.0).reshape(1, 11, 2)
    first, second = halves(truth)
    assert (first == truth[:, :5]).all()
    assert (second == truth[:, 6:]).all()
    assert np.shares_memory(first, truth)
    with pytest.raises(DataError, match="a truth of 3 samples"):
        halves(truth[:, :3])


def test_the_floor_is_the_metric_of_one_half_against_the_other():
    truth = np.stack([lorenz(3000), lorenz(4000)[1000:]])
    scale = unit_scale(2, 3)
    found = floor(d_stsp_bins, truth, scale)
    assert found.shape == (2,)
    assert found[1] == bins_divergence(truth[1, :1500], truth[1, 1500:])
    assert (found > 0).all()
    noise = np.random.default_rng(0).standard_normal((2, 8000, 3))
    assert (floor(hellinger_smoothed, noise, scale) < floor(hellinger_smoothed, noise[:, :2000], scale)).all()


def test_points_are_in_units_of_the_climate():
    values = np.random.default_rng(0).standard_normal((6, 3, 2))
    mean, std = np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0, 4.0])
    found = points(values, mean, std)
    assert found.shape == (6, 4)
    assert found[:, :2] == pytest.approx((values[:, 0] - 1) / 2)
    assert found[:, 2:] == pytest.approx((values[:, 2] - 3) / 4)
    still = points(values, mean, np.zeros(3))
    assert still == pytest.approx((values - mean[:, None]).reshape(6, 6))


def test_each_window_is_compared_with_its_own_truth():
    truth, forecast, scale = case("random")
    asked = []

    def reference(true, b):
        asked.append(b)
        return true.sum()

    forecast[1, 2, 3] = np.nan
    found = by_window(truth, forecast, scale, reference, lambda held, mine: held - mine.sum(), 77.0)
    assert asked == [0, 1, 2]
    assert found[1, 2] == 77.0
    unit = scale.climate_std[0]
    assert found[0, 0] == pytest.approx(((truth[0] - forecast[0, 0]) / unit).sum())
