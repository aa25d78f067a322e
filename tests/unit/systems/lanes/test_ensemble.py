"""Ensembles in lanes against exact solutions and SciPy, and what a caller may ask of them."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ConfigError, DataError
from strangecast.systems.graph import Graph, Node
from strangecast.systems.integrate import Solver, integrate
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.lanes.targets import available
from strangecast.systems.numpy_field import bound
from tests.unit.systems.lanes.graphs import CASES, starts

OSCILLATOR = CASES["oscillator"]


@pytest.mark.parametrize("path", available())
def test_harmonic_oscillators_are_exact_to_the_tolerance(path):
    rng = np.random.default_rng(1)
    states, rates = rng.standard_normal((19, 2)), rng.uniform(0.5, 2.0, (19, 1))
    found = integrate_ensemble(OSCILLATOR.graph, states, (0.0, 0.05, 801), rates, path=path)
    assert found.finished.all()
    assert (found.reached == 801).all()
    angle = rates * np.arange(801) * 0.05
    exact = states[:, :1] * np.cos(angle) + states[:, 1:] / rates * np.sin(angle)
    np.testing.assert_allclose(found.states[:, :, 0], exact, atol=1e-7)
    np.testing.assert_array_equal(found.states[:, 0], states)


def test_error_falls_with_the_tolerance():
    errors = []
    for rtol in (1e-4, 1e-7, 1e-10, 1e-13):
        found = integrate_ensemble(
            OSCILLATOR.graph,
            np.array([[1.0, 0.0]]),
            (0.0, 0.2, 101),
            OSCILLATOR.parameters,
            Solver(rtol=rtol, atol=rtol),
        )
        errors.append(np.abs(found.states[0, :, 0] - np.cos(0.2 * np.arange(101))).max())
    assert errors[0] > 100 * errors[1] > 1e4 * errors[2] > 1e6 * errors[3]


@pytest.mark.parametrize("name", CASES)
def test_steps_are_those_of_scipy(name):
    """The same step control: after one period the same number of evaluations, and states that agree."""
    case = CASES[name]
    times = np.arange(101) * case.period / 100
    solver = Solver(rtol=1e-13, atol=1e-14)
    states = starts(case, 3)
    found = integrate_ensemble(case.graph, states, times, case.parameters, solver, period=case.period)
    for b in range(3):
        theirs = integrate(bound(case.graph, case.parameters), states[b], times, solver, period=case.period)
        assert theirs.finished
        assert found.finished[b]
        size = np.abs(theirs.states).max(axis=0)
        assert (np.abs(found.states[b] - theirs.states) / size).max() < 2e-11
        # Errors near the rounding of a double decide some steps differently, and more of them at a kink.
        assert found.evaluations[b] == pytest.approx(theirs.evaluations, rel=0.02 if case.graph.smooth else 0.1)


@pytest.mark.parametrize("name", ["lorenz", "pendulum", "ring"])
def test_at_a_usual_tolerance_every_step_is_that_of_scipy(name):
    case = CASES[name]
    states, times = starts(case, 4), np.arange(101) * case.period / 100
    found = integrate_ensemble(case.graph, states, times, case.parameters, period=case.period)
    for b in range(4):
        theirs = integrate(bound(case.graph, case.parameters), states[b], times, period=case.period)
        assert found.evaluations[b] == theirs.evaluations
        np.testing.assert_allclose(found.states[b], theirs.states, rtol=1e-9, atol=1e-9)


def test_values_do_not_depend_on_the_grid_between_the_ends():
    case = CASES["lorenz"]
    fine, coarse = (
        integrate_ensemble(case.graph, starts(case, 9), (0.0, 0.25**k, 4**k * 2 + 1), case.parameters) for k in (3, 2)
    )
    np.testing.assert_array_equal(fine.states[:, ::4], coarse.states)


def test_a_list_of_times_and_its_spacing_give_the_same_bits():
    case = CASES["pendulum"]
    spacing = case.period / 57
    spaced = integrate_ensemble(case.graph, starts(case, 5), (2.0, spacing, 60), case.parameters)
    times = 2.0 + np.arange(60) * spacing
    listed = integrate_ensemble(case.graph, starts(case, 5), times, case.parameters)
    uneven = integrate_ensemble(case.graph, starts(case, 5), np.delete(times, [3, 4, 17]), case.parameters)
    np.testing.assert_array_equal(spaced.states, listed.states)
    np.testing.assert_array_equal(np.delete(spaced.states, [3, 4, 17], axis=1), uneven.states)


def test_each_trajectory_has_its_own_grid():
    case = CASES["pendulum"]
    states, begin, spacing = starts(case, 11), np.linspace(-3.0, 4.0, 11), np.linspace(0.05, 0.3, 11)
    together = integrate_ensemble(case.graph, states, (begin, spacing, 40), case.parameters)
    for b in (0, 5, 10):
        alone = integrate_ensemble(case.graph, states[b : b + 1], (begin[b], spacing[b], 40), case.parameters)
        np.testing.assert_array_equal(together.states[b], alone.states[0])
    exact = integrate(bound(case.graph, case.parameters), states[10], begin[10] + spacing[10] * np.arange(40))
    np.testing.assert_allclose(together.states[10], exact.states, atol=1e-7)


@pytest.mark.parametrize("path", available())
def test_the_last_grid_time_is_reached_whatever_its_rounding(path):
    rng = np.random.default_rng(2)
    begin, spacing = rng.standard_normal(500) * 10.0 ** rng.integers(-3, 4, 500), rng.uniform(0.01, 0.3, 500)
    found = integrate_ensemble(OSCILLATOR.graph, np.ones((500, 2)), (begin, spacing, 23), np.ones(1), path=path)
    assert found.finished.all()
    assert (found.reached == 23).all()
    assert np.isfinite(found.states).all()


def test_many_grid_times_in_one_step_and_many_steps_between_two():
    case = CASES["lorenz"]
    dense = integrate_ensemble(case.graph, starts(case, 8), (0.0, 1e-4, 3001), case.parameters)
    ends = integrate_ensemble(case.graph, starts(case, 8), (0.0, 0.3, 2), case.parameters)
    assert dense.steps.max() < 50
    np.testing.assert_allclose(dense.states[:, -1], ends.states[:, -1], rtol=1e-12)
    assert (ends.evaluations < dense.evaluations).all()


def test_one_time_and_no_trajectory():
    one = integrate_ensemble(OSCILLATOR.graph, np.array([[1.0, 2.0], [np.nan, 0.0]]), np.array([3.0]), np.array([1.0]))
    np.testing.assert_array_equal(one.reached, [1, 0])
    assert [one.trajectory(i).status for i in range(2)] == ["finished", "non-finite"]
    assert integrate_ensemble(OSCILLATOR.graph, np.zeros((0, 2)), (0.0, 1.0, 5), np.ones(1)).states.shape == (0, 5, 2)


def test_going_on_takes_the_step_that_was_reached():
    case = CASES["lorenz"]
    solver = Solver(rtol=1e-10, atol=1e-10)
    half = integrate_ensemble(case.graph, starts(case, 6), (0.0, 0.5, 3), case.parameters, solver)
    rest = integrate_ensemble(
        case.graph, half.states[:, -1], (0.0, 0.5, 3), case.parameters, solver, first_steps=half.next_steps
    )
    anew = integrate_ensemble(case.graph, half.states[:, -1], (0.0, 0.5, 3), case.parameters, solver)
    assert rest.finished.all()
    assert (rest.steps <= anew.steps).all()
    assert rest.steps.sum() < anew.steps.sum()
    np.testing.assert_allclose(rest.states, anew.states, rtol=1e-7)


def test_a_given_array_is_filled():
    case = CASES["rossler"]
    out = np.zeros((3, 20, 3))
    found = integrate_ensemble(case.graph, starts(case, 3), (0.0, 0.1, 20), case.parameters, out=out)
    assert found.states is out
    assert np.abs(out[:, -1]).min() > 0
    with pytest.raises(DataError, match="writable, contiguous"):
        integrate_ensemble(case.graph, starts(case, 3), (0.0, 0.1, 21), case.parameters, out=out)


def test_arrays_that_may_not_be_written_are_read():
    case = CASES["rossler"]
    states, parameters, times = starts(case, 3), case.parameters.copy(), np.linspace(0, 1, 9) ** 2
    for array in (states, parameters, times):
        array.setflags(write=False)
    assert integrate_ensemble(case.graph, states[::-1], times, parameters).finished.all()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"states": np.zeros((2, 3))}, r"states must be \[B, 2\], found \[2, 3\]"),
        ({"parameters": np.zeros((3, 1))}, r"parameters must be \[1\] or \[2, 1\]"),
        ({"parameters": np.array([[1.0], [np.nan]])}, "parameter 0 of trajectory 1 is nan"),
        ({"times": np.array([0.0, 1.0, 1.0])}, "increase"),
        ({"times": (0.0, -0.1, 4)}, "increase"),
        ({"times": (1e17, 0.1, 4)}, "increase"),
        ({"times": np.array([])}, "at least one"),
        ({"times": np.zeros((2, 2))}, r"\[T\]"),
        ({"times": (np.zeros(3), 0.1, 4)}, r"\[2\]"),
        ({"bounded": np.ones(3, bool)}, r"bounded must be \[2\]"),
        ({"period": np.ones(3)}, r"period must be a number or \[2\]"),
        ({"period": 0.0}, "positive"),
        ({"first_steps": np.array([0.1, -0.1])}, "first_steps"),
    ],
)
def test_what_does_not_fit_is_named(change, told):
    usual = {"states": np.ones((2, 2)), "times": (0.0, 0.1, 4), "parameters": np.ones(1)} | change
    graph = OSCILLATOR.graph
    with pytest.raises(DataError, match=told):
        integrate_ensemble(graph, usual.pop("states"), usual.pop("times"), usual.pop("parameters"), **usual)


def test_what_is_no_ode_is_refused():
    lagged = Graph((Node("constant", (), 1.0), Node("delayed", (0,), 0)), (1,), 1, 0)
    with pytest.raises(ConfigError, match="1 lags is no ODE"):
        integrate_ensemble(lagged, np.ones((1, 1)), (0.0, 1.0, 2), np.ones(0))
    with pytest.raises(ConfigError, match="not by 'radau'"):
        integrate_ensemble(OSCILLATOR.graph, np.ones((1, 2)), (0.0, 1.0, 2), np.ones(1), Solver(name="radau"))
