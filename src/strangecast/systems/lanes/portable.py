"""The stepper for machines that cannot run the vector kernels: one lane, compiled by numba.

The same block, the same meaning of every row and the same order of decisions as ``vector_step``; sums are not fused, so
the last bits differ. The right-hand side is the graph's source text for numbers, compiled in this process; the stepper
is the same for all systems and kept on disk by numba.
"""

from __future__ import annotations

import math

import numpy as np
from numba import carray, cfunc, njit, types
from numba.extending import intrinsic

from strangecast.systems.emission import SCALAR, emit
from strangecast.systems.graph import Graph
from strangecast.systems.lanes import layout as r
from strangecast.systems.lanes.compile import Compiled
from strangecast.systems.lanes.drive import call_field
from strangecast.systems.lanes.layout import HEAD, SCALAR_ROWS, Layout
from strangecast.systems.lanes.tableau import B3, E5, STAGES, A, C, D
from strangecast.systems.lanes.targets import NUMBA

# Slopes of 16 stages, trial state, new state and 7 coefficients of the dense output.
_VECTORS = 25
_TRIAL, _NEW, _DENSE = 16, 17, 18
_CELL = types.CPointer(types.float64)


def portable(graph: Graph) -> Compiled:
    """Kernels of a graph without lags, compiled by numba."""
    layout = Layout(1, graph.dim, graph.n_parameters, _VECTORS * graph.dim)
    body = njit(error_model="numpy")(emit(graph, SCALAR, {"np": np}, store=True))
    dim, count, n_parameters = graph.dim, len(graph.outputs), graph.n_parameters
    place = HEAD + layout.parameters

    def field(block, time, state, out):
        slopes = carray(out, (count,))
        slopes[:] = 0.0
        body(time[0], carray(state, (dim,)), carray(block, (place + n_parameters,))[place:], slopes)

    kernel = cfunc(types.void(_CELL, _CELL, _CELL, _CELL), error_model="numpy")(field)
    return Compiled(NUMBA, layout, advance_one.address if count == dim else 0, kernel.address, kernel)


