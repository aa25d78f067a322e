"""A typical time of a system: the period at which its channels have most power."""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver

_SEGMENTS = 8


def dominant_period(
    system: System, span: float, samples: int = 20_000, *, transient: float | None = None, solver: Solver | None = None
) -> float:
    """The period of the highest peak of the power spectrum, averaged over channels of unit variance.

    Welch's method with 8 half-overlapping Hann windows; the peak is refined by a parabola through the logarithm of its
    neighbours. Take ``span`` to be a hundred turns or more.

    Args:
        system: with an initial condition, at its default parameters.
        span: time to look at.
        samples: of the channels in that time.
        transient: time left out before; a tenth of ``span`` by default.
        solver: tolerances and budget.

    Raises:
        ConfigError: the system cannot be followed for so long, or does not move.
    """
    from scipy.signal import welch

    start = 0.1 * span if transient is None else transient
    times = np.concatenate([[0.0], start + np.linspace(0.0, span, samples)])
    solver = solver or Solver(evaluations_per_period=10**9)
    path = system.simulate(system.initial_condition, times, system.values, solver)
    if not path.finished:
        raise ConfigError(f"system {system.name} cannot be followed for {times[-1]:g} time units: {path.status}")
    seen = system.observe(path.states[1:], system.values)
    spread = seen.std(axis=0)
    moving = spread > 1e-9 * np.abs(seen).max(axis=0)
    if not moving.any():
        raise ConfigError(f"system {system.name} does not move")
    seen = seen[:, moving] / spread[moving]
    length = 2 * samples // (_SEGMENTS + 1)
    frequency, power = welch(seen, fs=(samples - 1) / span, nperseg=length, axis=0)
    power = power.mean(axis=1)
    peak = 1 + int(np.argmax(power[1:-1]))
    a, b, c = np.log(power[peak - 1 : peak + 2])
    shift = 0.5 * (a - c) / (a - 2 * b + c)
    return float(1 / (frequency[peak] + shift * frequency[1]))
