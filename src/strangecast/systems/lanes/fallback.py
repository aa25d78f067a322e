"""A second try for trajectories that the explicit method could not follow: SciPy's implicit ones, one by one.

Stiff equations make the explicit method spend its budget, or its steps shrink to nothing. Those trajectories, and only
those, are integrated again from their start by ``solver.fallback``; the ensemble says what made each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from strangecast.systems.graph import Graph
from strangecast.systems.integrate import STATUSES, Solver, integrate
from strangecast.systems.lanes.ensemble import Ensemble, integrate_ensemble
from strangecast.systems.lanes.grid import Grid, Times

RETRIED = tuple(STATUSES.index(s) for s in ("budget exhausted", "step too small"))
Bound = Callable[[float, np.ndarray], np.ndarray]


def with_fallback(
    graph: Graph,
    states: np.ndarray,
    times: Times,
    parameters: np.ndarray,
    solver: Solver | None = None,
    *,
    bounded: np.ndarray | None = None,
    period: float | np.ndarray | None = None,
    jacobian: Callable[[np.ndarray], Bound] | None = None,
    **settings,
) -> Ensemble:
    """``integrate_ensemble``, and ``solver.fallback`` where it ended with its budget spent or its step too small.

    A second try that fails in the same way is kept only where it came further.

    Args:
        graph, states, times, parameters, solver, bounded, period: of ``integrate_ensemble``.
        jacobian: ``jacobian(parameters [P])`` is ``f(t, y [D]) -> [D, D]``; None: taken by differences.
        settings: the other arguments of ``integrate_ensemble``.
    """
    solver = solver or Solver()
    first = integrate_ensemble(graph, states, times, parameters, solver, bounded=bounded, period=period, **settings)
    again = np.flatnonzero(np.isin(first.status, RETRIED))
    if solver.fallback == "none" or not len(again):
        return first
    from strangecast.systems.numpy_field import bound

    grid, count = Grid.of(times, len(first)), len(first)
    rows = np.broadcast_to(np.asarray(parameters, np.float64), (count, graph.n_parameters))
    periods = None if period is None else np.broadcast_to(np.asarray(period, np.float64), count)
    second = solver.instead()
    result = replace(first, engines=(*first.engines, str(second)))
    for b in again:
        path = integrate(
            bound(graph, rows[b]),
            np.asarray(states, np.float64)[b],
            grid.times(b),
            second,
            bounded=bounded,
            period=None if periods is None else float(periods[b]),
            jacobian=None if jacobian is None else jacobian(rows[b]),
        )
        status, reached = STATUSES.index(path.status), len(path.states)
        result.evaluations[b] += path.evaluations
        if status in RETRIED and reached <= result.reached[b]:
            continue
        result.states[b, :reached], result.states[b, reached:] = path.states, np.nan
        result.status[b], result.reached[b], result.engine[b] = status, reached, 1
        # It has no steps of the explicit method to go on with.
        result.steps[b], result.next_steps[b] = 0, 0.0
    return result
