"""Trajectories for tests of validity tests: flows at their default parameters, and failures of every sort."""

from __future__ import annotations

from functools import cache

import numpy as np

from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.load import load_system

T = 3072
TURNS = 30
_TIME = np.arange(T) / T


@cache
def flow(
    name: str, transient: float = 20.0, length: int = T, per_turn: float = 100.0, **parameters: float
) -> np.ndarray:
    """[T, C] of a catalogued flow at its default parameters, or with some of them replaced."""
    system = load_system(name)
    values = system.values.copy()
    for key, value in parameters.items():
        values[system.parameters.index(key)] = value
    times = np.concatenate([[0.0], transient + np.arange(length) / per_turn]) * system.period
    path = integrate_ensemble(
        system.graph, system.initial_condition[None], times, values, bounded=system.bounded, period=system.period
    )
    assert path.finished.all(), path.told(0)
    states = np.ascontiguousarray(system.observe(path.states[0, 1:], values))
    states.setflags(write=False)
    return states


def standard(values: np.ndarray) -> np.ndarray:
    """Each channel centred, in units of its standard deviation."""
    return (values - values.mean(axis=0)) / values.std(axis=0)


def drift(height: float = 6.0) -> np.ndarray:
    """Lorenz with one channel on a ramp of ``height`` standard deviations."""
    x = standard(flow("Lorenz"))
    x[:, 1] += height * _TIME
    return x


def ramp() -> np.ndarray:
    """Three straight lines."""
    return np.outer(_TIME, [1.0, -2.0, 0.5]) + np.array([0.0, 1.0, 2.0])


def approach(distance: float = 10.0) -> np.ndarray:
    """Lorenz that starts ``distance`` standard deviations away and comes home within a tenth of the record."""
    return standard(flow("Lorenz")) + distance * np.exp(-_TIME / 0.03)[:, None] * [1.0, 0.5, -1.0]


def escape() -> np.ndarray:
    """Lorenz that leaves exponentially at the end."""
    return standard(flow("Lorenz")) + np.exp((_TIME - 0.9) / 0.02)[:, None] * [1.0, 1.0, 0.0]


def spiral(rate: float) -> np.ndarray:
    """A linear focus: the swing changes by the factor exp(rate) over the record."""
    phase = 2 * np.pi * TURNS * _TIME
    return np.exp(rate * _TIME)[:, None] * np.stack([np.cos(phase), np.sin(phase), np.cos(phase + 1)], axis=1)


def cycle() -> np.ndarray:
    """A harmonic oscillation with an overtone, of a period that is no multiple of the interval."""
    phase = 2 * np.pi * T / 97.3 * _TIME
    return np.stack([np.cos(phase), np.sin(2 * phase + 1), np.exp(np.sin(phase))], axis=1)


def relaxation() -> np.ndarray:
    """Van der Pol at mu = 10: jumps within a sample or two."""
    return flow("van_der_pol", mu=10.0)


def settling() -> np.ndarray:
    """Chaos for a third of the record, then a cycle: the Rossler flow as it is, and in its window of period three."""
    chaotic, periodic = flow("Rossler"), flow("Rossler", transient=300.0, c=5.38)
    return np.concatenate([chaotic[: T // 3], periodic[: T - T // 3]])


def torus() -> np.ndarray:
    """Two incommensurate oscillations."""
    a, b = 2 * np.pi * TURNS * _TIME, 2 * np.pi * TURNS * np.sqrt(2) * _TIME
    return np.stack([np.cos(a) + 0.5 * np.sin(b), np.sin(a), np.cos(b)], axis=1)


def linear() -> np.ndarray:
    """Two coupled springs: a linear system without damping."""
    phase = 2 * np.pi * TURNS * _TIME
    slow, fast = np.cos(phase), np.cos(np.sqrt(3) * phase + 0.4)
    return np.stack([slow + fast, slow - fast, np.sin(phase)], axis=1)


def rest() -> np.ndarray:
    """At one point all along."""
    return np.full((T, 3), 3.7)


def stuck() -> np.ndarray:
    """Lorenz with one dead channel."""
    x = flow("Lorenz").copy()
    x[:, 2] = 4.0
    return x


def broken() -> np.ndarray:
    """Lorenz with one sample missing."""
    x = flow("Lorenz").copy()
    x[700, 1] = np.nan
    return x


def copies() -> np.ndarray:
    """One chaotic channel three times."""
    return np.outer(flow("Lorenz")[:, 0], [1.0, -3.0, 0.1])
