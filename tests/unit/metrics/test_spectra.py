"""Spectral distances against their definition, closed forms and the implementation that ships with dysts."""

from __future__ import annotations

import numpy as np
import pytest
from dysts.metrics import average_hellinger_distance
from scipy.ndimage import gaussian_filter1d

from benchmarks.references import attractor as direct
from strangecast.core.errors import ConfigError
from strangecast.metrics.hellinger_bins import hellinger_bins
from strangecast.metrics.hellinger_first100 import hellinger_first100
from strangecast.metrics.hellinger_smoothed import hellinger_smoothed
from strangecast.metrics.spectrum import hellinger, mean_period, power, shares
from tests.unit.metrics.chaos import henon, lorenz, standard, unit_scale

RANDOM = np.random.default_rng(0)
PAIRS = {
    "random": (RANDOM.standard_normal((301, 2)).cumsum(axis=0), RANDOM.standard_normal((301, 2))),
    "henon": (henon(400), henon(900)[500:] ** 2),
    "lorenz": (lorenz(500), lorenz(3000)[2500:]),
}


def one(metric, truth, mine, **how):
    """The metric of one pair of series, with a climate of deviation 1."""
    return metric(truth[None], mine[None, None], unit_scale(1, truth.shape[1]), **how)[0, 0]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(
    ("metric", "slow", "width"),
    [(hellinger_smoothed, direct.hellinger_smoothed, 0.01), (hellinger_bins, direct.hellinger_bins, 6.0)],
)
def test_against_the_definition(metric, slow, width, name):
    truth, mine = PAIRS[name]
    assert one(metric, truth, mine, width=width) == pytest.approx(slow(truth, mine, width), rel=1e-10)


@pytest.mark.parametrize("name", PAIRS)
def test_the_first_hundred_bins_are_those_of_dysts(name):
    truth, mine = PAIRS[name]
    assert one(hellinger_first100, truth, mine) == pytest.approx(average_hellinger_distance(truth, mine), rel=1e-10)


@pytest.mark.parametrize("metric", [hellinger_smoothed, hellinger_bins])
def test_phase_size_and_place_play_no_part(metric):
    truth, mine = PAIRS["lorenz"]
    here = one(metric, truth, mine)
    assert 0 < here < 1
    for other in (mine[::-1], -mine, mine * [2.0, 0.5, 100.0], mine + np.array([1.0, -2.0, 50.0])):
        assert one(metric, truth, other) == pytest.approx(here, rel=1e-9)
    assert one(metric, mine, truth) == pytest.approx(here, rel=1e-12)
    assert one(metric, truth, truth) == 0


def test_two_lines_are_as_far_as_two_gaussians():
    t = np.arange(4000)
    first, width = 0.1, 0.002
    for apart in (0.001, 0.004, 0.02):
        truth, mine = (np.sin(2 * np.pi * f * t)[:, None] for f in (first, first + apart))
        expected = np.sqrt(1 - np.exp(-((apart / width) ** 2) / 8))
        assert one(hellinger_smoothed, truth, mine, width=width) == pytest.approx(expected, abs=0.02)


def test_the_value_does_not_depend_on_the_length_but_that_of_the_source_does():
    """Two unequal spectra, a line and the same line moved: the resolution decides how far they are apart."""
    settled, drifting = [], []
    for T in (2000, 4000, 8000):
        t = np.arange(T)
        noise = 0.3 * np.random.default_rng(T).standard_normal((2, T))
        truth, mine = ((np.sin(2 * np.pi * f * t) + n)[:, None] for f, n in zip((0.1, 0.103), noise, strict=True))
        settled.append(one(hellinger_smoothed, truth, mine))
        drifting.append(one(hellinger_bins, truth, mine))
    assert max(settled) / min(settled) < 1.05
    assert max(drifting) / min(drifting) > 1.5


def test_its_floor_falls_with_the_length():
    noise = np.random.default_rng(0).standard_normal((2, 16_000, 1))
    floors = [one(hellinger_smoothed, noise[0, :T], noise[1, :T]) for T in (1000, 4000, 16_000)]
    assert floors[0] / floors[1] == pytest.approx(2.0, rel=0.25)
    assert floors[1] / floors[2] == pytest.approx(2.0, rel=0.25)


def test_time_shuffled_lorenz_is_far_away():
    truth = lorenz(3000)
    shuffled = np.random.default_rng(0).permutation(truth)
    assert one(hellinger_smoothed, truth, shuffled) > 0.7
    assert one(hellinger_smoothed, truth[:1500], truth[1500:]) < 0.25


def test_a_channel_that_stands_still_is_as_far_as_can_be():
    truth, mine = (x.copy() for x in PAIRS["lorenz"])
    whole = one(hellinger_smoothed, truth, mine)
    mine[:, 1] = 4.0
    assert one(hellinger_smoothed, truth, mine) > whole
    for metric in (hellinger_smoothed, hellinger_bins):
        assert one(metric, truth, np.full_like(truth, 3.0)) == 1
        assert one(metric, np.full_like(truth, 2.0), np.full_like(truth, 3.0)) == 0
    assert one(hellinger_first100, truth, np.zeros_like(truth)) == 1


def test_a_forecast_that_diverged_scores_one():
    truth = np.stack([PAIRS["lorenz"][0]] * 2)
    forecast = truth[None].copy()
    forecast[0, 1, 200:] = np.inf
    for metric in (hellinger_smoothed, hellinger_bins, hellinger_first100):
        assert metric(truth, forecast, unit_scale(2, 3)).tolist() == [[0.0, 1.0]]


def test_equal_spectra_have_no_distance_however_they_are_rounded():
    p = np.random.default_rng(0).random((50, 999))
    p /= p.sum(axis=1, keepdims=True)
    assert (hellinger(p, p) == 0).all()
    assert (hellinger(p, np.roll(p, 7, axis=1)) > 0).all()


def test_a_width_must_be_positive():
    with pytest.raises(ConfigError, match="positive width"):
        one(hellinger_smoothed, *PAIRS["lorenz"], width=0.0)


@pytest.mark.parametrize("width", [0.1, 0.7, 3.0, 25.0])
def test_smoothing_is_that_of_scipy(width):
    power = np.random.default_rng(0).random((3, 41))
    expected = gaussian_filter1d(power, width, axis=1, mode="reflect", truncate=4.0)
    assert shares(power, width) == pytest.approx(expected / expected.sum(axis=1, keepdims=True), rel=1e-12)


def test_smoothing_keeps_a_flat_spectrum_flat():
    assert shares(np.ones((2, 40)), 3.0) == pytest.approx(np.full((2, 40), 1 / 40))
    assert (shares(np.zeros((1, 40)), 3.0) == 0).all()


def test_power_is_parseval():
    x = standard(lorenz(600))
    total = power(x)
    assert total[:, 1:-1].sum() * 2 + total[:, -1].sum() == pytest.approx(600 * (x**2).sum())


@pytest.mark.parametrize("period", [20, 37.5, 100])
def test_the_mean_period_of_a_sine_is_its_period(period):
    x = np.sin(2 * np.pi * np.arange(3000) / period)[:, None]
    assert mean_period(x) == pytest.approx(period, abs=1.5)


@pytest.mark.parametrize("name", PAIRS)
def test_mean_period_against_the_definition(name):
    assert mean_period(PAIRS[name][0]) == direct.mean_period(PAIRS[name][0])


def test_the_mean_period_of_what_does_not_move_is_one():
    assert mean_period(np.full((100, 2), 3.0)) == 1
    assert mean_period(np.linspace(0, 1, 100)[:, None]) == 10  # at most a tenth of the series
