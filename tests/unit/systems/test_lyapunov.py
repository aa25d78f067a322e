"""The largest exponent of systems where it is known."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.spec import Channel
from strangecast.systems.base import System
from strangecast.systems.load import load_system
from strangecast.systems.lyapunov import average, divergence_rates, largest_exponent


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
    assert 0 < found.standard_error < 0.03
    assert abs(found.value - 0.906) < 3 * found.standard_error
    assert found.value == pytest.approx(0.906, rel=0.05)


def test_the_same_key_gives_the_same_bits():
    system = load_system("Rossler")
    settings = {"periods": 20, "transient_periods": 5}
    first = largest_exponent(system, system.values, **settings)
    assert first == largest_exponent(load_system("Rossler"), system.values, **settings)
    assert first != largest_exponent(system, system.values, parameter_index=1, **settings)


def test_standard_error_of_independent_rates():
    rng = np.random.default_rng(3)
    found = average(rng.normal(1.0, 2.0, 40_000))
    assert found.value == pytest.approx(1.0, abs=0.05)
    assert found.standard_error == pytest.approx(0.01, rel=0.5)


def test_a_flow_that_escapes_has_no_exponent():
    system = Linear([[3.0]])
    assert np.isnan(largest_exponent(system, system.values, periods=60).value)
