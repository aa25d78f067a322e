"""What metrics are tried on, and how long a call takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import cache

import numpy as np

from benchmarks.table import Row, row
from strangecast.metrics.scale import Scale
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system

TOLERANCE = 1e-10
DT = 0.015
WORTH_REPEATING = 1.0  # seconds, below which one run of a peer is no measurement


def cpu(function: Callable[[], object], repeats: int = 3) -> tuple[float, object]:
    """Median CPU seconds of a call after one that compiles, and its result."""
    result, seconds = function(), []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        seconds.append(time.process_time() - start)
    return max(statistics.median(seconds), 1e-7), result


@cache
def lorenz(n: int, first: int = 0) -> np.ndarray:
    """[n, 3], standardised, 100 samples per turn, from sample ``first`` of one trajectory on."""
    system = load_system("Lorenz")
    times = np.arange(n + first + 2000) * system.period / 100
    parameters = np.asarray(system.values, np.float64)
    start = np.asarray(system.initial_condition, np.float64)
    states = system.simulate(start, times, parameters, Solver()).states[2000 + first :]
    return (states - states.mean(axis=0)) / states.std(axis=0)


def flat(B: int, C: int) -> Scale:
    """A climate of mean 0 and deviation 1."""
    zero, one = np.zeros((B, C)), np.ones((B, C))
    return Scale(zero, one, zero, one, np.full(B, DT), np.full(B, 0.9))


def compared(
    case: str, peer: str, ours: Callable, theirs: Callable, *, tolerance: float | None, repeats: int = 7
) -> Row:
    """Both sides' time; their results must agree to ``tolerance``, unless they are different measures (None)."""
    mine, a = cpu(ours, repeats)
    start = time.process_time()
    b = theirs()
    other = time.process_time() - start
    if other < WORTH_REPEATING:
        other, b = cpu(theirs, repeats)
    error = float(abs(a - b) / max(abs(b), np.finfo(float).tiny)) if b else float(abs(a))
    if tolerance is not None and not error <= tolerance:
        raise RuntimeError(f"{case}: {a!r} is not {b!r} of {peer} (relative difference {error:.1e})")
    return row(
        case, peer, 1e3 * mine, 1e3 * other, "ms", error_ours=error if tolerance is not None else "",
        note=f"{a:.6g} here, {b:.6g} there",
    )  # fmt: skip
