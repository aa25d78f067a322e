"""Largest Lyapunov exponent from two nearby trajectories, rescaled again and again.

Both trajectories are integrated as one state of size 2 D, hence with the same steps, so that truncation errors cancel
in their difference. This needs no Jacobian and holds for vector fields with jumps. Averages over blocks of time give
the standard error.

Source: G. Benettin, L. Galgani, J.-M. Strelcyn, Phys. Rev. A 14 (1976) 2338.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from strangecast.core.streams import stream
from strangecast.systems.attractor import on_attractor
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver

_BLOCKS = 20


@dataclass(frozen=True)
class Exponent:
    """A measured exponent per time unit, with its standard error; both NaN where the flow could not be followed."""

    value: float
    standard_error: float


def largest_exponent(
    system: System,
    parameters: np.ndarray,
    *,
    parameter_index: int = 0,
    periods: float = 300.0,
    transient_periods: float = 20.0,
    separation: float = 1e-8,
    steps_per_period: float = 4.0,
    rtol: float = 1e-7,
    solver: Solver | None = None,
) -> Exponent:
    """The largest exponent of one parameter set.

    Args:
        system: with a vector field, an initial condition and a period.
        parameters: [P].
        parameter_index: keys the initial condition and the direction of the separation.
        periods: length of the average; the standard error falls with its square root.
        transient_periods: of the start, before anything is measured.
        separation: distance of the two trajectories, each coordinate in units of its standard deviation.
        steps_per_period: rescalings in one period. Growth over one interval must leave the distance far below 1.
        rtol: tolerance of the pair (exponents need less than trajectories).
        solver: of the transient, and the budget.
    """
    if system.lyapunov is not None:
        return Exponent(float(system.lyapunov), 0.0)
    failed = Exponent(math.nan, math.nan)
    solver = solver or Solver()
    start = on_attractor(system, parameters, parameter_index, "lyapunov", transient_periods, solver)
    if not start.finished:
        return failed
    pilot_times = np.linspace(0.0, 10 * system.period, 500)
    pilot = system.simulate(start.states[-1], pilot_times, parameters, solver)
    if not pilot.finished:
        return failed
    scale = pilot.states.std(axis=0)
    scale = np.where(scale > 1e-12 * np.abs(pilot.states).max(axis=0), scale, 1.0)
    direction = stream("lyapunov", system.name, parameter_index).standard_normal(system.dim)
    growth = divergence_rates(
        system.bind(parameters),
        start.states[-1],
        scale,
        direction,
        interval=system.period / steps_per_period,
        count=max(_BLOCKS, math.ceil(1.1 * periods * steps_per_period)),
        separation=separation,
        rtol=rtol,
        budget=int(1.1 * periods * solver.evaluations_per_period),
    )
    if growth is None:
        return failed
    # The first tenth turns the separation into the fastest direction.
    return average(growth[len(growth) // 11 :])


def average(rates: np.ndarray) -> Exponent:
    """Mean of local rates [n] with the standard error from the means of 20 consecutive blocks."""
    usable = len(rates) // _BLOCKS * _BLOCKS
    blocks = rates[len(rates) - usable :].reshape(_BLOCKS, -1).mean(axis=1)
    return Exponent(float(blocks.mean()), float(blocks.std(ddof=1) / math.sqrt(_BLOCKS)))


def divergence_rates(
    field: Callable[[float, np.ndarray], np.ndarray],
    state: np.ndarray,
    scale: np.ndarray,
    direction: np.ndarray,
    *,
    interval: float,
    count: int,
    separation: float,
    rtol: float,
    budget: int,
) -> np.ndarray | None:
    """Growth rates [count] of a small separation over consecutive intervals, or None where it cannot be followed.

    Args:
        field: right-hand side of one state [D].
        state: [D], where to start.
        scale: [D], units in which distances are measured.
        direction: [D], first direction of the separation, in those units.
        interval: time between rescalings.
        count: number of intervals.
        separation: distance after each rescaling.
        rtol: relative tolerance; the absolute one is ``rtol * min(scale) / 10``.
        budget: evaluations of the pair.
    """
    from scipy.integrate import DOP853

    dim = len(state)

    def pair(t: float, both: np.ndarray) -> np.ndarray:
        return np.concatenate([field(t, both[:dim]), field(t, both[dim:])])

    delta = separation * direction / np.linalg.norm(direction)
    both = np.concatenate([state, state + scale * delta])
    atol = 0.1 * rtol * float(scale.min())
    rates = np.empty(count)
    evaluations, step = 0, None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for i in range(count):
            begin, end = i * interval, (i + 1) * interval
            first = None if step is None else min(step, end - begin)
            stepper = DOP853(pair, begin, both, end, rtol=rtol, atol=atol, first_step=first)
            while stepper.status == "running":
                stepper.step()
                # The last step is cut to end on the interval: it says nothing of what the error control would take.
                if stepper.status == "running":
                    step = stepper.step_size
            evaluations += stepper.nfev
            if stepper.status == "failed" or not np.isfinite(stepper.y).all() or evaluations > budget:
                return None
            delta = (stepper.y[dim:] - stepper.y[:dim]) / scale
            distance = float(np.linalg.norm(delta))
            if distance == 0.0:
                return None
            rates[i] = math.log(distance / separation) / (end - begin)
            both = np.concatenate([stepper.y[:dim], stepper.y[:dim] + scale * delta * (separation / distance)])
    return rates