def _padded(rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sparse rows as arrays: how many terms, their places, their weights."""
    counts = np.array([len(row) for row in rows])
    places, weights = np.zeros((len(rows), counts.max()), np.int64), np.zeros((len(rows), counts.max()))
    for i, row in enumerate(rows):
        places[i, : len(row)], weights[i, : len(row)] = list(row), list(row.values())
    return counts, places, weights


# Rows 0 to 15 of A, then the two error estimates, then the four of D.
_COUNTS, _PLACES, _WEIGHTS = _padded([*A, E5, B3, *D])
_E5, _B3, _D = 16, 17, 18
_FRACTIONS = np.array(C)


@intrinsic
def _pointer(context, address):
    def build(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return _CELL(types.int64), build


@njit(error_model="numpy")
def _combination(row, vectors, d):
    total = 0.0
    for i in range(_COUNTS[row]):
        total += _WEIGHTS[row, i] * vectors[_PLACES[row, i], d]
    return total


@njit(error_model="numpy")
def _stage(s, field, base, whole, vectors, place, y, t, h):
    """State and slope of a stage; ``place`` is the address of ``vectors``."""
    size = 8 * len(y)
    for d in range(len(y)):
        vectors[_TRIAL, d] = y[d] + h * _combination(s, vectors, d)
    whole[r.HEAD_CLOCK] = t + _FRACTIONS[s] * h
    call_field(field, base, base + 8 * r.HEAD_CLOCK, place + _TRIAL * size, place + s * size)


@njit(error_model="numpy")
def _dense(vectors, y, h):
    """Coefficients of the dense output from 16 slopes."""
    for d in range(len(y)):
        change, first, last = vectors[_NEW, d] - y[d], vectors[0, d], vectors[STAGES, d]
        vectors[_DENSE, d] = change
        vectors[_DENSE + 1, d] = h * first - change
        vectors[_DENSE + 2, d] = 2.0 * change - h * (last + first)
        for i in range(4):
            vectors[_DENSE + 3 + i, d] = h * _combination(_D + i, vectors, d)


@njit(error_model="numpy")
def _output(whole, rows, words, vectors, y, t, h, t_new):
    """Write the state at every grid time passed."""
    dim, length = len(y), whole.view(np.int64)[r.HEAD_TIMES]
    grid = whole.view(np.int64)[r.HEAD_GRID]
    while rows[r.NEXT] <= t_new:
        out = carray(_pointer(words[r.OUT]), (dim,))
        x = (rows[r.NEXT] - t) / h
        for d in range(dim):
            value = vectors[_DENSE + 6, d]
            for i in range(5, -1, -1):
                value = value * (x if i % 2 else 1.0 - x) + vectors[_DENSE + i, d]
            out[d] = y[d] + value * x
        words[r.OUT] += 8 * dim
        rows[r.INDEX] += 1.0
        index = int(rows[r.INDEX])
        if index >= length:
            rows[r.NEXT] = math.inf
        elif grid != 0:
            rows[r.NEXT] = carray(_pointer(grid), (length,))[index]
        else:
            rows[r.NEXT] = rows[r.START] + index * rows[r.SPACING]


@cfunc(types.void(types.int64), cache=True, error_model="numpy")
def advance_one(base):
    """Step the one lane of the block at address ``base`` until it wants attention."""
    whole = carray(_pointer(base), (HEAD,))
    dim, n_parameters = whole.view(np.int64)[r.HEAD_DIM], whole.view(np.int64)[r.HEAD_PARAMETERS]
    field, rtol, atol = whole.view(np.int64)[r.HEAD_FIELD], whole[r.HEAD_RTOL], whole[r.HEAD_ATOL]
    own = SCALAR_ROWS + 6 * dim + n_parameters
    rows = carray(_pointer(base + 8 * HEAD), (own + _VECTORS * dim,))
    words = rows.view(np.int64)
    limits, y = rows[SCALAR_ROWS : SCALAR_ROWS + dim], rows[SCALAR_ROWS + dim : SCALAR_ROWS + 2 * dim]
    slope = rows[SCALAR_ROWS + 2 * dim : SCALAR_ROWS + 3 * dim]
    vectors, place = rows[own:].reshape((_VECTORS, dim)), base + 8 * (HEAD + own)
    while True:
        t, step, end = rows[r.TIME], rows[r.STEP], rows[r.END]
        cut = t + step > end
        t_new = end if cut else t + step
        h = t_new - t
        vectors[0] = slope
        for s in range(1, STAGES):
            _stage(s, field, base, whole, vectors, place, y, t, h)
        n5, n3, outside = 0.0, 0.0, False
        for d in range(dim):
            change = _combination(STAGES, vectors, d)
            new = y[d] + h * change
            scale = atol + rtol * max(abs(y[d]), abs(new))
            n5 += (_combination(_E5, vectors, d) / scale) ** 2
            n3 += ((change - _combination(_B3, vectors, d)) / scale) ** 2
            outside = outside or not abs(new) <= limits[d]
            vectors[_NEW, d] = new
        whole[r.HEAD_CLOCK] = t_new
        size = 8 * dim
        call_field(field, base, base + 8 * r.HEAD_CLOCK, place + _NEW * size, place + STAGES * size)
        norm = (n5 + 0.01 * n3) * dim
        error = h * n5 / math.sqrt(1e-300 if norm < 1e-300 else norm)
        accepted = error < 1.0
        factor = 0.9 / math.sqrt(math.sqrt(math.sqrt(error)))
        if accepted:
            factor = min(10.0, factor)
            if words[r.REJECTED] != 0:
                factor = min(1.0, factor)
        elif not factor > 0.2:
            factor = 0.2
        following = h * factor
        least = 10.0 * (np.nextafter(abs(t_new if accepted else t), math.inf) - abs(t_new if accepted else t))
        tiny = following < least
        reason = 0
        rows[r.EVALUATIONS] += 12.0
        words[r.REJECTED] = 0 if accepted else -1
        rows[r.STEP] = following
        if accepted:
            rows[r.STEPS] += 1.0
            if outside:
                reason |= r.OUTSIDE
            else:
                if rows[r.NEXT] <= t_new:
                    for s in range(STAGES + 1, STAGES + 4):
                        _stage(s, field, base, whole, vectors, place, y, t, h)
                    rows[r.EVALUATIONS] += 3.0
                    _dense(vectors, y, h)
                    _output(whole, rows, words, vectors, y, t, h, t_new)
                if t_new >= end:
                    reason |= r.FINISHED
            rows[r.TIME], y[:], slope[:] = t_new, vectors[_NEW], vectors[STAGES]
            # A step cut to end on the last grid time says nothing of the next.
            rows[r.STEP] = step if cut else max(following, least)
        elif tiny:
            reason |= r.SMALL
        if rows[r.EVALUATIONS] > rows[r.BUDGET]:
            reason |= r.SPENT
        if reason != 0:
            words[r.REASON] = reason | (r.UNDEFINED if math.isnan(error) else 0)
            return
