"""Every way a trajectory can end, by a case built for it, on every path."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.systems.integrate import STATUSES, Solver
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.lanes.targets import available
from tests.unit.systems.lanes.graphs import CASES, case

pytestmark = pytest.mark.parametrize("path", available())
GROWTH = case(lambda t, y, p: [p[0] * y[0]], [1.0], [1.0], 1.0).graph
POLE = case(lambda t, y, p: [y[0] ** 2], [1.0], [], 1.0).graph
ROOT = case(lambda t, y, p: [p[0] * np.sqrt(p[1] - t) * y[0]], [1.0], [1.0, 1.0], 1.0).graph
CLIFF = case(lambda t, y, p: [-p[0] * np.sign(y[0]) + 1e-3], [1.0], [1.0], 1.0).graph


def ended(found):
    return [STATUSES[s] for s in found.status]


def test_growth_is_diverged_and_kept_until_then(path):
    times = np.linspace(0, 40, 401)
    rates = np.array([[1.0], [0.1], [2.0]])
    found = integrate_ensemble(GROWTH, np.ones((3, 1)), times, rates, Solver(limit=1e6), path=path)
    assert ended(found) == ["diverged", "finished", "diverged"]
    # exp(13.8) = 1e6; the step that passed the limit is left out.
    assert 100 < found.reached[0] < 160
    assert 50 < found.reached[2] < 80
    for b in range(3):
        done = found.reached[b]
        np.testing.assert_allclose(found.states[b, :done, 0], np.exp(rates[b] * times[:done]), rtol=1e-7)
        assert np.isnan(found.states[b, done:]).all()
    assert len(found.trajectory(0).states) == found.reached[0]


def test_an_unbounded_coordinate_may_grow(path):
    free = integrate_ensemble(
        GROWTH, np.ones((1, 1)), np.linspace(0, 40, 41), np.ones(1), bounded=np.array([False]), path=path
    )
    assert free.finished.all()


def test_overflow_is_not_finite_even_where_growth_is_allowed(path):
    found = integrate_ensemble(
        GROWTH, np.ones((1, 1)), np.linspace(0, 800, 41), np.ones(1), bounded=np.array([False]), path=path
    )
    assert ended(found) == ["non-finite"]


def test_a_pole_is_no_success(path):
    found = integrate_ensemble(
        POLE, np.ones((2, 1)), np.linspace(0, 2, 201), np.ones(0), Solver(limit=1e300), path=path
    )
    assert set(ended(found)) <= {"step too small", "non-finite"}
    assert set(found.reached) <= {100, 101}  # the pole is at time 1, which is grid time 100


def test_a_step_that_shrinks_to_nothing(path):
    """A field that jumps to and fro: no step across it passes a tolerance of 1e-14."""
    found = integrate_ensemble(
        CLIFF, np.ones((2, 1)), np.array([1e6, 1e6 + 2]), np.ones(1), Solver(rtol=1e-14, atol=1e-16), path=path
    )
    assert ended(found) == ["step too small"] * 2


def test_an_undefined_slope_is_named_where_it_begins(path):
    begins = np.array([[1.0, 1.0], [0.1, 100.0], [1.0, -1.0], [0.0, -1.0]])
    found = integrate_ensemble(ROOT, np.ones((4, 1)), np.linspace(0, 2, 11), begins, path=path)
    assert ended(found) == ["non-finite", "finished", "non-finite", "non-finite"]
    np.testing.assert_array_equal(found.reached[1:], [11, 1, 1])
    assert 4 <= found.reached[0] <= 6  # the root vanishes at 1, between grid times 5 and 6


def test_a_start_that_is_not_finite(path):
    states = np.array([[1.0, 0.0], [np.nan, 0.0], [0.0, 1.0], [np.inf, 0.0]])
    found = integrate_ensemble(CASES["oscillator"].graph, states, (0.0, 0.1, 30), np.ones(1), path=path)
    assert ended(found) == ["finished", "non-finite", "finished", "non-finite"]
    np.testing.assert_array_equal(found.reached, [30, 0, 30, 0])
    assert np.isnan(found.states[1]).all()


def test_the_budget_counts_evaluations(path):
    solver = Solver(evaluations_per_period=100)
    periods = np.array([500.0, 1.0])
    found = integrate_ensemble(
        CASES["oscillator"].graph, np.eye(2), np.linspace(0, 500, 11), np.ones(1), solver, period=periods, path=path
    )
    assert ended(found) == ["budget exhausted", "finished"]
    assert 100 < found.evaluations[0] < 120
    # Without a period, every 100 samples are one.
    short = integrate_ensemble(
        CASES["oscillator"].graph, np.eye(2), np.linspace(0, 500, 11), np.ones(1), solver, path=path
    )
    assert ended(short) == ["budget exhausted"] * 2


def test_statuses_do_not_disturb_neighbours(path):
    """A batch in which lanes end at all times and for all reasons, against each trajectory alone."""
    rng = np.random.default_rng(5)
    rates = rng.choice([-1.0, 0.3, 1.0, 40.0], (37, 1))
    states = rng.choice([1.0, -2.0, np.nan, 1e-3], (37, 1))
    solver = Solver(limit=1e6, evaluations_per_period=800)
    together = integrate_ensemble(GROWTH, states, (0.0, 0.5, 60), rates, solver, path=path)
    assert len(set(ended(together))) >= 3
    for b in range(37):
        alone = integrate_ensemble(GROWTH, states[b : b + 1], (0.0, 0.5, 60), rates[b], solver, path=path)
        np.testing.assert_array_equal(alone.states[0], together.states[b])
        for field in ("status", "evaluations", "steps", "reached", "next_steps"):
            assert getattr(alone, field)[0] == getattr(together, field)[b]
