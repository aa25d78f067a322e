"""The largest Lyapunov exponent of a parameter set, by the fastest method its system allows.

An ODE with a graph: one tangent vector along each of eight trajectories in vector lanes, saltation where the field
jumps. A delay flow: one tangent function. A system without a graph: two nearby trajectories of its vector field. Each
number comes with a standard error from initial conditions and blocks of time, and says how it was found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver

KNOWN, LONE_PAIR = "known", "two trajectories"
_BLOCKS = 20


@dataclass(frozen=True)
class Exponent:
    """A measured exponent per time unit.

    Attributes:
        value: NaN where the flow could not be followed.
        standard_error: of the value; 0 where it is known in closed form.
        method: ``known``, ``tangent``, ``tangent with saltation``, ``tangent functions`` or ``two trajectories``.
    """

    value: float
    standard_error: float
    method: str = LONE_PAIR


def largest_exponent(
    system: System,
    parameters: np.ndarray,
    *,
    parameter_index: int = 0,
    periods: float = 300.0,
    transient_periods: float = 20.0,
    initial_conditions: int | None = None,
    separation: float = 1e-8,
    steps_per_period: float = 4.0,
    rtol: float = 1e-7,
    solver: Solver | None = None,
) -> Exponent:
    """The largest exponent of one parameter set.

    Args:
        system: with a graph or a vector field, an initial condition and a period.
        parameters: [P].
        parameter_index: keys initial conditions and first tangent vectors.
        periods: length of the average, of each initial condition; the standard error falls with its square root.
        transient_periods: of the start, before anything is measured.
        initial_conditions: 8 by default, 2 for delay flows; 1 without a graph, always.
        separation: of systems without a graph: distance of the two trajectories, each coordinate in units of its
            standard deviation.
        steps_per_period: of the same: rescalings in one period. Growth over one interval must leave the distance far
            below 1.
        rtol: tolerance (exponents need less than trajectories).
        solver: of the transient, and the budget.

    Raises:
        ConfigError: the system has no period or nothing to integrate.
    """
    if system.lyapunov is not None:
        return Exponent(float(system.lyapunov), 0.0, KNOWN)
    if system.period is None or system.initial_condition is None or (system.graph is None and system.rhs is None):
        raise ConfigError(f"the exponent of {system.name} needs a vector field, an initial condition and a period")
    solver = solver or Solver()
    if system.graph is None:
        return _by_pair(
            system, parameters, parameter_index, periods, transient_periods, separation, steps_per_period, rtol, solver
        )
    settings = {
        "count": 1,
        "parameter_index": parameter_index,
        "periods": periods,
        "transient_periods": transient_periods,
        "rtol": rtol,
        "solver": solver,
    }
    if system.graph.lags:
        from strangecast.systems.delay_spectrum import delay_spectrum

        found = delay_spectrum(system, parameters, initial_conditions=initial_conditions or 2, **settings)
    else:
        from strangecast.systems.lyapunov_spectrum import lyapunov_spectrum
        from strangecast.systems.skew_product import SkewProduct

        # There are many pairs of flows: hardly anybody asks for the same one again.
        once = isinstance(system, SkewProduct)
        found = lyapunov_spectrum(system, parameters, initial_conditions=initial_conditions or 8, once=once, **settings)
    return Exponent(float(found.values[0]), float(found.errors[0]), found.method)


def _by_pair(
    system: System,
    parameters: np.ndarray,
    parameter_index: int,
    periods: float,
    transient_periods: float,
    separation: float,
    steps_per_period: float,
    rtol: float,
    solver: Solver,
) -> Exponent:
    from strangecast.systems.attractor import on_attractor
    from strangecast.systems.benettin import divergence_rates

    failed = Exponent(math.nan, math.nan)
    start = on_attractor(system, parameters, parameter_index, "lyapunov", transient_periods, solver)
    if not start.finished:
        return failed
    pilot_times = np.linspace(0.0, 10 * system.period, 500)
    pilot = system.simulate(start.states[-1], pilot_times, parameters, solver)
    if not pilot.finished:
        return failed
    scale = pilot.states.std(axis=0)
    scale = np.where(scale > 1e-12 * np.abs(pilot.states).max(axis=0), scale, 1.0)
    growth = divergence_rates(
        system.bind(parameters),
        start.states[-1],
        scale,
        stream("lyapunov", system.name, parameter_index).standard_normal(system.dim),
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
