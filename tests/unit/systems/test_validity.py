"""Each validity test on a series it must reject and on one it must pass."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.systems.integrate import integrate
from strangecast.systems.validity.boundedness import boundedness
from strangecast.systems.validity.fixed_point import fixed_point
from strangecast.systems.validity.limit_cycle import limit_cycle
from strangecast.systems.validity.stationarity import stationarity
from strangecast.systems.validity.verdict import Verdict

TESTS = (boundedness, fixed_point, limit_cycle, stationarity)
T = np.arange(3000)


@pytest.fixture(scope="module")
def lorenz():
    def field(t, s):
        x, y, z = s.tolist()
        return np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])

    return integrate(field, np.array([-8.0, -9.0, 25.0]), np.arange(3000) * 0.015).states


@pytest.mark.parametrize("test", TESTS)
def test_lorenz_passes(test, lorenz):
    verdict = test(lorenz)
    assert isinstance(verdict, Verdict)
    assert verdict.passed, verdict


@pytest.mark.parametrize("test", TESTS)
def test_units_and_offsets_do_not_matter(test, lorenz):
    plain, scaled = test(lorenz), test(lorenz * [1e-6, 1.0, 1e6] + [5.0, 0.0, -1e5])
    assert scaled.passed == plain.passed
    assert scaled.statistic == pytest.approx(plain.statistic, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("test", [boundedness, fixed_point, limit_cycle, stationarity])
def test_fields_are_judged_point_by_point(test, lorenz):
    field = np.stack([lorenz, lorenz[::-1]], axis=2)  # [T, C, X]
    assert test(field).passed == (test(lorenz).passed and test(lorenz[::-1]).passed)


def test_non_finite_is_not_bounded(lorenz):
    broken = lorenz.copy()
    broken[7, 1] = np.nan
    assert not boundedness(broken).passed
    assert not boundedness(np.zeros((0, 3))).passed


def test_a_single_far_sample_is_not_bounded(lorenz):
    broken = lorenz.copy()
    broken[1500, 0] = 1e4
    verdict = boundedness(broken)
    assert not verdict.passed
    assert verdict.statistic > 50


def test_a_decaying_spiral_is_a_fixed_point():
    decay = np.exp(-T / 400)
    assert not fixed_point(np.stack([decay * np.cos(T / 10), decay * np.sin(T / 10)], 1)).passed
    assert not fixed_point(np.full((100, 2), 3.7)).passed


def test_one_channel_at_rest_is_no_fixed_point(lorenz):
    assert fixed_point(np.column_stack([lorenz, np.ones(3000)])).passed


@pytest.mark.parametrize("period", [37.3, 99.5, 614.2])
def test_a_limit_cycle_is_rejected_whatever_its_period(period):
    phase = 2 * np.pi * T / period
    verdict = limit_cycle(np.stack([np.cos(phase), np.sin(2 * phase + 1)], 1))
    assert not verdict.passed
    assert verdict.statistic < 5e-3


def test_a_relaxation_oscillation_is_rejected():
    def van_der_pol(t, s):
        x, v = s.tolist()
        return np.array([v, 5 * (1 - x * x) * v - x])

    times = 100 + np.arange(3000) * 0.116  # 100 samples per turn
    states = integrate(van_der_pol, np.array([2.0, 0.0]), np.concatenate([[0.0], times])).states[1:]
    assert not limit_cycle(states).passed


def test_a_torus_is_no_limit_cycle():
    states = np.stack([np.cos(0.061 * T), np.cos(0.061 * np.sqrt(2) * T)], 1)
    assert limit_cycle(states).passed


def test_too_short_for_a_second_turn_passes():
    assert limit_cycle(np.cos(T[:60, None] / 20)).passed


@pytest.mark.parametrize("height", [5.0, 50.0])
def test_a_drift_is_rejected(lorenz, height):
    drift = lorenz / lorenz.std(axis=0)
    drift[:, 1] += height * T / len(T)
    verdict = stationarity(drift)
    assert not verdict.passed
    assert verdict.statistic > 0.7


def test_a_straight_line_has_the_full_drift_share():
    assert stationarity(T[:, None].astype(float)).statistic == pytest.approx(1.0, abs=0.02)


def test_long_random_walks_are_mostly_rejected():
    walks = np.cumsum(np.random.default_rng(5).normal(size=(20, 3000)), axis=1)
    rejected = sum(not stationarity(w[:, None]).passed for w in walks)
    assert rejected >= 8


def test_a_constant_channel_is_stationary(lorenz):
    assert stationarity(np.column_stack([lorenz, np.full(3000, 4.0)])).passed


def test_verdicts_become_json():
    assert Verdict(False, float("inf"), 1.0).to_json() == {"passed": False, "statistic": "inf", "threshold": 1.0}
