"""The largest Lyapunov exponent of a series against its definition, known values and dysts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dysts.analysis import max_lyapunov_exponent_rosenstein

from benchmarks.references import attractor as direct
from strangecast.core.errors import ConfigError
from strangecast.metrics.lyapunov_error import defined, lyapunov_error
from strangecast.metrics.lyapunov_rosenstein import lyapunov_rosenstein, lyapunov_rosenstein_dysts, nearest, slope
from strangecast.metrics.scale import Scale
from strangecast.metrics.spectrum import mean_period
from tests.unit.metrics.chaos import LORENZ_DT, henon, lorenz, standard, unit_scale

SERIES = {
    "random": np.random.default_rng(0).standard_normal((260, 2)),
    "henon": henon(300),
    "lorenz": standard(lorenz(1200))[::3],
}


@pytest.mark.parametrize("name", SERIES)
def test_corrected_against_the_definition(name):
    x, turn = SERIES[name], 12
    expected = direct.lyapunov_rosenstein(x, 0.3, turn)
    assert lyapunov_rosenstein(x, 0.3, turn) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", SERIES)
def test_the_other_one_against_the_definition(name):
    x = SERIES[name]
    assert lyapunov_rosenstein_dysts(x, 0.3, 15) == pytest.approx(
        direct.lyapunov_rosenstein_dysts(x, 0.3, 15), rel=1e-10
    )


@pytest.mark.parametrize(("n", "follow"), [(1000, 20), (1501, 64)])
def test_the_other_one_against_dysts_which_counts_in_single_precision(n, follow):
    x = standard(lorenz(n))
    theirs = max_lyapunov_exponent_rosenstein(x, tau=LORENZ_DT, trajectory_len=follow)
    assert lyapunov_rosenstein_dysts(x, LORENZ_DT, follow) == pytest.approx(theirs, rel=1e-5)


def test_lorenz_is_right_and_dysts_too_steep():
    x = standard(lorenz(4000))
    assert lyapunov_rosenstein(x, LORENZ_DT, mean_period(x)) == pytest.approx(0.906, rel=0.2)
    assert lyapunov_rosenstein_dysts(x, LORENZ_DT) > 1.2 * 0.906


def test_henon_and_a_doubling_map():
    assert lyapunov_rosenstein(henon(6000), 1.0, 1) == pytest.approx(0.419, rel=0.2)
    x = np.empty(6000)
    x[0] = 0.3123
    for i in range(5999):  # tent map with slope 1.9: exponent log 1.9
        x[i + 1] = 1.9 * min(x[i], 1 - x[i])
    assert lyapunov_rosenstein(x[:, None], 1.0, 1) == pytest.approx(math.log(1.9), rel=0.2)


def test_a_torus_has_almost_none():
    t = 0.0631 * np.arange(3000)
    torus = np.stack([np.cos(t), np.sin(t), np.cos(t * np.sqrt(2)), np.sin(t * np.sqrt(2))], axis=1)
    assert abs(lyapunov_rosenstein(torus, LORENZ_DT, 100)) < 0.15


def test_what_stands_still_or_repeats_itself_has_none():
    assert lyapunov_rosenstein(np.ones((300, 2)), 0.1, 5) == 0
    assert lyapunov_rosenstein(np.tile(henon(6), (60, 1)), 1.0, 3) == 0
    assert lyapunov_rosenstein_dysts(np.ones((300, 2)), 0.1) == 0


def test_series_too_short_to_follow_are_told_by_nan():
    assert math.isnan(lyapunov_rosenstein(henon(20), 1.0, 30))
    assert math.isnan(lyapunov_rosenstein_dysts(henon(30), 1.0, 25))


def test_it_does_not_see_rotations_nor_size_and_goes_with_time():
    x = standard(lorenz(1500))
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    here = lyapunov_rosenstein(x, 0.01, 70)
    assert lyapunov_rosenstein(5 * x @ turn - 2, 0.01, 70) == pytest.approx(here, rel=1e-8)
    assert lyapunov_rosenstein(x, 0.02, 70) == pytest.approx(here / 2)


def test_neighbours_are_nearest_among_those_far_enough_in_time():
    x = np.round(standard(lorenz(400)), 1)
    found = nearest(np.ascontiguousarray(x.T), 300, 25)
    for i in range(300):
        far = [j for j in range(300) if abs(i - j) > 25]
        least = min(math.dist(x[i], x[j]) for j in far)
        assert math.dist(x[i], x[found[i]]) == pytest.approx(least)
        assert found[i] in far


def test_slopes_are_least_squares():
    y = np.random.default_rng(0).standard_normal(30)
    assert slope(y, 4) == pytest.approx(np.polyfit(np.arange(26), y[4:], 1)[0])


def test_errors_by_hand():
    truth, whole = lorenz(1500), lorenz(4000)
    mean, std = whole.mean(axis=0)[None], whole.std(axis=0)[None]
    scale = Scale(mean, std, mean, std, np.array([LORENZ_DT]), np.array([0.906]))
    slow = lorenz(1500, dt=LORENZ_DT / 3)
    lost = truth.copy()
    lost[700:] = np.inf
    forecast = np.stack([truth, slow, np.broadcast_to(truth[:1], truth.shape), lost])[:, None]
    found = lyapunov_error(truth[None], forecast, scale)[:, 0]
    own = lyapunov_rosenstein((truth - mean) / std, LORENZ_DT, mean_period((truth - mean) / std))
    assert found[0] == 0
    assert found[1] > 0.15
    assert found[2] == pytest.approx(own)
    assert found[3] == np.inf
    assert lyapunov_error(truth[None], forecast, scale, relative=True)[:3, 0] == pytest.approx(found[:3] / 0.906)
    dysts = lyapunov_error(truth[None], forecast, scale, definition="dysts", follow=64)[:, 0]
    assert dysts[0] == 0
    assert dysts[2] == pytest.approx(lyapunov_rosenstein_dysts((truth - mean) / std, LORENZ_DT, 64))
    with pytest.raises(ConfigError, match="definition of a Lyapunov exponent 'wolf'"):
        lyapunov_error(truth[None], forecast, scale, definition="wolf")


def test_relative_errors_need_an_exponent():
    scale = unit_scale(3, 1)
    scale.lyapunov[:] = [0.5, np.nan, -1.0]
    truth = np.zeros((3, 5, 1))
    assert defined(truth, scale, relative=True).tolist() == [True, False, False]
    assert defined(truth, scale).all()
