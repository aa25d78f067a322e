"""The torch stepper of a system: a differentiable map over one time step, by Runge-Kutta steps of fixed length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from strangecast.core.errors import ConfigError
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver
from strangecast.systems.lanes.tableau import STAGES, A, C
from strangecast.systems.torch_field import TorchField


class Stepper:
    """A differentiable map over ``dt``: ``step(state [*lead, D], parameters=None, t=0.0) -> [*lead, D]``.

    Steps are explicit Runge-Kutta steps of fixed length: order 4 once or twice where that is enough, else order 8
    (Dormand and Prince, 12 stages) once or on 2, 4, ... equal parts. Which, is found when the stepper is made: the first
    of these that is off by at most ``tolerance`` of each coordinate's spread over one ``dt``, on 128 states of ten
    periods at the default parameters. Steps across a kink are never that good; where the field has kinks, half of the
    states have to be, and 95 % within 1000 times the tolerance.

    Args:
        system: with a graph, an initial condition and a period.
        dt: time step.
        tolerance: error per ``dt``, in units of the coordinates' standard deviations.
        method: ``rk4`` or ``dop853``, together with ``substeps``, instead of the search.
        substeps: parts of ``dt``.

    Attributes:
        method, substeps: the choice.
        error: the error measured for it, None where there was no search.
        evaluations: of the right-hand side in one call.

    Raises:
        ConfigError: not even the shortest steps are good enough: the system is too stiff, or ``dt`` too long.
    """

    def __init__(
        self,
        system: System,
        dt: float,
        *,
        tolerance: float = 1e-7,
        method: str | None = None,
        substeps: int | None = None,
    ) -> None:
        if not (np.isfinite(dt) and dt > 0):
            raise ConfigError(f"a stepper needs a positive dt, found {dt}")
        if (method is None) != (substeps is None):
            raise ConfigError("a stepper takes method and substeps together, or neither")
        self.dt = float(dt)
        self.error: float | None = None
        self.field = TorchField(system.graph, system.values)
        if method is None:
            method, substeps, self.error = _search(system, self.dt, tolerance)
        if method not in _METHODS or substeps < 1:
            raise ConfigError(f"a stepper knows {' and '.join(_METHODS)} with substeps >= 1, not {method}, {substeps}")
        self.method, self.substeps = method, int(substeps)

    @property
    def evaluations(self) -> int:
        """Evaluations of the right-hand side in one call."""
        return self.substeps * len(_METHODS[self.method][0])

    def __call__(self, state: Tensor, parameters: Tensor | None = None, t: Tensor | float = 0.0) -> Tensor:
        """The state ``dt`` later.

        Args:
            state: [*lead, D].
            parameters: [P] or [*, P]; None for the defaults.
            t: time of ``state``, a number or [*]; of effect only where the field reads time.
        """
        field = self.field
        fixed, now = field.prepare(parameters, state), field.time(t, state)
        h = self.dt / self.substeps
        for i in range(self.substeps):
            begin = now + i * h
            state = _step(lambda offset, y, b=begin: field.evaluate(b + offset, y, fixed), state, h, self.method, _axpy)
        return state


# Per method: times of the stages; rows of coefficients of the stages and, behind them, of the result.
_METHODS = {
    "rk4": (
        (0.0, 0.5, 0.5, 1.0),
        ({}, {0: 0.5}, {1: 0.5}, {2: 1.0}, {0: 1 / 6, 1: 1 / 3, 2: 1 / 3, 3: 1 / 6}),
    ),
    "dop853": (C[:STAGES], A[: STAGES + 1]),
}
_CANDIDATES = (("rk4", 1), ("rk4", 2), *(("dop853", 2**i) for i in range(8)))
_SAMPLES, _TURNS, _TRANSIENT = 128, 10.0, 2.0


def _step(slope: Callable, state: Any, h: float, method: str, combine: Callable) -> Any:
    times, rows = _METHODS[method]
    slopes: list[Any] = []
    for time, row in zip(times, rows, strict=False):
        slopes.append(slope(time * h, combine(state, h, row, slopes)))
    return combine(state, h, rows[-1], slopes)


def _axpy(state: Tensor, h: float, row: dict[int, float], slopes: list[Tensor]) -> Tensor:
    for j, a in row.items():
        state = torch.add(state, slopes[j], alpha=a * h)
    return state


def _array_axpy(state: np.ndarray, h: float, row: dict[int, float], slopes: list[np.ndarray]) -> np.ndarray:
    for j, a in row.items():
        state = state + (a * h) * slopes[j]
    return state


def _search(system: System, dt: float, tolerance: float) -> tuple[str, int, float]:
    """The cheapest candidate, and its error: against order 8 with half the step, or with one step for order 4."""
    times = np.concatenate([[0.0], _TRANSIENT + np.linspace(0.0, _TURNS, _SAMPLES)]) * system.period
    solver = Solver("lsoda", rtol=1e-6, atol=1e-9)
    path = system.simulate(system.initial_condition, times, system.values, solver)
    states, t = path.states[1:], times[1 : len(path.states)]
    if len(states) < 2:
        raise ConfigError(f"system {system.name} cannot be followed from its initial condition: {path.status}")
    spread = states.std(axis=0)
    spread = np.where(system.bounded, spread, np.minimum(spread, 1.0))
    spread = np.where(spread > 1e-12 * np.abs(states).max(axis=0), spread, 1.0)
    known: dict[tuple[str, int], np.ndarray] = {}

    def after(method: str, substeps: int) -> np.ndarray:
        if (method, substeps) not in known:
            y, h = states, dt / substeps
            for i in range(substeps):
                y = _step(lambda o, x, b=t + i * h: system.rhs(b + o, x, system.values), y, h, method, _array_axpy)
            known[method, substeps] = y
        return known[method, substeps]

    best = np.inf
    with np.errstate(all="ignore"):
        for method, substeps in _CANDIDATES:
            better = after("dop853", 1 if method == "rk4" else 2 * substeps)
            off = (np.abs(after(method, substeps) - better) / spread).max(axis=1)
            off = np.where(np.isfinite(off), off, np.inf)
            error = float(off.max() if system.graph.smooth else _with_kinks(off))
            best = min(best, error)
            if error <= tolerance:
                return method, substeps, error
    raise ConfigError(
        f"system {system.name} is too stiff for explicit steps over dt = {dt:g}: {_CANDIDATES[-1][1]} steps of order 8 are "
        f"off by {best:.1e} of its spread, {tolerance:g} is asked for"
    )


def _with_kinks(off: np.ndarray) -> float:
    half, most = np.quantile(off, [0.5, 0.95], method="higher")
    return max(half, most / 1000)
