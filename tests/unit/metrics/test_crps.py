"""The continuous ranked probability score against closed forms and the definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from strangecast.metrics.crps import crps
from strangecast.metrics.mae import mae

NO_SCALE = None  # it uses none


def gaussian_crps(truth, mean, deviation):
    """Gneiting and Raftery (2007), eq. 21."""
    z = (truth - mean) / deviation
    return deviation * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))


def by_pairs(truth, samples, fair):
    """The definition, pair by pair, of one value."""
    N = len(samples)
    pairs = np.abs(samples[:, None] - samples).sum() / (2 * N * (N - 1 if fair else N))
    return np.abs(samples - truth).mean() - pairs


@pytest.mark.parametrize("grid", [(), (4,), (3, 2)])
@pytest.mark.parametrize("fair", [True, False])
def test_one_sample_scores_its_absolute_error_to_the_bit(grid, fair):
    rng = np.random.default_rng(0)
    truth, samples = rng.standard_normal((3, 5, 2, *grid)), rng.standard_normal((1, 2, 3, 5, 2, *grid))
    assert (crps(truth, samples, NO_SCALE, fair) == mae(truth, samples[0], NO_SCALE)).all()


@pytest.mark.parametrize("N", [2, 3, 7, 20])
@pytest.mark.parametrize("fair", [True, False])
def test_against_the_definition(N, fair):
    rng = np.random.default_rng(N)
    truth, samples = rng.standard_normal((2, 3, 2)), rng.standard_normal((N, 2, 2, 3, 2))
    expected = np.zeros((2, 2))
    for s, b, h, c in np.ndindex(2, 2, 3, 2):
        expected[s, b] += by_pairs(truth[b, h, c], samples[:, s, b, h, c], fair) / 6
    assert crps(truth, samples, NO_SCALE, fair) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_the_plain_version_is_the_integral_of_the_step_function():
    rng = np.random.default_rng(1)
    samples, truth = rng.standard_normal(6), 0.3
    x = np.linspace(-6, 6, 400_001)
    difference = (samples[:, None] <= x).mean(axis=0) - (x >= truth)
    integral = np.trapezoid(difference**2, x)
    found = crps(np.full((1, 1, 1), truth), samples.reshape(6, 1, 1, 1, 1), NO_SCALE, fair=False)
    assert found == pytest.approx(integral, abs=1e-4)


@pytest.mark.parametrize("N", [2, 5, 40])
@pytest.mark.parametrize(("truth", "mean", "deviation"), [(0.0, 0.0, 1.0), (1.5, -0.5, 2.0), (3.0, 0.0, 0.5)])
def test_normal_ensembles_of_any_size_score_the_closed_form_on_average(N, truth, mean, deviation):
    windows = 40_000
    samples = mean + deviation * np.random.default_rng(N).standard_normal((N, 1, windows, 1, 1))
    found = crps(np.full((windows, 1, 1), truth), samples, NO_SCALE)
    error = found.std() / np.sqrt(windows)
    assert abs(found.mean() - gaussian_crps(truth, mean, deviation)) < 4 * error
    plain = crps(np.full((windows, 1, 1), truth), samples, NO_SCALE, fair=False)
    # without the correction small ensembles lose E|X - X'| / (2 N), which is s / sqrt(pi) / N
    assert abs(plain.mean() - gaussian_crps(truth, mean, deviation) - deviation / np.sqrt(np.pi) / N) < 4 * error


def test_honest_spread_scores_best():
    rng = np.random.default_rng(3)
    truth = rng.standard_normal((20_000, 1, 1))
    draws = rng.standard_normal((10, 1, 20_000, 1, 1))
    score = {spread: crps(truth, spread * draws, NO_SCALE).mean() for spread in (0.2, 0.7, 1.0, 1.4, 3.0)}
    assert min(score, key=score.get) == 1.0


def test_never_negative_and_zero_for_the_truth():
    rng = np.random.default_rng(4)
    samples = rng.standard_normal((9, 3, 4, 5, 2))
    assert (crps(np.median(samples[:, 0], axis=0), samples, NO_SCALE) >= 0).all()
    truth = rng.standard_normal((4, 5, 2))
    assert (crps(truth, np.broadcast_to(truth, samples.shape), NO_SCALE) == 0).all()


def test_bits_do_not_depend_on_neighbours_or_the_order_of_samples():
    rng = np.random.default_rng(5)
    truth, samples = rng.standard_normal((4, 6, 2)), rng.standard_normal((20, 3, 4, 6, 2))
    together = crps(truth, samples, NO_SCALE)
    assert (crps(truth, samples[::-1], NO_SCALE) == together).all()
    for s in range(3):
        for b in range(4):
            assert crps(truth[b : b + 1], samples[:, s : s + 1, b : b + 1], NO_SCALE) == together[s, b]
