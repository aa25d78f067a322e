"""What the explicit method cannot follow goes to an implicit one, alone, and the result says so."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ConfigError, DataError
from strangecast.core.spec import Channel
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver
from strangecast.systems.lanes.fallback import with_fallback
from strangecast.systems.lanes.simulate import simulate_many
from strangecast.systems.load import load_system
from tests.unit.systems.lanes.graphs import case

# y' = -k (y - cos t): for large k stiff, and the solution is cos t up to 1 / k.
STIFF = case(lambda t, y, p: [-p[0] * (y[0] - np.cos(t))], [1.0], [1.0], 1.0).graph
RATES = np.array([[10.0], [1e7], [3.0], [1e8]])
SOLVER = Solver(rtol=1e-7, atol=1e-9, evaluations_per_period=20_000, fallback="radau")


@pytest.mark.parametrize("method", ["radau", "lsoda"])
@pytest.mark.parametrize("exact", [False, True])
def test_stiff_trajectories_are_made_by_the_implicit_method(method, exact):
    solver = Solver(rtol=1e-7, atol=1e-9, evaluations_per_period=20_000, fallback=method)
    asked = []

    def jacobian(parameters):
        asked.append(parameters[0])
        return lambda t, y: np.array([[-parameters[0]]])

    times = np.linspace(0.0, 6.0, 61)
    found = with_fallback(
        STIFF, np.ones((4, 1)), times, RATES, solver, period=6.0, jacobian=jacobian if exact else None
    )
    assert found.finished.all()
    assert [found.told(b).split(" ")[0] for b in range(4)] == ["lanes", method, "lanes", method]
    assert found.told(1) == f"{method} rtol=1e-07 atol=1e-09: finished"
    assert (found.reached == 61).all()
    assert asked == ([1e7, 1e8] if exact else [])
    np.testing.assert_allclose(found.states[[1, 3], :, 0], np.cos(times)[None].repeat(2, 0), atol=1e-5)
    assert (found.evaluations[[1, 3]] > 20_000).all()  # both tries are counted


def test_without_a_fallback_the_status_stays():
    solver = Solver(rtol=1e-7, atol=1e-9, fallback="none")
    found = with_fallback(STIFF, np.ones((2, 1)), np.linspace(0, 6, 7), RATES[:2], solver, period=6.0)
    assert [found.told(b).rsplit(": ", 1)[1] for b in range(2)] == ["finished", "budget exhausted"]
    assert found.engines == ("lanes dop853 " + found.engines[0].split()[2] + " rtol=1e-07 atol=1e-09",)


def test_a_second_try_that_comes_no_further_is_dropped():
    solver = Solver(rtol=1e-7, atol=1e-9, evaluations_per_period=30)
    found = with_fallback(STIFF, np.ones((1, 1)), np.linspace(0, 60, 601), RATES[:1], solver, period=60.0)
    alone = with_fallback(
        STIFF, np.ones((1, 1)), np.linspace(0, 60, 601), RATES[:1], Solver(rtol=1e-7, atol=1e-9, evaluations_per_period=30, fallback="none"), period=60.0
    )  # fmt: skip
    assert found.told(0) == alone.told(0)
    np.testing.assert_array_equal(found.states, alone.states)


def test_each_trajectory_keeps_its_own_grid():
    found = with_fallback(
        STIFF, np.ones((2, 1)), (np.array([0.0, np.pi]), np.array([0.1, 0.2]), 11), np.array([1e7]), SOLVER, period=2.0
    )
    np.testing.assert_allclose(found.states[1, 1:, 0], np.cos(np.pi + 0.2 * np.arange(1, 11)), atol=1e-5)


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="'radau'"):
        Solver(fallback="radaus")


def test_a_system_with_a_graph_is_simulated_in_lanes():
    lorenz = load_system("Lorenz")
    states = lorenz.initial_condition * np.array([[1.0], [1.01], [0.99]])
    times = np.linspace(0, lorenz.period, 50)
    many = simulate_many(lorenz, states, times, lorenz.values)
    assert many.told(2).startswith("lanes dop853 ")
    assert many.finished.all()
    one = lorenz.simulate(states[1], times, lorenz.values, Solver())
    np.testing.assert_allclose(many.states[1], one.states, rtol=1e-7)
    implicit = simulate_many(lorenz, states[:1], times[:10], lorenz.values, Solver(name="radau"))
    assert implicit.told(0) == "radau rtol=1e-09 atol=1e-10: finished"
    np.testing.assert_allclose(implicit.states[0], many.states[0, :10], rtol=1e-6)


class Plain(System):
    """A system without a graph."""

    name, dim, channels, parameters = "plain", 1, (Channel("x"),), ("k",)
    values, bounded, period = np.array([1.0]), np.array([True]), 1.0

    def rhs(self, t, state, parameters):
        return -parameters[..., :1] * state


def test_a_system_without_a_graph_is_simulated_one_by_one():
    found = simulate_many(Plain(), np.array([[1.0], [np.inf]]), (0.0, 0.5, 3), np.array([[1.0], [2.0]]))
    assert [found.told(b) for b in range(2)] == [
        "dop853 rtol=1e-09 atol=1e-10: " + s for s in ("finished", "non-finite")
    ]
    np.testing.assert_allclose(found.states[0, :, 0], np.exp([0, -0.5, -1.0]), rtol=1e-8)
    assert np.isnan(found.states[1]).all()
    with pytest.raises(DataError, match=r"\[B, D\]"):
        simulate_many(Plain(), np.array([1.0]), (0.0, 0.5, 3), np.array([1.0]))
