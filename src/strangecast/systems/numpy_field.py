"""Graphs as functions of arrays: of many states at once by NumPy, and of one state as fast as a solver can call it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from strangecast.systems.emission import ARRAY, SCALAR, emit
from strangecast.systems.graph import Graph

Batch = Callable[[float, np.ndarray, np.ndarray], np.ndarray]
Bound = Callable[[float, np.ndarray], np.ndarray]
_LARGEST = 2000


def batch(graph: Graph) -> Batch:
    """``f(t, state [..., D], parameters [P] or [..., P]) -> [..., D']``; t a number or an array [...]."""
    field = emit(graph, ARRAY, {"np": np})
    count = len(graph.outputs)

    def run(t: float, state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        state, parameters = np.asarray(state, np.float64), np.asarray(parameters, np.float64)
        shape = np.broadcast_shapes(np.shape(t), state.shape[:-1], parameters.shape[:-1])
        result = np.empty((*shape, count))
        with np.errstate(all="ignore"):
            found = field(np.float64(t), np.moveaxis(state, -1, 0), np.moveaxis(parameters, -1, 0))
            for i, values in enumerate(found):
                result[..., i] = values
        return result

    return run


def bound(graph: Graph, parameters: np.ndarray) -> Bound:
    """``f(t, state [D]) -> [D']`` with ``parameters`` [P] fixed, compiled by numba once per graph and process.

    A call costs less than a microsecond, the compilation a tenth of a second for a small graph; graphs of more than 2000
    operations, whose compilation takes minutes, are left to NumPy. Division by zero and the like give infinities and
    NaN, no exception.
    """
    parameters = np.array(parameters, np.float64)
    if graph.operations > _LARGEST:
        field = batch(graph)
        return lambda t, state: field(t, state, parameters)
    kernel = _compiled(graph)
    count = len(graph.outputs)

    def run(t: float, state: np.ndarray) -> np.ndarray:
        out = np.zeros(count)
        kernel(t, np.ascontiguousarray(state, np.float64), parameters, out)
        return out

    return run


@lru_cache(maxsize=512)
def _compiled(graph: Graph) -> Callable[..., None]:
    import numba

    row = numba.float64[::1]
    signature = numba.void(numba.float64, row, row, row)
    return numba.njit(signature, error_model="numpy")(emit(graph, SCALAR, {"np": np}, store=True))
