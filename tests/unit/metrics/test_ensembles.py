"""Scores of samples against their definitions and their known values."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.references import ensemble as direct
from strangecast.core.errors import ConfigError
from strangecast.metrics.coverage import coverage, coverage_error
from strangecast.metrics.crps import crps
from strangecast.metrics.energy_score import energy_score
from strangecast.metrics.mae import mae
from strangecast.metrics.quantile_loss import DECILES, quantile_loss
from strangecast.metrics.sample_quantiles import sample_quantiles
from strangecast.metrics.spread_skill import spread_and_error, spread_skill_error
from tests.unit.metrics.chaos import case

NO_SCALE = None  # none of them uses it
DIRECT = {
    "crps": (crps, direct.crps),
    "energy_score": (energy_score, direct.energy_score),
    "quantile_loss": (quantile_loss, lambda x, y: direct.quantile_loss(x, y, DECILES)),
    "coverage_error": (coverage_error, lambda x, y: direct.coverage_error(x, y, 0.8)),
    "spread_skill_error": (spread_skill_error, direct.spread_skill_error),
}


def draw(kind, N=12):
    truth, forecast, _ = case(kind, H=25)
    return truth, forecast + forecast.std() / 3 * np.random.default_rng(2).standard_normal((N, *forecast.shape))


@pytest.mark.parametrize("kind", ["random", "chaotic"])
@pytest.mark.parametrize("name", DIRECT)
def test_against_the_definition(name, kind):
    truth, samples = draw(kind)
    fast, slow = DIRECT[name]
    found = fast(truth, samples, NO_SCALE)
    expected = [[slow(truth[b], samples[:, s, b]) for b in range(3)] for s in range(2)]
    assert found == pytest.approx(np.array(expected), rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("name", DIRECT)
def test_the_order_of_samples_does_not_matter_to_the_bit(name):
    truth, samples = draw("chaotic")
    samples[3] = samples[5]  # ties
    found = DIRECT[name][0](truth, samples, NO_SCALE)
    mixed = samples[np.random.default_rng(0).permutation(12)]
    assert DIRECT[name][0](truth, mixed, NO_SCALE).tobytes() == found.tobytes()


@pytest.mark.parametrize("name", DIRECT)
def test_bits_do_not_depend_on_neighbours(name):
    truth, samples = draw("random")
    together = DIRECT[name][0](truth, samples, NO_SCALE)
    alone = DIRECT[name][0](truth[1:2], samples[:, 1:2, 1:2], NO_SCALE)
    assert alone[0, 0] == together[1, 1]


# Energy score


@pytest.mark.parametrize("fair", [True, False])
def test_the_energy_score_of_one_channel_is_its_crps(fair):
    truth, samples = draw("random")
    truth, samples = truth[..., :1], samples[..., :1]
    assert energy_score(truth, samples, NO_SCALE, fair) == pytest.approx(crps(truth, samples, NO_SCALE, fair))


def test_the_energy_score_of_one_sample_is_its_error():
    truth, samples = draw("random", N=1)
    expected = np.sqrt(((samples[0] - truth) ** 2).mean(axis=-1)).mean(axis=-1)
    assert energy_score(truth, samples, NO_SCALE) == pytest.approx(expected)


def test_channels_that_do_not_belong_together_pay():
    rng = np.random.default_rng(0)
    common = rng.standard_normal((1, 4000, 1, 1))
    truth = np.broadcast_to(common, (1, 4000, 1, 2)).reshape(4000, 1, 2)
    together = np.repeat(rng.standard_normal((30, 1, 4000, 1, 1)), 2, axis=-1)
    apart = rng.standard_normal((30, 1, 4000, 1, 2))
    assert crps(truth, together, NO_SCALE).mean() == pytest.approx(crps(truth, apart, NO_SCALE).mean(), rel=0.02)
    assert energy_score(truth, together, NO_SCALE).mean() < 0.97 * energy_score(truth, apart, NO_SCALE).mean()


def test_a_grid_counts_like_channels():
    rng = np.random.default_rng(1)
    truth, samples = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((6, 1, 2, 3, 4, 5))
    flat = energy_score(truth.reshape(2, 3, 20), samples.reshape(6, 1, 2, 3, 20), NO_SCALE)
    assert (energy_score(truth, samples, NO_SCALE) == flat).all()


# Quantiles


@pytest.mark.parametrize("N", [1, 2, 7, 20])
@pytest.mark.parametrize(("unbiased", "method"), [(False, "linear"), (True, "weibull")])
def test_quantiles_are_those_of_numpy(N, unbiased, method):
    samples = np.random.default_rng(N).standard_normal((N, 2, 3, 4, 2))
    levels = [0.0, 0.04, 0.25, 0.5, 0.9, 1.0]
    expected = np.quantile(samples, levels, axis=0, method=method)
    assert sample_quantiles(samples, levels, unbiased) == pytest.approx(expected, abs=1e-14)


def test_levels_must_be_probabilities():
    for levels in ([], [0.5, 1.2]):
        with pytest.raises(ConfigError, match="numbers from 0 to 1"):
            quantile_loss(np.zeros((1, 2, 1)), np.zeros((3, 1, 1, 2, 1)), NO_SCALE, levels)


def test_quantile_loss_of_one_sample_and_of_the_median():
    truth, samples = draw("random")
    assert quantile_loss(truth, samples[:1], NO_SCALE) == pytest.approx(mae(truth, samples[0], NO_SCALE))
    middle = mae(truth, np.median(samples, axis=0), NO_SCALE)
    assert quantile_loss(truth, samples, NO_SCALE, [0.5]) == pytest.approx(middle)


def test_many_levels_approach_the_crps():
    truth, samples = draw("random", N=40)
    levels = (np.arange(400) + 0.5) / 400
    plain = crps(truth, samples, NO_SCALE, fair=False)
    assert quantile_loss(truth, samples, NO_SCALE, list(levels)) == pytest.approx(plain, rel=0.03)


# Coverage


@pytest.mark.parametrize("N", [9, 20, 50])
@pytest.mark.parametrize("nominal", [0.5, 0.8])
def test_honest_samples_of_any_number_cover_what_they_say(N, nominal):
    rng = np.random.default_rng(N)
    truth, samples = rng.standard_normal((1, 40_000, 1)), rng.standard_normal((N, 1, 1, 40_000, 1))
    assert coverage(truth, samples, nominal) == pytest.approx(nominal, abs=0.012)


def test_coverage_by_hand():
    truth = np.array([0.0, 5.0, 10.0, 10.1, 3.0]).reshape(1, 5, 1)
    samples = np.broadcast_to(np.arange(11.0).reshape(11, 1, 1, 1, 1), (11, 1, 1, 5, 1))
    # rank 0.1 * 12 - 1 = 0.2 to 9.8
    assert coverage(truth, samples) == pytest.approx(2 / 5)
    assert coverage_error(truth, samples, NO_SCALE) == pytest.approx(0.4)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        coverage(truth, samples, 1.0)


def test_a_forecast_without_samples_covers_nothing_and_the_truth_is_no_fault():
    truth, samples = draw("random", N=1)
    assert coverage_error(truth, samples, NO_SCALE) == pytest.approx(0.8)
    assert (coverage_error(truth, np.broadcast_to(truth, samples.shape), NO_SCALE) == 0).all()


# Spread and skill


@pytest.mark.parametrize("N", [2, 5, 20])
def test_spread_equals_error_where_samples_are_honest(N):
    rng = np.random.default_rng(N)
    truth, samples = rng.standard_normal((1, 60_000, 1)), rng.standard_normal((N, 1, 1, 60_000, 1))
    spread, error = spread_and_error(truth, samples)
    assert spread == pytest.approx(error, rel=0.02)
    assert spread_skill_error(truth, 2 * samples, NO_SCALE) > 0.2
    assert spread_skill_error(truth, samples / 2, NO_SCALE) > 0.2


def test_spread_skill_of_extremes():
    truth, samples = draw("random", N=1)
    assert (spread_skill_error(truth, samples, NO_SCALE) == 1).all()
    assert (spread_skill_error(truth, np.broadcast_to(truth, samples.shape), NO_SCALE) == 0).all()
    spread = np.array([-1.0, 1.0]).reshape(2, 1, 1, 1, 1)
    assert spread_skill_error(truth, truth + spread, NO_SCALE) == pytest.approx(1.0)
