"""Many trajectories of one system at once, each with its own step size.

A trajectory's bits depend on its own start, parameters and grid, the tolerances and the path (``targets``), and on
nothing else: not on its place in the batch, its neighbours, or the number of threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from strangecast.core.errors import ConfigError, DataError
from strangecast.systems.graph import Graph
from strangecast.systems.integrate import STATUSES, Solver, Trajectory
from strangecast.systems.lanes import layout as r
from strangecast.systems.lanes.compile import Compiled, compiled
from strangecast.systems.lanes.grid import Grid, Times
from strangecast.systems.lanes.layout import HEAD


@dataclass(frozen=True)
class Ensemble:
    """Trajectories on their grids as far as the integration came.

    Attributes:
        states: [B, T, D]; NaN where ``reached`` ends.
        status: [B], places in ``integrate.STATUSES``.
        evaluations: [B] of the right-hand side.
        steps: [B] accepted steps.
        reached: [B] grid times reached while all was well.
        next_steps: [B] the step that would be tried next, for an integration that goes on.
        engines: names of what integrated.
        engine: [B] which of them made the trajectory.
    """

    states: np.ndarray
    status: np.ndarray
    evaluations: np.ndarray
    steps: np.ndarray
    reached: np.ndarray
    next_steps: np.ndarray
    engines: tuple[str, ...]
    engine: np.ndarray

    def __len__(self) -> int:
        return len(self.states)

    @property
    def finished(self) -> np.ndarray:
        """[B] of bool: whether every grid time was reached."""
        return self.status == 0

    def told(self, i: int) -> str:
        """What made trajectory ``i`` and how it ended, for manifests: ``lanes dop853 avx512 ...: finished``."""
        return f"{self.engines[self.engine[i]]}: {STATUSES[self.status[i]]}"

    def trajectory(self, i: int) -> Trajectory:
        """Trajectory ``i`` alone."""
        return Trajectory(self.states[i, : self.reached[i]], STATUSES[self.status[i]], int(self.evaluations[i]))


def integrate_ensemble(
    graph: Graph,
    states: np.ndarray,
    times: Times,
    parameters: np.ndarray,
    solver: Solver | None = None,
    *,
    bounded: np.ndarray | None = None,
    period: float | np.ndarray | None = None,
    threads: int = 1,
    path: str | None = None,
    once: bool = False,
    first_steps: np.ndarray | None = None,
    out: np.ndarray | None = None,
) -> Ensemble:
    """Solve ``dy/dt = graph(t, y, parameters)`` from every state.

    Args:
        graph: right-hand side without lags, D outputs.
        states: [B, D] at each trajectory's first grid time.
        times: [T] increasing, for all trajectories; or ``(first, spacing, T)`` with numbers or [B].
        parameters: [P], or [B, P].
        solver: tolerances, limit and budget of ``dop853``.
        bounded: [D] of bool, coordinates held against ``solver.limit``; None for all.
        period: sets the budgets together with the span of the times; a number or [B]; None: T / 100 turns.
        threads: share the trajectories among so many.
        path: of ``targets.PATHS``; None for the environment's, else the fastest.
        once: compile in a fraction of the time and keep nothing on disk, for a graph of few trajectories that nobody
            will ask for again. The same bits.
        first_steps: [B] first step to try, 0 to estimate it; for going on from another ensemble.
        out: [B, T, D], contiguous float64, to be filled instead of a new array.

    Raises:
        ConfigError: another solver than ``dop853``, a path that cannot run here, a graph with lags.
        DataError: shapes that do not fit, parameters that are not finite, times that do not increase.

    Source: E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I (1993), section II.10.
    """
    solver = solver or Solver()
    if solver.name != "dop853":
        raise ConfigError(f"lanes integrate by dop853, not by '{solver.name}'")
    if graph.lags or len(graph.outputs) != graph.dim:
        raise ConfigError(
            f"a graph of {len(graph.outputs)} outputs and {len(graph.lags)} lags is no ODE of {graph.dim}"
        )
    states = _states(graph, states)
    count, dim = states.shape
    parameters = _parameters(graph, parameters, count)
    grid = Grid.of(times, count)
    code = compiled(graph, path, once=once)
    shape = (count, grid.length, dim)
    if out is None:
        out = np.empty(shape)
    elif out.shape != shape or out.dtype != np.float64 or not out.flags.carray:
        raise DataError(f"out must be a writable, contiguous float64 array {shape}, found {out.dtype} {out.shape}")
    firsts = _each("first_steps", 0.0 if first_steps is None else first_steps, count)
    if not ((firsts >= 0) & (firsts < np.inf)).all():
        raise DataError("first_steps must be finite and not negative")
    limits = np.full(dim, solver.limit)
    if bounded is not None:
        if np.shape(bounded) != (dim,):
            raise DataError(f"bounded must be [{dim}], found {list(np.shape(bounded))}")
        limits[~np.asarray(bounded, bool)] = np.finfo(np.float64).max
    periods = None if period is None else _each("period", period, count)
    if periods is not None and not (periods > 0).all():
        raise DataError("period must be positive")
    budgets = _each("budget", solver.budget(grid.span, periods, grid.length), count)
    listed = np.append(grid.table, np.inf) if len(grid.table) else np.zeros(0)
    task = (states, parameters, grid.begin, grid.spacing, listed, limits, budgets, firsts)
    numbers = [np.zeros(count, np.int64) for _ in range(4)]
    results = (out, out.ctypes.data + out.strides[0] * np.arange(count), *numbers, np.zeros(count))
    if grid.length == 1:
        out[:, 0] = states
        sound = np.isfinite(states).all(axis=1)
        numbers[0][:], numbers[3][:] = np.where(sound, 0, STATUSES.index("non-finite")), sound
    elif count:
        _share(code, solver, grid.length, task, results, threads)
    status, evaluations, steps, reached = numbers
    engine = (f"lanes {solver.name} {code.target.name} rtol={solver.rtol:g} atol={solver.atol:g}",)
    nowhere = np.zeros(count, np.int64)
    return Ensemble(out, status, evaluations, steps, reached, results[-1], engine, nowhere)


def _share(code: Compiled, solver: Solver, length: int, task: tuple, results: tuple, threads: int) -> None:
    """Run the loop once for each thread, on every so manyth trajectory."""
    from strangecast.systems.lanes.drive import drive

    count = len(task[0])
    threads = max(1, min(threads, -(-count // code.target.width)))

    def work(first: int) -> None:
        block = make_block(code, length, solver.rtol, solver.atol, task[4])
        rows = block[HEAD:].reshape(-1, code.layout.width)
        queue = np.arange(first, count, threads)
        drive(
            code.advance, code.field, block.ctypes.data, rows, rows.view(np.int64), queue, task,
            (solver.rtol, solver.atol), results,
        )  # fmt: skip

    if threads == 1:
        work(0)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))


def make_block(code: Compiled, length: int, rtol: float, atol: float, table: np.ndarray) -> np.ndarray:
    """The block of one group of lanes, its head filled in.

    Args:
        code: kernels.
        length: T.
        rtol, atol: tolerances.
        table: [T + 1] grid times with infinity at the end, kept alive by the caller; or empty.
    """
    words = code.layout.words
    raw = np.zeros(words + 8)
    skipped = -raw.ctypes.data // 8 % 8
    block = raw[skipped : skipped + words]
    head = block[:HEAD].view(np.int64)
    head[[r.HEAD_FIELD, r.HEAD_DIM, r.HEAD_PARAMETERS]] = code.field, code.layout.dim, code.layout.n_parameters
    head[[r.HEAD_TIMES, r.HEAD_GRID]] = length, table.ctypes.data if len(table) else 0
    head[[r.HEAD_INNER, r.HEAD_PREPARE, r.HEAD_VECTORS]] = code.shared
    block[[r.HEAD_RTOL, r.HEAD_ATOL]] = rtol, atol
    return block


def _states(graph: Graph, states: np.ndarray) -> np.ndarray:
    # Copies: compiled code is specialised on arrays that may be written to.
    states = np.array(states, np.float64, order="C")
    if states.ndim != 2 or states.shape[1] != graph.dim:
        raise DataError(f"states must be [B, {graph.dim}], found {list(states.shape)}")
    return states


def _each(name: str, values: float | np.ndarray, count: int) -> np.ndarray:
    """A number, or one for each trajectory, as [count]."""
    if np.shape(values) not in ((), (count,)):
        raise DataError(f"{name} must be a number or [{count}], found {list(np.shape(values))}")
    return np.array(np.broadcast_to(values, count), np.float64)


def _parameters(graph: Graph, parameters: np.ndarray, count: int) -> np.ndarray:
    parameters = np.asarray(parameters, np.float64)
    if parameters.shape not in ((graph.n_parameters,), (count, graph.n_parameters)):
        raise DataError(
            f"parameters must be [{graph.n_parameters}] or [{count}, {graph.n_parameters}], found {list(parameters.shape)}"
        )
    parameters = np.array(np.broadcast_to(parameters, (count, graph.n_parameters)), order="C")
    if not np.isfinite(parameters).all():
        b, p = np.argwhere(~np.isfinite(parameters))[0]
        raise DataError(f"parameter {p} of trajectory {b} is {parameters[b, p]}; parameters must be finite numbers")
    return parameters
