"""What others do: dysts' own integration as Panda calls it, SciPy with a compiled right-hand side, numbalsoda."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.integration.problems import Problem, cpu
from strangecast.systems.graph import Graph

PATIENCE = 8.0  # seconds; what would take longer is timed on a segment
SEGMENT = 8  # parts of the whole


def panda(problem: Problem, parameters: dict[str, Any] | None = None) -> Callable[[np.ndarray, float, int], np.ndarray]:
    """``run(state [D], span, T) -> [T, D]`` by dysts: Radau, rtol 1e-9, atol 1e-10, its Jacobian where it has one."""
    from dysts import flows

    flow = getattr(flows, problem.system.name)()
    for key, value in (parameters or {}).items():
        flow.params[key] = value
        setattr(flow, key, value)
    flow.param_list = [flow.params[key] for key in sorted(flow.params)]

    def run(state: np.ndarray, span: float, points: int, rtol: float = 1e-9, atol: float = 1e-10) -> np.ndarray:
        found = flow.make_trajectory(
            points, init_cond=state, pts_per_period=points * flow.period / span, method="Radau", rtol=rtol, atol=atol,
            postprocess=False,
        )  # fmt: skip
        if found is None or len(found) != points:
            raise RuntimeError(f"dysts made no trajectory of {problem.system.name}")
        return found

    return run


def scipy_dop853(problem: Problem) -> Callable[[np.ndarray, float, int], np.ndarray]:
    """``run(state, span, T)`` by ``solve_ivp`` with a compiled right-hand side at rtol 1e-9, atol 1e-10."""
    from scipy.integrate import solve_ivp

    bound = problem.system.bind(problem.system.values)

    def run(state: np.ndarray, span: float, points: int) -> np.ndarray:
        grid = np.linspace(0.0, span, points)
        return solve_ivp(bound, (0.0, span), state, "DOP853", grid, rtol=1e-9, atol=1e-10).y.T

    return run


def numbalsoda(problem: Problem, method: str) -> Callable[[np.ndarray, float, int], np.ndarray] | None:
    """``run(states [N, D], span, T) -> [N, T, D]`` in compiled code all through, or None where it is not installed."""
    try:
        library = import_module("numbalsoda")
    except ImportError:
        return None
    if not hasattr(library, method):
        return None
    import numba

    solve = getattr(library, method)
    address = _kernel(problem.system.graph).address

    @numba.njit
    def ensemble(address, states, grid, parameters):
        out = np.empty((len(states), len(grid), states.shape[1]))
        for i in range(len(states)):
            found, done = solve(address, states[i], grid, parameters, 1e-9, 1e-10, 10_000_000)
            out[i] = found
            if not done:
                out[i] = np.nan
        return out

    def run(states: np.ndarray, span: float, points: int) -> np.ndarray:
        parameters = np.append(problem.system.values, 0.0)  # it wants at least one
        found = ensemble(address, np.ascontiguousarray(states), np.linspace(0.0, span, points), parameters)
        if not np.isfinite(found).all():
            raise RuntimeError(f"numbalsoda's {method} failed on {problem.system.name}")
        return found

    return run


@lru_cache(maxsize=64)
def _kernel(graph: Graph) -> Any:
    """The right-hand side as numbalsoda calls it."""
    import numba
    from numba import types

    from strangecast.systems.emission import SCALAR, emit

    body = numba.njit(error_model="numpy")(emit(graph, SCALAR, {"np": np}, store=True))
    dim, n_parameters = graph.dim, graph.n_parameters
    cell = types.CPointer(types.float64)

    def field(t, state, slope, parameters):
        out = numba.carray(slope, (dim,))
        out[:] = 0.0
        body(t, numba.carray(state, (dim,)), numba.carray(parameters, (n_parameters + 1,)), out)

    return numba.cfunc(types.void(types.float64, cell, cell, cell), error_model="numpy")(field)


def whole(run: Callable[[np.ndarray, float, int], Any], problem: Problem, state: np.ndarray) -> tuple[float, bool]:
    """CPU seconds of a full trajectory, and whether they were extrapolated from its first part."""
    span = problem.periods * problem.system.period
    part = cpu(lambda: run(state, span / SEGMENT, problem.points // SEGMENT))
    if part * SEGMENT > PATIENCE:
        return part * SEGMENT, True
    return cpu(lambda: run(state, span, problem.points)), False


def wall(work: Callable[[], Any], repeats: int = 3) -> float:
    """Least wall seconds: what a free machine would need."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)
