"""The integrator against exact solutions, and every exit status by a case built for it."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.systems.integrate import Solver, integrate


def oscillator(t, y):
    return np.array([y[1], -y[0]])


def test_harmonic_oscillator_is_exact_to_the_tolerance():
    times = np.linspace(0.0, 50.0, 1001)
    path = integrate(oscillator, np.array([1.0, 0.0]), times, Solver())
    assert path.finished
    assert path.states.shape == (1001, 2)
    np.testing.assert_allclose(path.states[:, 0], np.cos(times), atol=2e-8)
    np.testing.assert_allclose(path.states[:, 1], -np.sin(times), atol=2e-8)


def test_error_falls_with_the_tolerance():
    times = np.linspace(0.0, 20.0, 101)
    errors = []
    for rtol in (1e-5, 1e-8, 1e-11):
        path = integrate(oscillator, np.array([1.0, 0.0]), times, Solver(rtol=rtol, atol=rtol / 10))
        errors.append(np.abs(path.states[:, 0] - np.cos(times)).max())
    assert errors[0] > 30 * errors[1] > 900 * errors[2]


def test_values_do_not_depend_on_the_grid_between_the_ends():
    fine = integrate(oscillator, np.array([1.0, 0.3]), np.linspace(0, 10, 401))
    coarse = integrate(oscillator, np.array([1.0, 0.3]), np.linspace(0, 10, 101))
    np.testing.assert_array_equal(fine.states[::4], coarse.states)


def test_a_solution_that_grows_is_diverged_and_kept_until_then():
    path = integrate(lambda t, y: y, np.array([1.0]), np.linspace(0, 40, 401), Solver(limit=1e6))
    assert path.status == "diverged"
    assert 100 < len(path.states) < 160  # exp(13.8) = 1e6
    np.testing.assert_allclose(path.states[:, 0], np.exp(np.linspace(0, 40, 401)[: len(path.states)]), rtol=1e-7)


def test_an_unbounded_coordinate_may_grow():
    path = integrate(lambda t, y: np.array([1e7]), np.array([0.0]), np.array([0.0, 1.0]), bounded=np.array([False]))
    assert path.finished


def test_a_pole_is_no_success():
    path = integrate(lambda t, y: y**2, np.array([1.0]), np.linspace(0, 2, 201), Solver(limit=1e300))
    assert path.status in ("step too small", "non-finite")
    assert np.isfinite(path.states).all()


def test_undefined_slope_is_named():
    path = integrate(lambda t, y: np.sqrt(1.0 - t) * y, np.array([1.0]), np.linspace(0, 2, 11))
    assert path.status == "non-finite"


def test_budget_counts_evaluations():
    solver = Solver(evaluations_per_period=100)
    path = integrate(oscillator, np.array([1.0, 0.0]), np.linspace(0, 500, 11), solver, period=500.0)
    assert path.status == "budget exhausted"
    assert 100 < path.evaluations < 200


def test_a_slope_undefined_at_the_start_is_named_at_once():
    path = integrate(lambda t, y: np.sqrt(-1.0 - t) * y, np.array([1.0]), np.linspace(0, 2, 11))
    assert (path.status, len(path.states), path.evaluations) == ("non-finite", 1, 1)


@pytest.mark.parametrize("name", ["radau", "lsoda"])
@pytest.mark.parametrize("exact", [True, False])
def test_implicit_methods_follow_a_stiff_equation(name, exact):
    def field(t, y):
        return np.array([-1e6 * (y[0] - np.cos(t))])

    times = np.linspace(0.0, 6.0, 301)
    solver = Solver(name=name, rtol=1e-8, atol=1e-10)
    path = integrate(
        field, np.array([1.0]), times, solver, period=6.0, jacobian=(lambda t, y: [[-1e6]]) if exact else None
    )
    assert path.finished
    assert path.evaluations < 20_000
    np.testing.assert_allclose(path.states[:, 0], np.cos(times), atol=2e-6)
    explicit = integrate(field, np.array([1.0]), times, Solver(rtol=1e-8, atol=1e-10), period=6.0)
    assert explicit.status == "budget exhausted"


@pytest.mark.parametrize("name", ["radau", "lsoda"])
def test_implicit_methods_end_as_the_explicit_one_does(name):
    solver = Solver(name=name, limit=1e6)
    grown = integrate(lambda t, y: y, np.array([1.0]), np.linspace(0, 40, 401), solver)
    assert grown.status == "diverged"
    assert 100 < len(grown.states) < 160
    rooted = integrate(lambda t, y: np.sqrt(1.0 - t) * y, np.array([1.0]), np.linspace(0, 2, 11), solver)
    assert rooted.status in ("non-finite", "step too small")
    spent = integrate(
        oscillator,
        np.array([1.0, 0.0]),
        np.linspace(0, 500, 11),
        Solver(name=name, evaluations_per_period=100),
        period=500.0,
    )
    assert spent.status == "budget exhausted"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"name": "dop854"}, "dop853"),
        ({"rtoll": 1e-9}, "'rtol'"),
        ({"rtol": 0.0}, "rtol"),
        ({"fallback": "lsod"}, "'lsoda'"),
        ({"limit": -1.0}, "limit"),
        ({"evaluations_per_period": 0}, "evaluations_per_period"),
    ],
)
def test_wrong_settings_are_named(config, told):
    with pytest.raises(ConfigError, match=told):
        Solver.from_config(config)
