"""Exponents of the catalogue's systems at their own parameters, each by two methods, beside what dysts ships."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from strangecast.core.errors import ConfigError
from strangecast.core.schemas import LYAPUNOV, conform
from strangecast.systems import catalogue
from strangecast.systems.base import System
from strangecast.systems.delay_spectrum import DelayStarts, delay_pair_exponent, delay_spectrum_from, delay_starts
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system
from strangecast.systems.lyapunov import largest_exponent
from strangecast.systems.lyapunov_spectrum import (
    BEYOND,
    Spectrum,
    spectrum_from,
    two_trajectory_exponent,
    unknown_spectrum,
)
from strangecast.systems.lyapunov_starts import starts_on_attractor

TRANSIENT_PERIODS = 1000.0
RTOL = 1e-9
_DELAY_COUNTS = (10, 20, 40)  # exponents of a delay flow in a short pilot, more where the dimension is not reached
_DELAY_CONDITIONS = 4


def lyapunov_table(
    names: Sequence[str] | None = None,
    *,
    periods: float = 1000.0,
    initial_conditions: int = 16,
    progress: Callable[[int, int], None] | None = None,
) -> pa.Table:
    """One row per system, of schema ``LYAPUNOV``.

    Args:
        names: of the catalogue; all by default.
        periods: length of the averages, of each initial condition.
        initial_conditions: of ODE flows; delay flows have four, or fewer where fewer are asked for.
        progress: called with how many of how many systems are done.

    Raises:
        ConfigError: a name that the catalogue lacks, or numbers that leave nothing to average.
    """
    if periods <= 0 or initial_conditions < 1:
        raise ConfigError(
            f"periods {periods:g} must be positive and initial conditions {initial_conditions} at least 1"
        )
    entries = [catalogue.lookup(n) for n in names] if names else list(catalogue.entries().values())
    shipped = shipped_exponents()
    rows = []
    for entry in entries:
        rows.append(_row(load_system(entry.name), periods, initial_conditions, shipped.get(entry.name)))
        if progress is not None:
            progress(len(rows), len(entries))
    return conform(pa.Table.from_pylist(rows, schema=LYAPUNOV), LYAPUNOV, "the table of exponents")


def shipped_exponents() -> dict[str, float]:
    """What dysts has as largest exponents, by system. They are shown beside ours and used for nothing."""
    from dysts.base import DATAPATH_CONTINUOUS

    metadata = json.loads(Path(DATAPATH_CONTINUOUS).read_text(encoding="utf-8"))
    found = {name: about.get("maximum_lyapunov_estimated") for name, about in metadata.items()}
    return {name: float(value) for name, value in found.items() if value is not None}


def verdict(found: Spectrum) -> str:
    """What the exponents say.

    ``mixed``: some initial conditions are chaotic and others are not, because several attractors or islands of regular
    motion lie close together, or because chaos is a transient that has ended for some. Else ``hyperchaotic``,
    ``chaotic``, ``neutral`` (zero within three errors), ``stable``, or ``not followed``.
    """
    values, errors = found.values, found.errors
    if not len(values) or math.isnan(values[0]):
        return "not followed"
    if 0 < found.chaotic < found.initial_conditions:
        return "mixed"
    beyond = values > BEYOND * errors
    if beyond[:2].sum() == 2:
        return "hyperchaotic"
    if beyond[0]:
        return "chaotic"
    return "stable" if values[0] < -BEYOND * errors[0] else "neutral"


def _row(system: System, periods: float, initial_conditions: int, shipped: float | None) -> dict[str, Any]:
    measure = _of_delay if system.graph.lags else _of_flow
    found, pair, pair_error = measure(system, periods, initial_conditions, Solver())
    early = largest_exponent(system, system.values)
    return {
        "system": system.name,
        "kind": catalogue.lookup(system.name).kind,
        "dim": system.dim,
        "period": system.period,
        "method": found.method,
        "initial_conditions": found.initial_conditions,
        "time": found.time,
        "exponents": found.values.tolist(),
        "errors": found.errors.tolist(),
        "each": found.each[:, 0].tolist(),
        "dimension": _known(found.dimension),
        "dimension_error": _known(found.dimension_error),
        "divergence": _known(found.divergence),
        "early": _known(early.value),
        "early_error": _known(early.standard_error),
        "pair": _known(pair),
        "pair_error": _known(pair_error),
        "shipped": shipped,
        "neutral": found.neutral,
        "chaotic": found.chaotic,
        "verdict": verdict(found),
    }


def _of_flow(system: System, periods: float, initial_conditions: int, solver: Solver) -> tuple[Spectrum, float, float]:
    parameters = system.values
    starts = starts_on_attractor(system, parameters, 0, initial_conditions, TRANSIENT_PERIODS, solver)
    if starts is None:
        return unknown_spectrum(system.dim, "tangent"), math.nan, math.nan
    found = spectrum_from(system, parameters, starts, system.dim, 0, periods, RTOL, solver)
    return found, *two_trajectory_exponent(system, parameters, starts, 0, periods, solver)


def _of_delay(system: System, periods: float, initial_conditions: int, solver: Solver) -> tuple[Spectrum, float, float]:
    parameters = system.values
    count = min(initial_conditions, _DELAY_CONDITIONS)
    starts = delay_starts(system, parameters, 0, count, TRANSIENT_PERIODS, solver)
    if starts is None:
        return unknown_spectrum(_DELAY_COUNTS[0], "tangent functions"), math.nan, math.nan
    pilot = DelayStarts(starts.segments[:1], starts.scale)
    for k in _DELAY_COUNTS:
        found = delay_spectrum_from(system, parameters, pilot, k, 0, 0.0, RTOL, solver)
        if not math.isnan(found.dimension):
            k = max(_DELAY_COUNTS[0], math.ceil(found.dimension) + 2)
            break
    found = delay_spectrum_from(system, parameters, starts, k, 0, periods, RTOL, solver)
    return found, *delay_pair_exponent(system, parameters, starts, 0, periods, solver)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
