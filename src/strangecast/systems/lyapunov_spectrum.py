"""Lyapunov spectra by tangent dynamics, with error bars and what they are checked by.

Source: G. Benettin, L. Galgani, A. Giorgilli, J.-M. Strelcyn, Meccanica 15 (1980) 9 and 21.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.systems.base import System
from strangecast.systems.exponent_rates import Pace, pair_rates, tangent_rates
from strangecast.systems.integrate import Solver
from strangecast.systems.kaplan_yorke import kaplan_yorke, kaplan_yorke_error
from strangecast.systems.lyapunov_starts import Starts, means_and_errors, starts_on_attractor

TANGENT, SALTATION, PAIR = "tangent", "tangent with saltation", "two trajectories"
# Of the pair: far above rounding, far below the attractor; the tolerance far below it, because of jumps.
SEPARATION, PAIR_RTOL = 1e-6, 1e-11
BEYOND = 3.0  # standard errors that an exponent must be away from zero to have a sign
REGULAR_GROWTH = 5.0  # a logarithm
COARSE = (1e-7, 1e-3)  # tolerance and separation where the fine pair does not arrive (sliding costs it all its steps)


@dataclass(frozen=True)
class Spectrum:
    """Exponents per time unit, the largest first.

    Attributes:
        values, errors: [k] exponents and their standard errors; NaN where the flow could not be followed, minus infinity
            for the direction that is lost where a flow slides along a surface.
        dimension, dimension_error: Kaplan-Yorke dimension; NaN unless k reaches beyond it.
        divergence, divergence_error: mean of the field's divergence along the same trajectories, which the sum of all D
            exponents must equal; NaN where it is not known.
        method: ``tangent``, ``tangent with saltation`` or, of delay flows, ``tangent functions``.
        initial_conditions: N that were averaged over.
        time: averaged over, of each.
        each: [N, k] exponents of the single initial conditions; an attractor that is not the only one shows here.
        neutral: how many of them have an exponent that is zero within three errors of their own.
        chaotic: of how many the largest exponent is positive by three errors of its own and more than 5 / time; shear
            alone gives 2.4.
    """

    values: np.ndarray
    errors: np.ndarray
    dimension: float
    dimension_error: float
    divergence: float
    divergence_error: float
    method: str
    initial_conditions: int
    time: float
    each: np.ndarray
    neutral: int
    chaotic: int


def unknown_spectrum(k: int, method: str) -> Spectrum:
    """What is returned for a flow that cannot be followed."""
    nothing = np.full(k, math.nan)
    return Spectrum(nothing, nothing, math.nan, math.nan, math.nan, math.nan, method, 0, 0.0, np.zeros((0, k)), 0, 0)


def lyapunov_spectrum(
    system: System,
    parameters: np.ndarray,
    *,
    count: int | None = None,
    parameter_index: int = 0,
    initial_conditions: int = 8,
    periods: float = 300.0,
    transient_periods: float = 50.0,
    rtol: float = 1e-7,
    solver: Solver | None = None,
    once: bool = False,
) -> Spectrum:
    """The first ``count`` exponents of one parameter set.

    Args:
        system: an ODE with a graph, an initial condition and a period.
        parameters: [P].
        count: k, D by default.
        parameter_index: keys initial conditions and first tangent vectors.
        initial_conditions: N.
        periods: length of the average, of each initial condition; a tenth more comes before it, to turn the vectors.
        transient_periods: least length of the transient.
        rtol: tolerance of state and tangent vectors (exponents need less than trajectories).
        solver: of the transient, and the budget.
        once: whether nobody will ask for this system again: less is compiled, nothing kept on disk.

    Raises:
        ConfigError: the system has no graph, or k is not from 1 to D.
    """
    k = system.dim if count is None else count
    if system.graph is None or system.graph.lags or not 1 <= k <= system.dim:
        raise ConfigError(f"{system.name} has no tangent dynamics of {k} vectors: it needs an ODE's graph and 1 to D")
    solver = solver or Solver()
    starts = starts_on_attractor(
        system, parameters, parameter_index, initial_conditions, transient_periods, solver, once
    )
    if starts is None:
        return unknown_spectrum(k, TANGENT)
    return spectrum_from(system, parameters, starts, k, parameter_index, periods, rtol, solver, once)


def spectrum_from(
    system: System,
    parameters: np.ndarray,
    starts: Starts,
    k: int,
    parameter_index: int,
    periods: float,
    rtol: float,
    solver: Solver,
    once: bool = False,
) -> Spectrum:
    """:func:`lyapunov_spectrum` from states on the attractor."""
    pace = pace_of(system, periods, rtol, solver)
    key = (system.name, parameter_index)
    found = tangent_rates(system.graph, starts, parameters, limits_of(system, solver), pace, k, key, once)
    if found is None:
        return unknown_spectrum(k, TANGENT)
    values, errors = means_and_errors(found.rates, pace.span)
    if found.slides:
        volume, volume_error = -math.inf, 0.0
    else:
        volume, volume_error = means_and_errors(found.divergences, pace.span)
    if k > len(values):
        values, errors = np.append(values, -math.inf), np.append(errors, 0.0)
    each = np.nanmean(found.rates, axis=1)
    each = np.pad(each, ((0, 0), (0, k - each.shape[1])), constant_values=-math.inf)
    dimension, spread = math.nan, math.nan
    if k == system.dim or kaplan_yorke(values, errors) < k:
        dimension, spread = kaplan_yorke(values, errors), kaplan_yorke_error(each, errors)
    return Spectrum(
        values=values,
        errors=errors,
        dimension=dimension,
        dimension_error=spread,
        divergence=float(volume),
        divergence_error=float(volume_error),
        method=SALTATION if found.saltation else TANGENT,
        initial_conditions=len(found.rates),
        time=pace.span,
        each=each,
        **counted(found.rates, pace.span),
    )


def counted(rates: np.ndarray, time: float) -> dict[str, int]:
    """``neutral`` and ``chaotic`` of :class:`Spectrum` from rates [N, B, k]."""
    found = [means_and_errors(r[None], time) for r in rates]
    neutral = [(np.abs(value) <= BEYOND * error).any() for value, error in found]
    chaotic = [value[0] > max(BEYOND * error[0], REGULAR_GROWTH / time) for value, error in found]
    return {"neutral": int(np.sum(neutral)), "chaotic": int(np.sum(chaotic))}


def two_trajectory_exponent(
    system: System, parameters: np.ndarray, starts: Starts, parameter_index: int, periods: float, solver: Solver
) -> tuple[float, float]:
    """Largest exponent and standard error from the distance of two trajectories, NaN where they cannot be followed."""
    limits, key = limits_of(system, solver), (system.name, parameter_index)
    for rtol, separation in ((PAIR_RTOL, SEPARATION), COARSE):
        pace = pace_of(system, periods, rtol, solver)
        rates = pair_rates(system.graph, starts, parameters, limits, pace, separation, key)
        if rates is not None:
            break
    else:
        return math.nan, math.nan
    value, error = means_and_errors(rates, pace.span)
    return float(value), float(error)


def pace_of(system: System, periods: float, rtol: float, solver: Solver) -> Pace:
    """The pace of a measurement over so many periods."""
    skip, span = 0.1 * periods * system.period, periods * system.period
    return Pace(skip, span, 1e-4 * system.period, _budget(periods, solver), rtol)


def limits_of(system: System, solver: Solver) -> np.ndarray:
    """[D] absolute values beyond which a trajectory counts as diverged."""
    return np.where(system.bounded, solver.limit, math.inf)


def _budget(periods: float, solver: Solver) -> int:
    # Kinks of the field are jumps of the tangent equation, and a pair is followed to more digits than data are.
    return math.ceil(4 * 1.1 * max(periods, 1.0) * solver.evaluations_per_period)
