"""Where measurements of exponents begin: several states on the attractor, and how far each coordinate moves there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from strangecast.core.streams import stream
from strangecast.systems.attractor import PERTURBATION
from strangecast.systems.base import System
from strangecast.systems.integrate import STATUSES, Solver
from strangecast.systems.lanes.ensemble import integrate_ensemble

COARSE_RTOL = 1e-7
_PILOT_PERIODS, _PILOT_SAMPLES = 10, 500
_EXHAUSTED = STATUSES.index("budget exhausted")


@dataclass(frozen=True)
class Starts:
    """Letters: N initial conditions, D coordinates.

    Attributes:
        time: at which the states hold.
        states: [N, D].
        scale: [D] standard deviations of the coordinates over ten periods, 1 where one does not move.
    """

    time: float
    states: np.ndarray
    scale: np.ndarray


def starts_on_attractor(
    system: System,
    parameters: np.ndarray,
    parameter_index: int,
    count: int,
    transient_periods: float,
    solver: Solver,
    once: bool = False,
) -> Starts | None:
    """N = ``count`` states after transients of their own, fewer where some cannot be followed, None where half cannot.

    As in ``attractor.py``, the catalogued initial condition is perturbed and the transient has a random length; where
    the field depends on time, all transients are equally long. ``once``: nobody will ask for this graph again. Keys are ``("ic", system, parameter_index, "lyapunov",
    n)``.
    """
    draws = [stream("ic", system.name, parameter_index, "lyapunov", n) for n in range(count)]
    first = np.array([system.initial_condition * (1 + PERTURBATION * g.standard_normal(system.dim)) for g in draws])
    turns = np.array([transient_periods * (1 + 0.5 * g.random()) for g in draws])
    if not system.graph.autonomous:
        turns[:] = 1.5 * transient_periods
    settings = {"bounded": system.bounded, "period": system.period, "once": once}
    lengths = turns * system.period
    transient = integrate_ensemble(system.graph, first, (0.0, lengths, 2), parameters, solver, **settings)
    if not enough(transient.finished) and (transient.status == _EXHAUSTED).any() and solver.rtol < COARSE_RTOL:
        # Sliding along a surface costs steps as short as the tolerance.
        solver = replace(solver, rtol=COARSE_RTOL, atol=0.1 * COARSE_RTOL)
        transient = integrate_ensemble(system.graph, first, (0.0, lengths, 2), parameters, solver, **settings)
    sound = transient.finished
    if not enough(sound):
        return None
    begin = 0.0 if system.graph.autonomous else float(lengths[0])
    step = _PILOT_PERIODS * system.period / _PILOT_SAMPLES
    pilot = integrate_ensemble(
        system.graph, transient.states[sound, 1], (begin, step, _PILOT_SAMPLES + 1), parameters, solver, **settings
    )
    sound = pilot.finished
    if not enough(sound):
        return None
    paths = pilot.states[sound]
    scale = np.sqrt(paths.var(axis=1).mean(axis=0))
    still = scale <= 1e-12 * np.abs(paths).max(axis=(0, 1))
    return Starts(begin + _PILOT_SAMPLES * step, paths[:, -1].copy(), np.where(still, 1.0, scale))


def enough(sound: np.ndarray) -> bool:
    """Whether more than half of the initial conditions could be followed."""
    return 2 * int(np.sum(sound)) > len(sound)


def means_and_errors(rates: np.ndarray, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean over N initial conditions and B blocks of time of ``rates`` [N, B, ...], and its standard error.

    Blocks that are NaN are left out; each initial condition has one that is not.

    The error has two parts. One is from spread, the larger one of that of initial conditions (what weakly mixing and
    conservative flows have) and that of all blocks (what few initial conditions cannot tell). The other is ``1 /
    time``, whatever the number of initial conditions: vectors that are not fully turned, a norm that suits the end better
    than the start, and the shear of regular motion, which lets vectors grow with time to the first power, change the
    whole growth by factors of two to ten.
    """
    n, blocks = rates.shape[:2]
    pooled = rates.reshape(n * blocks, *rates.shape[2:])
    counts = np.isfinite(pooled).sum(axis=0)
    spread = np.nanstd(pooled, axis=0, ddof=1) / np.sqrt(counts)
    if n > 1:
        spread = np.maximum(spread, np.nanmean(rates, axis=1).std(axis=0, ddof=1) / np.sqrt(n))
    return np.nanmean(pooled, axis=0), np.hypot(spread, 1 / time)
