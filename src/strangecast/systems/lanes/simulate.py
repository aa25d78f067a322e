"""Many trajectories of any system: in lanes where it has a graph, one by one where it has not."""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import DataError
from strangecast.systems.base import System
from strangecast.systems.integrate import STATUSES, Solver
from strangecast.systems.lanes.ensemble import Ensemble
from strangecast.systems.lanes.fallback import with_fallback
from strangecast.systems.lanes.grid import Grid, Times


def simulate_many(
    system: System,
    states: np.ndarray,
    times: Times,
    parameters: np.ndarray,
    solver: Solver | None = None,
    *,
    threads: int = 1,
    once: bool = False,
    path: str | None = None,
) -> Ensemble:
    """Trajectories from ``states`` [B, D]; the result says what made each and how it ended.

    Args:
        system: any; one whose ``graph`` is an ODE is integrated in lanes, with the fallback of the solver.
        states: [B, D] at the first grid times.
        times: [T], or first times, spacings and T (see ``integrate_ensemble``).
        parameters: [P] or [B, P].
        solver: tolerances and budget; radau and lsoda go one by one.
        threads: for the lanes.
        once: the graph will not be asked for again (see ``integrate_ensemble``).
        path: of ``targets.PATHS``.
    """
    solver = solver or Solver()
    graph = getattr(system, "graph", None)
    if graph is not None and not graph.lags and solver.name == "dop853":
        return with_fallback(
            graph, states, times, parameters, solver, bounded=system.bounded, period=system.period,
            jacobian=getattr(system, "bind_jacobian", None), threads=threads, once=once, path=path,
        )  # fmt: skip
    states = np.asarray(states, np.float64)
    if states.ndim < 2:
        raise DataError(f"states must be [B, D], found {list(states.shape)}")
    count = len(states)
    grid = Grid.of(times, count)
    parameters = np.broadcast_to(np.asarray(parameters, np.float64), (count, len(system.values)))
    out = np.full((count, grid.length, *states.shape[1:]), np.nan)
    status, evaluations, steps, reached, engine = (np.zeros(count, np.int64) for _ in range(5))
    for b in range(count):
        found = system.simulate(states[b], grid.times(b), parameters[b], solver)
        out[b, : len(found.states)] = found.states
        status[b], evaluations[b], reached[b] = STATUSES.index(found.status), found.evaluations, len(found.states)
    return Ensemble(out, status, evaluations, steps, reached, np.zeros(count), (str(solver),), engine)
