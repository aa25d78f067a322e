"""Lyapunov spectra of delay flows: as many exponents as asked for, of infinitely many, with error bars."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.systems.attractor import PERTURBATION
from strangecast.systems.base import System
from strangecast.systems.delay_exponents import delay_pair_rates, delay_spectrum_rates
from strangecast.systems.integrate import Solver
from strangecast.systems.kaplan_yorke import kaplan_yorke, kaplan_yorke_error
from strangecast.systems.lyapunov_spectrum import Spectrum, counted, unknown_spectrum
from strangecast.systems.lyapunov_starts import means_and_errors
from strangecast.systems.method_of_steps import lags_of, simulate_delay
from strangecast.systems.segment import Segment

FUNCTIONS = "tangent functions"
_BLOCKS, _LEAST_LAGS = 10, 100
_SEPARATION, _PAIR_RTOL = 1e-6, 1e-9


@dataclass(frozen=True)
class DelayStarts:
    """Segments on the attractor, N of them, and the standard deviations [D] of the coordinates."""

    segments: tuple[Segment, ...]
    scale: np.ndarray


def delay_spectrum(
    system: System,
    parameters: np.ndarray,
    *,
    count: int = 10,
    parameter_index: int = 0,
    initial_conditions: int = 2,
    periods: float = 300.0,
    transient_periods: float = 50.0,
    rtol: float = 1e-7,
    solver: Solver | None = None,
) -> Spectrum:
    """The first ``count`` exponents of one parameter set of a delay flow.

    Args:
        system: with a graph that has delayed coordinates, a history and a period.
        parameters: [P].
        count: k.
        parameter_index: keys histories and first tangent functions.
        initial_conditions: N.
        periods: length of the average, of each initial condition, in whole longest lags and not less than a hundred.
        transient_periods: least length of the transient, and not less than a hundred longest lags.
        rtol: tolerance of state and tangent functions.
        solver: of the transient, and the budget.

    Raises:
        ConfigError: the system has no delayed coordinates, or k is below 1.
    """
    solver = solver or Solver()
    starts = delay_starts(system, parameters, parameter_index, initial_conditions, transient_periods, solver)
    if starts is None:
        return unknown_spectrum(count, FUNCTIONS)
    return delay_spectrum_from(system, parameters, starts, count, parameter_index, periods, rtol, solver)


def delay_starts(
    system: System,
    parameters: np.ndarray,
    parameter_index: int,
    count: int,
    transient_periods: float,
    solver: Solver,
) -> DelayStarts | None:
    """N = ``count`` segments after transients from constant histories near the catalogued one, or None where half
    cannot be followed; keyed as in ``lyapunov_starts.py``.
    """
    if system.graph is None or not system.graph.lags:
        raise ConfigError(f"{system.name} has no delayed coordinates")
    lag = float(lags_of(system.graph, parameters).max())
    length = max(transient_periods * system.period, _LEAST_LAGS * lag)
    segments, variances = [], []
    for n in range(count):
        draw = stream("ic", system.name, parameter_index, "lyapunov", n)
        history = np.atleast_1d(system.initial_condition)[: system.graph.dim]
        history = history * (1 + PERTURBATION * draw.standard_normal(len(history)))
        times = np.linspace(0.0, length * (1 + 0.5 * draw.random()), 2001)
        found = simulate_delay(system, history, times, parameters, solver)
        if found.finished:
            segments.append(found.segment)
            variances.append(found.states[1000:].var(axis=0))
    if 2 * len(segments) <= count:
        return None
    scale = np.sqrt(np.mean(variances, axis=0))
    return DelayStarts(tuple(segments), np.where(scale > 0, scale, 1.0))


def delay_spectrum_from(
    system: System,
    parameters: np.ndarray,
    starts: DelayStarts,
    k: int,
    parameter_index: int,
    periods: float,
    rtol: float,
    solver: Solver,
) -> Spectrum:
    """:func:`delay_spectrum` from segments on the attractor."""
    lags, lag = _lags(system, parameters, periods)
    settings = replace(solver, rtol=rtol)
    rates = [
        delay_spectrum_rates(
            system.graph, s, parameters, starts.scale, settings, k, lags, (system.name, parameter_index, n)
        )
        for n, s in enumerate(starts.segments)
    ]
    rates = [r for r in rates if r is not None]
    if 2 * len(rates) <= len(starts.segments):
        return unknown_spectrum(k, FUNCTIONS)
    blocks = np.array(rates).reshape(len(rates), _BLOCKS, -1, k).mean(axis=2)
    values, errors = means_and_errors(blocks, lags * lag)
    dimension = kaplan_yorke(values, errors)
    reached = dimension < k
    return Spectrum(
        values=values,
        errors=errors,
        dimension=dimension if reached else math.nan,
        dimension_error=kaplan_yorke_error(blocks.mean(axis=1), errors) if reached else math.nan,
        divergence=math.nan,
        divergence_error=math.nan,
        method=FUNCTIONS,
        initial_conditions=len(rates),
        time=lags * lag,
        each=blocks.mean(axis=1),
        **counted(blocks, lags * lag),
    )


def delay_pair_exponent(
    system: System, parameters: np.ndarray, starts: DelayStarts, parameter_index: int, periods: float, solver: Solver
) -> tuple[float, float]:
    """Largest exponent and standard error from the distance of two solutions, NaN where they cannot be followed."""
    lags, lag = _lags(system, parameters, periods)
    settings = replace(solver, rtol=_PAIR_RTOL)
    rates = [
        delay_pair_rates(
            system.graph, s, parameters, starts.scale, settings, lags, _SEPARATION, (system.name, parameter_index, n)
        )
        for n, s in enumerate(starts.segments)
    ]
    rates = [r for r in rates if r is not None]
    if 2 * len(rates) <= len(starts.segments):
        return math.nan, math.nan
    value, error = means_and_errors(np.array(rates).reshape(len(rates), _BLOCKS, -1).mean(axis=2), lags * lag)
    return float(value), float(error)


def _lags(system: System, parameters: np.ndarray, periods: float) -> tuple[int, float]:
    """Length of the average in longest lags, a multiple of the number of blocks, and the longest lag."""
    lag = float(lags_of(system.graph, parameters).max())
    wanted = max(_LEAST_LAGS, periods * system.period / lag)
    return _BLOCKS * math.ceil(wanted / _BLOCKS), lag
