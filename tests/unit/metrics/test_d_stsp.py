"""State-space divergence against its definition, closed forms and the implementation that ships with dysts."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from dysts.metrics import GaussianMixture, simplex_neighbors
from scipy.stats import multivariate_normal

from benchmarks.references import attractor as direct
from strangecast.core.errors import ConfigError
from strangecast.metrics.d_stsp_bins import DEFINITIONS, bins_divergence, d_stsp_bins, defined
from strangecast.metrics.d_stsp_gmm import d_stsp_gmm, draws, log_density, mixture_divergence
from strangecast.metrics.scale import Scale
from strangecast.metrics.simplex_widths import simplex_widths
from tests.unit.metrics.chaos import henon, lorenz, standard, unit_scale

RANDOM = np.random.default_rng(0)
PAIRS = {
    "random": (RANDOM.standard_normal((700, 2)), 1.2 * RANDOM.standard_normal((500, 2)) + 0.3),
    "henon": (henon(900), henon(1500)[900:] * 1.1),
    "lorenz": (standard(lorenz(2000)), standard(lorenz(4000))[2500:]),
}


# By bins


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("bins", [8, 30])
@pytest.mark.parametrize("name", PAIRS)
def test_bins_against_all_cells_written_out(name, bins, definition):
    truth, mine = PAIRS[name]
    found = bins_divergence(truth, mine, bins, 1e-5, definition)
    assert found == pytest.approx(direct.bins_divergence(truth, mine, bins, 1e-5, definition), rel=1e-10)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_bins_of_the_truth_in_any_order_of_time_are_zero(definition):
    truth = PAIRS["lorenz"][0]
    shuffled = np.random.default_rng(1).permutation(truth)
    assert bins_divergence(truth, shuffled, definition=definition) == 0
    assert bins_divergence(truth, PAIRS["lorenz"][1], definition=definition) > 0.1


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_bins_do_not_depend_on_units_or_the_order_of_dimensions(definition):
    truth, mine = PAIRS["lorenz"]
    here = bins_divergence(truth, mine, definition=definition)
    moved = (x * [3.0, 1e3, 1e-4] + [7.0, 0.0, -2.0] for x in (truth, mine))
    assert bins_divergence(*moved, definition=definition) == pytest.approx(here, rel=1e-9)
    assert bins_divergence(truth[:, ::-1], mine[:, ::-1], definition=definition) == pytest.approx(here, rel=1e-12)


def test_counted_and_dropped_agree_as_long_as_nothing_is_outside():
    truth = PAIRS["lorenz"][0]
    inside = truth[:700] * 0.98
    assert bins_divergence(truth, inside, definition="counted") == bins_divergence(truth, inside, definition="alrnn")
    half = np.concatenate([inside, np.full_like(inside, 50.0)])
    dropped = bins_divergence(truth, half, definition="alrnn")
    assert dropped == pytest.approx(bins_divergence(truth, inside, definition="alrnn"))
    # lost mass is not forgiven: half of the points outside cost log 2 where there are counts
    assert bins_divergence(truth, half, definition="counted") > dropped + 0.5 * math.log(2)


def test_a_collapsed_forecast_pays_for_every_sample_it_goes_on():
    truth = PAIRS["henon"][0]
    cells, a = 30**2, 1e-5
    p = direct_shares(truth, 30, a)
    for n in (100, 10_000):
        outside = np.full((n, 2), 80.0)
        expected = sum(x * math.log(x) for x in p) + math.log((n + a * cells) / a)
        assert bins_divergence(truth, outside) == pytest.approx(expected, rel=1e-10)
        assert bins_divergence(truth, outside, definition="dynamix") == math.inf
        # without counting what is outside, the worst forecast looks uniform
        uniform = bins_divergence(truth, outside, definition="alrnn")
        assert uniform == pytest.approx(sum(x * math.log(x) for x in p) + math.log(cells), rel=1e-10)


def direct_shares(points, bins, a):
    margin = 0.1 * points.std(axis=0, ddof=1)
    edges = [np.linspace(points[:, d].min() - margin[d], points[:, d].max() + margin[d], bins + 1) for d in (0, 1)]
    count = np.histogram2d(points[:, 0], points[:, 1], bins=edges)[0]
    return ((count + a) / (len(points) + a * bins**2)).ravel()


def test_a_dimension_that_stands_still_is_one_cell():
    truth = np.column_stack([PAIRS["henon"][0][:, 0], np.full(900, 4.0)])
    assert bins_divergence(truth, truth[::-1]) == 0
    off = truth + np.array([0.0, 1e-3])
    assert bins_divergence(truth, off) > 10
    assert bins_divergence(np.full((50, 2), 1.0), np.full((9, 2), 1.0)) == pytest.approx(0.0, abs=0.05)


def test_ten_dimensions_are_the_most_for_bins():
    truth = np.zeros((2, 5, 4, 3))
    truth[:] = np.random.default_rng(0).standard_normal(truth.shape)
    assert defined(truth[..., :2], unit_scale(2, 4)).all()
    assert not defined(truth, unit_scale(2, 4)).any()
    high = np.random.default_rng(1).standard_normal((2000, 10))
    # most cells are empty, and smoothing swamps the counts
    assert 0 < bins_divergence(high, high + 5.0) < 0.01


@pytest.mark.parametrize("wrong", [{"bins": 1}, {"smoothing": 0.0}, {"definition": "julia"}])
def test_numbers_that_cannot_be_are_told(wrong):
    with pytest.raises(ConfigError):
        bins_divergence(*PAIRS["henon"], **wrong)


def test_a_forecast_that_diverged_is_infinitely_far():
    truth = lorenz(600)[None]
    forecast = np.stack([truth, truth])
    forecast[1, 0, 550:] = np.inf
    scale = unit_scale(1, 3)
    for metric in (d_stsp_bins, d_stsp_gmm):
        assert metric(truth, forecast, scale).tolist() == [[0.0], [math.inf]]


# By mixtures


@pytest.mark.parametrize("variance", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("name", PAIRS)
def test_mixtures_against_the_definition(name, variance):
    truth, mine = PAIRS[name]
    drawn = draws(truth, 1000, variance)
    expected = direct.mixture_divergence(drawn, truth, mine, variance)
    assert mixture_divergence(truth, mine, variance) == pytest.approx(expected, rel=1e-10)


def test_the_mixture_is_the_one_of_dysts():
    truth, mine = standard(lorenz(300)), standard(lorenz(700))[400:]
    drawn = draws(truth, 200, 0.3)
    for points in (truth, mine):
        theirs = GaussianMixture(points, 0.3)(drawn)
        assert np.exp(log_density(drawn, points, 0.3)) == pytest.approx(theirs, rel=1e-10)


def test_local_widths_are_those_of_dysts():
    points = standard(lorenz(3000))[::10]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # its solver gives up on some points
        theirs = simplex_neighbors(points, k=10, tol=1e-6)[2]
    near = np.sort(np.linalg.norm(points[:, None] - points, axis=-1), axis=1)[:, 1:11]

    def residual(widths):
        return np.abs(np.exp(-(near - near[:, :1]) / widths[:, None]).sum(axis=1) - np.log2(10))

    ours, solved = simplex_widths(points), residual(theirs) < 1e-4
    assert residual(ours).max() < 1e-9
    assert solved.mean() > 0.9
    assert ours[solved] == pytest.approx(theirs[solved], rel=1e-4)
    drawn = draws(points, 50, None)
    expected = np.log(GaussianMixture(points, simplex_widths(points))(drawn))
    assert log_density(drawn, points, None) == pytest.approx(expected, rel=1e-10)


def test_local_widths_of_copies_are_positive():
    assert (simplex_widths(np.repeat(henon(5), 12, axis=0)) == 1e-6).all()
    ring = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)
    assert (simplex_widths(ring) > 0).all()


def test_draws_are_from_the_mixture():
    points = np.array([[0.0, 0.0], [4.0, 1.0]])
    found = draws(points, 100_000, 0.25)
    assert found.mean(axis=0) == pytest.approx([2.0, 0.5], abs=0.03)
    assert found.var(axis=0) == pytest.approx([4.25, 0.5], abs=0.04)


def test_two_gaussians_have_their_closed_form():
    # one point each: KL of N(0, v) from N(m, v) is m^2 / (2 v)
    a, b = np.zeros((1, 2)), np.array([[0.6, -0.8]])
    found = mixture_divergence(a, b, 0.5, samples=200_000)
    assert found == pytest.approx(1.0, abs=0.02)


def test_nothing_underflows():
    truth = standard(lorenz(500))
    far = truth + 1e4
    assert multivariate_normal(far[0], 0.3).pdf(truth[0]) == 0
    found = mixture_divergence(truth, far)
    assert np.isfinite(found)
    assert found > mixture_divergence(truth, truth + 10.0) > mixture_divergence(truth, truth + 1.0) > 0


def test_mixtures_do_not_depend_on_units_or_the_order_of_channels():
    rng = np.random.default_rng(5)
    truth, forecast = lorenz(800)[None, :400], lorenz(1600)[None, None, 900:1300]
    mean, std = rng.standard_normal((1, 3)), rng.uniform(5, 9, (1, 3))

    def scored(x, y, m, s):
        return d_stsp_gmm(x, y, Scale(m, s, m, s, np.ones(1), np.ones(1)))

    here = scored(truth, forecast, mean, std)
    factor, shift = np.array([3.0, 1e3, 1e-4]), np.array([7.0, 0.0, -2.0])
    moved = scored(truth * factor + shift, forecast * factor + shift, mean * factor + shift, std * factor)
    assert moved == pytest.approx(here, rel=1e-9)
    turned = scored(truth[..., ::-1], forecast[..., ::-1], mean[:, ::-1], std[:, ::-1])
    assert turned == pytest.approx(here, rel=1e-12)


def test_wide_gaussians_are_nearly_blind():
    truth = standard(lorenz(3000))
    noise = np.random.default_rng(0).standard_normal((3000, 3))
    assert mixture_divergence(truth, noise, 1.0) < 0.2
    assert mixture_divergence(truth, noise, 0.05) > 0.5


@pytest.mark.parametrize("wrong", [{"variance": 0.0}, {"samples": 0}])
def test_mixtures_that_cannot_be_are_told(wrong):
    truth = np.zeros((1, 5, 2))
    with pytest.raises(ConfigError, match="positive variance and samples"):
        d_stsp_gmm(truth, truth[None], unit_scale(1, 2), **wrong)
