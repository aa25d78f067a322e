"""Graphs as differentiable torch functions, and the torch stepper of a system.

States are [*lead, D] with any leading axes, S members and B windows in front where there are such; parameters are [P],
or [*, P] whose leading axes are the first ones of the states (1 where shared): [S, 1, P], [S, B, P]. The same holds for
time. Computations run in the states' precision and on their device; what depends on parameters alone is computed once
per call. Gradients flow to states, parameters and times; at kinks they are those of ``derivatives.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from strangecast.core.errors import ConfigError
from strangecast.systems.base import System
from strangecast.systems.emission import TENSOR, emit_in_two
from strangecast.systems.graph import Graph
from strangecast.systems.integrate import Solver
from strangecast.systems.lanes.tableau import STAGES, A, C

Fixed = list[Any]  # what parameters alone determine: tensors that broadcast against [*lead], or floats


class TorchField:
    """``field(t, state [*lead, D], parameters) -> [*lead, D']``.

    Args:
        graph: without lags.
        values: [P], used where a call names no parameters.
    """

    def __init__(self, graph: Graph, values: np.ndarray) -> None:
        self.graph = graph
        self.values = np.asarray(values, np.float64)
        self._prepare, self._evaluate = emit_in_two(graph, TENSOR, _LIBRARY)
        fixed, _ = emit_in_two(graph, TENSOR, {"np": np, **_OF_NUMBERS})
        with np.errstate(all="ignore"):
            self._defaults = [float(x) for x in fixed(self.values)]

    def __call__(self, t: Tensor | float, state: Tensor, parameters: Tensor | None = None) -> Tensor:
        return self.evaluate(self.time(t, state), state, self.prepare(parameters, state))

    def prepare(self, parameters: Tensor | None, state: Tensor) -> Fixed:
        """What ``parameters`` alone determine, for states like this one."""
        if parameters is None:
            return self._defaults
        if parameters.shape[-1] != len(self.values):
            raise ConfigError(f"a field of {len(self.values)} parameters was given {parameters.shape[-1]}")
        own = parameters.to(state.dtype)
        if own.ndim > 1:
            own = own.reshape(*own.shape[:-1], *[1] * (state.ndim - own.ndim), own.shape[-1])
        return self._prepare(own.unbind(-1))

    def time(self, t: Tensor | float, state: Tensor) -> Tensor | float:
        """Time as it broadcasts against [*lead]."""
        if self.graph.autonomous:
            return 0.0
        t = torch.as_tensor(t, dtype=state.dtype, device=state.device)
        return t.reshape(*t.shape, *[1] * (state.ndim - 1 - t.ndim)) if t.ndim else t

    def evaluate(self, t: Tensor | float, state: Tensor, fixed: Fixed) -> Tensor:
        """The outputs from prepared times and parameters."""
        outputs = self._evaluate(t, state.unbind(-1), fixed)
        lead = state.shape[:-1]
        return torch.stack([_spread(x, lead, state) for x in outputs], -1)


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


_RK4 = (({}, {0: 0.5}, {1: 0.5}, {2: 1.0}, {0: 1 / 6, 1: 1 / 3, 2: 1 / 3, 3: 1 / 6}), (0.0, 0.5, 0.5, 1.0))
# Per method: rows of coefficients of the stages and, behind them, of the result; and the stages' times.
_METHODS = {"rk4": (_RK4[1], _RK4[0]), "dop853": (C[:STAGES], A[: STAGES + 1])}
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


def _spread(x: Any, lead: torch.Size, like: Tensor) -> Tensor:
    if not isinstance(x, Tensor):
        return like.new_full(lead, x)
    return x if x.shape == lead else x.expand(lead)


def _pair(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    like = a if isinstance(a, Tensor) else b
    return tuple(
        x if isinstance(x, Tensor) else torch.as_tensor(x, dtype=like.dtype, device=like.device) for x in (a, b)
    )


def _where(condition: Any, a: Any, b: Any) -> Any:
    if not isinstance(condition, Tensor):
        return a if condition != 0.0 else b
    a, b = (x if isinstance(x, Tensor) else condition.new_tensor(x) for x in (a, b))
    return torch.where(condition != 0.0, a, b)


def _less(a: Any, b: Any) -> Tensor:
    return (a < b).to((a if isinstance(a, Tensor) else b).dtype)


def _heaviside(x: Tensor, at_zero: float) -> Tensor:
    steps = torch.where(x > 0, 1.0, torch.where(x < 0, 0.0, x.new_tensor(at_zero)))
    return torch.where(x.isnan(), x.detach(), steps.to(x.dtype))


def _sqrt(x: Tensor) -> Tensor:
    """The root, whose gradient at zero is zero: below a kink, as in the root of max(0, x), nothing moves."""
    flat = x == 0
    return torch.where(flat, x.detach(), torch.sqrt(torch.where(flat, torch.ones_like(x), x)))


_LIBRARY = {
    "np": torch,
    "where": _where,
    "less": _less,
    "heaviside": _heaviside,
    "root": _sqrt,
    "least": lambda a, b: torch.minimum(*_pair(a, b)),
    "greatest": lambda a, b: torch.maximum(*_pair(a, b)),
    "arctan2": lambda a, b: torch.arctan2(*_pair(a, b)),
    "mod": lambda a, b: torch.remainder(*_pair(a, b)),
}
_OF_NUMBERS = {
    "where": np.where,
    "less": lambda a, b: float(a < b),
    "heaviside": np.heaviside,
    "root": np.sqrt,
    "least": np.minimum,
    "greatest": np.maximum,
    "arctan2": np.arctan2,
    "mod": np.mod,
}
