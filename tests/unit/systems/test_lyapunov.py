"""The largest exponent of systems where it is known, and of one parameter set by every method."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.core.spec import Channel
from strangecast.systems.base import System
from strangecast.systems.benettin import divergence_rates
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system
from strangecast.systems.lyapunov import average, largest_exponent


class Linear(System):
    """x' = A x: the exponent is the largest real part of an eigenvalue of A."""

    def __init__(self, matrix):
        self.name = "linear"
        self.matrix = np.asarray(matrix, float)
        self.dim = len(self.matrix)
        self.channels = tuple(Channel(f"x{i}") for i in range(self.dim))
        self.values = np.zeros(0)
        self.period = 1.0
        self.initial_condition = np.ones(self.dim)
        self.bounded = np.ones(self.dim, bool)

    def rhs(self, t, state, parameters):
        return state @ self.matrix.T


def test_linear_system():
    system = Linear([[-0.05, 1.0, 0.0], [-1.0, -0.05, 0.0], [0.0, 0.0, -0.3]])
    found = largest_exponent(system, system.values, periods=60)
    assert found.value == pytest.approx(-0.05, abs=0.005)
    assert found.method == "two trajectories"


def test_known_exponent_is_taken_as_it_is():
    system = Linear([[-1.0]])
    system.lyapunov = 0.25
    assert largest_exponent(system, system.values).value == 0.25


def test_growth_of_a_saddle():
    rates = divergence_rates(
        lambda t, y: np.array([0.5 * y[0], -y[1]]),
        np.zeros(2),
        np.ones(2),
        np.array([0.1, 1.0]),
        interval=1.0,
        count=40,
        separation=1e-8,
        rtol=1e-9,
        budget=10**6,
    )
    assert rates[-1] == pytest.approx(0.5, abs=1e-6)
    assert rates[0] < 0.0  # it starts along the stable direction


def test_lorenz():
    system = load_system("Lorenz")
    found = largest_exponent(system, system.values)
    assert 0 < found.standard_error < 0.01
    assert abs(found.value - 0.906) < 3 * found.standard_error
    assert found.method == "tangent"


class Lorenz(Linear):
    """A vector field and nothing else."""

    def __init__(self):
        super().__init__(np.eye(3))
        self.name, self.period, self.initial_condition = "plain", 0.65, np.array([-9.8, -16.0, 14.0])

    def rhs(self, t, state, parameters):
        x, y, z = np.moveaxis(state, -1, 0)
        return np.stack([10 * (y - x), x * (28 - z) - y, x * y - 2.667 * z], axis=-1)


def test_lorenz_without_a_graph():
    system = load_system("Lorenz")
    expected = largest_exponent(system, system.values)
    found = largest_exponent(Lorenz(), np.zeros(0), periods=100)
    assert found.method == "two trajectories"
    assert abs(found.value - expected.value) < 3 * np.hypot(found.standard_error, expected.standard_error)


def test_a_delay_flow():
    system = load_system("SprottDelay")
    found = largest_exponent(system, system.values, periods=100)
    assert found.method == "tangent functions"
    assert found.value > 2 * found.standard_error > 0


def test_parameters_count():
    system = load_system("Lorenz")
    still = system.values.copy()
    still[system.parameters.index("rho")] = 10.0  # both fixed points are stable
    assert largest_exponent(system, still, periods=50).value < -0.1


def test_the_same_key_gives_the_same_bits():
    system = load_system("Rossler")
    settings = {"periods": 20, "transient_periods": 5}
    first = largest_exponent(system, system.values, **settings)
    assert first == largest_exponent(load_system("Rossler"), system.values, **settings)
    assert first != largest_exponent(system, system.values, parameter_index=1, **settings)


def test_what_has_nothing_to_integrate_is_refused():
    system = Linear([[-1.0]])
    system.period = None
    with pytest.raises(ConfigError, match="period"):
        largest_exponent(system, system.values)


def test_a_graph_that_escapes_has_no_exponent():
    system = load_system("Rossler")
    away = largest_exponent(system, system.values, periods=20, solver=Solver(limit=2.0))
    assert np.isnan(away.value)
    assert np.isnan(away.standard_error)


def test_standard_error_of_independent_rates():
    rng = np.random.default_rng(3)
    found = average(rng.normal(1.0, 2.0, 40_000))
    assert found.value == pytest.approx(1.0, abs=0.05)
    assert found.standard_error == pytest.approx(0.01, rel=0.5)


def test_a_flow_that_escapes_has_no_exponent():
    system = Linear([[3.0]])
    assert np.isnan(largest_exponent(system, system.values, periods=60).value)
