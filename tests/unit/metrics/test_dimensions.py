"""Dimensions against their definition, known values and the implementation that ships with dysts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dysts.analysis import gp_dim
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.references import attractor as direct
from strangecast.metrics import pair_distances
from strangecast.metrics.correlation_dimension import correlation_dimension, correlation_dimension_error
from strangecast.metrics.gp_dimension import gp_dimension, gp_dimension_error
from strangecast.metrics.pair_distances import PairDistances, mean_log_distance
from tests.unit.metrics.chaos import henon, lorenz, standard, unit_scale

CLOUDS = {
    "random": np.random.default_rng(0).standard_normal((200, 4)),
    "henon": henon(250),
    "lorenz": standard(lorenz(1000))[::4],
    "lattice": np.random.default_rng(1).integers(0, 4, (150, 2)).astype(float),
}


# Distances without a table of them


@pytest.mark.parametrize("most", [1, 50, 1 << 21])
@pytest.mark.parametrize("theiler", [0, 7])
@pytest.mark.parametrize("name", CLOUDS)
def test_ranked_distances_are_those_of_sorting_all(name, theiler, most, monkeypatch):
    monkeypatch.setattr(pair_distances, "_MOST", most)
    points = CLOUDS[name][:90]
    expected = direct.distances(points, theiler)
    pairs = PairDistances(points, theiler)
    assert pairs.count == len(expected)
    assert pairs.zeros == (expected == 0).sum()
    for rank in {0, 1, len(expected) // 3, len(expected) // 2, len(expected) - 2, len(expected) - 1}:
        value, up_to = pairs.ranked(rank)
        assert value == pytest.approx(expected[rank], rel=1e-15)
        assert up_to == (expected <= expected[rank] * (1 + 1e-14)).sum()
    for rank in (-1, len(expected)):
        with pytest.raises(IndexError):
            pairs.ranked(rank)


@given(
    st.lists(st.lists(st.floats(-1e150, 1e150), min_size=2, max_size=2), min_size=2, max_size=25),
    st.integers(0, 3), st.sampled_from([1, 4, 1000]), st.floats(0, 1),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_ranks_of_any_points(points, theiler, most, share):
    points = np.array(points)
    squares = [
        (points[j, 0] - points[i, 0]) ** 2 + (points[j, 1] - points[i, 1]) ** 2
        for i in range(len(points))
        for j in range(i + theiler + 1, len(points))
    ]
    expected = np.sqrt(np.sort(squares))
    before, pair_distances._MOST = pair_distances._MOST, most
    try:
        pairs = PairDistances(points, theiler)
        assert pairs.count == len(expected)
        if len(expected):
            rank = min(int(share * len(expected)), len(expected) - 1)
            assert pairs.ranked(rank)[0] == expected[rank]
    finally:
        pair_distances._MOST = before


def test_sums_of_logarithms_are_exclusive_of_their_bounds():
    r = direct.distances(CLOUDS["henon"], 3)
    pairs = PairDistances(CLOUDS["henon"], 3)
    low, high = (pairs.ranked(k)[0] for k in (40, 4000))
    found = pairs.log_sum(low, high)
    assert found.count == 4000 - 40 - 1
    assert found.total == pytest.approx(math.fsum(np.log(r[41:4000])), rel=1e-12)
    assert found.least == pytest.approx(r[41])


def test_mean_log_distance_by_hand():
    x = CLOUDS["lorenz"][:60]
    logs = [math.log(math.dist(x[i], x[j])) for i in range(60) for j in range(60) if abs(i - j) > 5]
    assert mean_log_distance(x, 5) == pytest.approx(np.mean(logs), rel=1e-12)
    assert math.isnan(mean_log_distance(np.ones((20, 2))))


# Correlation dimension


@pytest.mark.parametrize("theiler", [0, 20])
@pytest.mark.parametrize("share", [0.01, 0.03, 0.3])
@pytest.mark.parametrize("name", CLOUDS)
def test_correlation_dimension_against_the_definition(name, share, theiler):
    points = CLOUDS[name]
    if name == "lattice" and share < 0.3:
        assert correlation_dimension(points, theiler, share) == 0  # more pairs than the share are at distance 0
        return
    expected = direct.correlation_dimension(points, theiler, share)
    assert correlation_dimension(points, theiler, share) == pytest.approx(expected, rel=1e-10)


KNOWN = {
    "henon": (lambda: henon(4000), 0, 1.21, 0.05),
    "lorenz": (lambda: standard(lorenz(4000)), 70, 2.05, 0.15),
    "circle": (lambda: ring(4000), 16, 1.0, 0.05),
    "square": (lambda: np.random.default_rng(0).random((3000, 2)), 0, 2.0, 0.1),
    "noise": (lambda: np.random.default_rng(0).standard_normal((3000, 3)), 0, 3.0, 0.1),
}


def ring(n, turns=0.0631 / (2 * np.pi)):
    t = 2 * np.pi * turns * np.arange(n)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


@pytest.mark.parametrize("name", KNOWN)
def test_correlation_dimension_of_what_is_known(name):
    make, theiler, known, tolerance = KNOWN[name]
    assert correlation_dimension(make(), theiler) == pytest.approx(known, abs=tolerance)


def test_it_does_not_see_rotations_nor_size():
    points = CLOUDS["lorenz"]
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    here = correlation_dimension(points, 10)
    assert correlation_dimension(7 * points @ turn + 3, 10) == pytest.approx(here, rel=1e-9)


def test_fixed_points_and_short_cycles_have_dimension_zero():
    assert correlation_dimension(np.ones((300, 3))) == 0
    assert correlation_dimension(np.tile(henon(7), (60, 1)), 7) == 0
    assert math.isnan(correlation_dimension(henon(5), theiler=5))


def test_neighbours_in_time_would_make_a_slow_series_a_line():
    slow = standard(lorenz(3000, dt=0.0015))
    assert correlation_dimension(slow, 0) < correlation_dimension(slow, 300)


def test_its_error_by_hand():
    truth, wrong = lorenz(1500), np.random.default_rng(0).standard_normal((1500, 3))
    still = np.zeros((1500, 3))
    lost = truth.copy()
    lost[9, 1] = np.inf
    forecast = np.stack([truth, wrong * lorenz(4000).std(axis=0), still, lost])[:, None]
    whole = lorenz(4000)
    scale = unit_scale(1, 3)
    scale.climate_mean[:], scale.climate_std[:] = whole.mean(axis=0), whole.std(axis=0)
    found = correlation_dimension_error(truth[None], forecast, scale)[:, 0]
    assert found[0] == 0
    assert found[1] == pytest.approx(0.9, abs=0.25)
    assert found[2] == pytest.approx(2.05, abs=0.25)
    assert found[3] == np.inf
    assert gp_dimension_error(truth[None], forecast, scale)[[0, 3], 0].tolist() == [0.0, np.inf]


# The dimension of dysts


@pytest.mark.parametrize("name", CLOUDS)
def test_gp_dimension_against_the_definition_and_dysts(name):
    points = CLOUDS[name]
    found = gp_dimension(points)
    if name != "lattice":
        assert found == pytest.approx(gp_dim(points), rel=1e-10)
        assert found == pytest.approx(direct.gp_dimension(points[:120]) if len(points) <= 120 else found, rel=1e-10)
    assert gp_dimension(points[:100]) == pytest.approx(direct.gp_dimension(points[:100]), rel=1e-10)


def test_gp_dimension_of_lorenz_is_where_it_has_been_measured():
    assert gp_dimension(standard(lorenz(1500))) == pytest.approx(2.08, abs=0.08)


def test_gp_dimension_of_nothing_is_zero():
    assert gp_dimension(np.ones((50, 2))) == 0
    assert gp_dimension(np.tile(np.eye(2), (20, 1))) == 0
