"""Delay differential equations by the method of steps.

The Runge-Kutta method of order 8 reads delayed coordinates from its own continuous extension of order 7, which keeps
order 8 on the whole (A. Bellen, M. Zennaro, Numerical Methods for Delay Differential Equations (2003), theorem 6.1.2),
under two conditions that are kept here: no step is longer than the smallest lag, and every time at which a low
derivative of the solution may jump is a grid point. Such times start at the present (history and equation disagree in
slope) and are carried on by the lags, one derivative higher at each passage.

Lags are nodes of the graph made of constants and parameters; there may be several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.systems.graph import Graph, evaluate
from strangecast.systems.integrate import STATUSES, Solver, Trajectory
from strangecast.systems.scalar_field import ScalarField, compiled_field, delayed_nodes
from strangecast.systems.segment import Segment, segment_of

SMOOTH = 8  # a jump in a derivative higher than this does not disturb the method
History = Callable[[float], np.ndarray] | np.ndarray | Segment


@dataclass(frozen=True)
class DelayTrajectory(Trajectory):
    """A trajectory, and the function that its future depends on.

    Attributes:
        segment: the solution on the last lag before the last time reached; ``simulate_delay`` continues from it.
    """

    segment: Segment | None = None


def simulate_delay(
    system,
    history: History,
    times: np.ndarray,
    parameters: np.ndarray,
    solver: Solver | None = None,
    *,
    offsets: Sequence[float] = (0.0,),
) -> DelayTrajectory:
    """Solve ``dx/dt = f(t, x(t), x(t - lag), ...)`` from a history that ends at ``times[0]``.

    Args:
        system: with a ``graph`` that has delayed coordinates, D of them in all, and a ``period`` (or None) that sets the
            budget as in ``integrate``. Its ``bounded`` is heeded if it has D entries, else all coordinates are.
        history: a constant state [D], a function of time that gives states [D], or the ``segment`` of an earlier
            trajectory.
        times: [T] increasing; the first is the present.
        parameters: [P].
        solver: tolerances and budget.
        offsets: [E]; recorded are the states at ``t - offset`` for each of them, a delay embedding of E D numbers.

    Returns:
        States [T', E D], offset after offset, D numbers each.

    Raises:
        ConfigError: no lag, a lag that is not positive or depends on time or state, or a history that does not fit.
    """
    graph: Graph = system.graph
    solver = solver or Solver()
    times = np.asarray(times, np.float64)
    bounded = np.asarray(getattr(system, "bounded", ()), bool)
    watched = bounded if bounded.shape == (graph.dim,) else np.ones(graph.dim, bool)
    offsets = _offsets(offsets)
    law = DelayLaw.of(graph, parameters)
    segment = segment_of(history, float(times[0]), max(law.lags.max(), offsets.max()))
    if segment.dim != graph.dim:
        raise ConfigError(f"the history has {segment.dim} coordinates, the delay equation has {graph.dim}")
    budget = solver.budget(times[-1] - times[0], system.period, len(times))
    return law.follow(segment, times, solver, watched, budget, offsets)


@dataclass(frozen=True)
class DelayLaw:
    """A delay equation with its parameters, compiled.

    Attributes:
        code: the right-hand side.
        parameters: [P].
        reads: [n, 2], lag and coordinate of each delayed value.
        lags: [L].
    """

    code: ScalarField
    parameters: np.ndarray
    reads: np.ndarray
    lags: np.ndarray

    @classmethod
    def of(cls, graph: Graph, parameters: np.ndarray) -> DelayLaw:
        """Compile a graph with lags; raises as :func:`lags_of`."""
        lags = lags_of(graph, parameters)
        number = {node: i for i, node in enumerate(graph.lags)}
        reads = [(number[n.args[0]], n.value) for n in delayed_nodes(graph)]
        return cls(compiled_field(graph), np.ascontiguousarray(parameters, np.float64), np.array(reads, np.int64), lags)

    def follow(
        self,
        segment: Segment,
        times: np.ndarray,
        solver: Solver,
        watched: np.ndarray,
        budget: float,
        offsets: np.ndarray,
    ) -> DelayTrajectory:
        """Continue ``segment``, which ends at ``times[0]``.

        Args:
            segment: of D coordinates, reaching back as far as the longest lag and offset.
            times, solver, offsets: as for :func:`simulate_delay`.
            watched: [D] of bool, coordinates held against ``solver.limit``.
            budget: evaluations of the right-hand side.
        """
        from strangecast.systems.delay_loop import follow

        span = max(self.lags.max(), offsets.max())
        carried = carried_breaks(segment.breaks, self.lags, float(times[-1]))
        ahead = np.array([t for t, _ in carried if t > times[0]])
        states, reached, status, evaluations, starts, widths, coefficients, step = follow(
            (self.code.address, self.parameters, self.reads, self.lags),
            offsets,
            times,
            ahead,
            tuple(np.ascontiguousarray(x) for x in (segment.starts, segment.widths, segment.coefficients)),
            float(segment.step),
            solver.rtol,
            solver.atol,
            solver.limit,
            watched,
            int(np.ceil(budget)),
        )
        end = starts[-1] + widths[-1]
        left = tuple((t, level) for t, level in carried if end - span <= t <= end)
        after = Segment(starts, widths, coefficients, left, step)
        return DelayTrajectory(states[:reached].reshape(reached, -1), STATUSES[status], evaluations, after)


def lags_of(graph: Graph, parameters: np.ndarray) -> np.ndarray:
    """The lags [L] of a graph for these parameters [P], in the order of ``graph.lags``.

    Raises:
        ConfigError: there is none, or one is not positive and finite, or depends on time or state.
    """
    nodes = _lag_graph(graph)
    parameters = np.asarray(parameters, np.float64)
    if parameters.shape != (graph.n_parameters,):
        raise ConfigError(f"the delay equation has {graph.n_parameters} parameters, {parameters.size} were given")
    lags = evaluate(nodes, 0.0, np.zeros(graph.dim), parameters)
    for lag in lags:
        if not (np.isfinite(lag) and lag > 0):
            raise ConfigError(f"a lag must be positive and finite, found {lag:g}")
    return lags


@lru_cache(maxsize=512)
def _lag_graph(graph: Graph) -> Graph:
    if not graph.lags:
        raise ConfigError("the right-hand side has no delayed coordinate: it is an ordinary differential equation")
    needed: set[int] = set()
    todo = list(graph.lags)
    while todo:
        i = todo.pop()
        if graph.nodes[i].op in ("time", "state", "delayed"):
            raise ConfigError(f"a lag depends on {graph.nodes[i].op}; it may depend on constants and parameters alone")
        if i not in needed:
            needed.add(i)
            todo += graph.nodes[i].args
    order = sorted(needed)
    place = {i: k for k, i in enumerate(order)}
    nodes = tuple(type(n)(n.op, tuple(place[a] for a in n.args), n.value) for n in (graph.nodes[i] for i in order))
    return Graph(nodes, tuple(place[i] for i in graph.lags), graph.dim, graph.n_parameters)


def _offsets(offsets: Sequence[float]) -> np.ndarray:
    found = np.asarray(offsets, np.float64)
    if found.ndim != 1 or not len(found) or not (np.isfinite(found).all() and (found >= 0).all()):
        raise ConfigError(f"offsets must be a list of finite numbers that are not negative, found {list(offsets)}")
    return found


def carried_breaks(breaks: Sequence[tuple[float, int]], lags: np.ndarray, end: float) -> list[tuple[float, int]]:
    """All times up to ``end`` at which derivative ``level + 1 <= SMOOTH`` may jump, the lowest level of each."""
    found: list[tuple[float, int]] = []
    times = np.zeros(0)
    for level in range(SMOOTH):
        own = [t for t, own_level in breaks if own_level == level]
        times = _distinct(np.concatenate([own, np.add.outer(times, lags).ravel()]))
        times = times[times <= end]
        found += [(float(t), level) for t in times]
    kept: list[tuple[float, int]] = []
    for time, level in sorted(found):
        if not kept or time - kept[-1][0] > _rounding(time):
            kept.append((time, level))
        elif level < kept[-1][1]:
            kept[-1] = (kept[-1][0], level)
    return kept


def _distinct(times: np.ndarray) -> np.ndarray:
    """Sorted, without those that differ from an earlier one by rounding alone."""
    times = np.sort(times)
    return times[np.concatenate([[True], np.diff(times) > _rounding(times[1:])])] if len(times) else times


def _rounding(time):
    return 1e-13 * np.maximum(np.abs(time), 1e-300)
