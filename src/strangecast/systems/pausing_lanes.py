"""Lanes that pause after a number of attempted steps, so that something can be done to their states in between.

A lane pauses because its budget of evaluations runs out; the budget is raised and it goes on, with the step it had.
All lanes of a block pause together. This is the bookkeeping that loops of that kind share; rows are [R, W] as in
``lanes/layout.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from strangecast.systems.graph import Graph
from strangecast.systems.lanes import layout as r
from strangecast.systems.lanes.compile import Compiled, compiled
from strangecast.systems.lanes.drive import call_field
from strangecast.systems.lanes.ensemble import make_block
from strangecast.systems.lanes.layout import HEAD, SCALAR_ROWS

_ATTEMPT = 12.0  # evaluations of one attempted step
DONE, DIVERGED, NON_FINITE, EXHAUSTED, TOO_SMALL = range(5)  # places in integrate.STATUSES


@dataclass(frozen=True)
class PausingLanes:
    """One block of lanes for a graph.

    Attributes:
        code: its kernels.
        block: the memory.
        rows: [R, W] float64, and the same memory as integers, ``words``.
    """

    code: Compiled
    block: np.ndarray
    rows: np.ndarray
    words: np.ndarray

    @classmethod
    def of(cls, graph: Graph, rtol: float, atol: float, once: bool = False) -> PausingLanes:
        """Compile the graph, or find it compiled, and make a block; ``once`` as ``lanes.compile`` has it."""
        code = compiled(graph, once=once)
        block = make_block(code, 1, rtol, atol, np.zeros(0))
        rows = block[HEAD:].reshape(-1, code.layout.width)
        return cls(code, block, rows, rows.view(np.int64))

    @property
    def width(self) -> int:
        """W."""
        return self.rows.shape[1]

    @property
    def handles(self) -> tuple[int, int, int, np.ndarray, np.ndarray]:
        """Address of ``advance``, of ``field`` and of the block, rows and words: what compiled loops take."""
        return self.code.advance, self.code.field, self.block.ctypes.data, self.rows, self.words


@njit(nogil=True, cache=True, error_model="numpy")
def seat_lanes(rows, words, states, parameters, limits, begin, end, first_step):
    """Put ``states`` [N, D], N <= W, into lanes at time ``begin``; lanes without one rest on the last of them."""
    count, dim = states.shape
    for lane in range(rows.shape[1]):
        seated = lane < count
        for d in range(dim):
            rows[SCALAR_ROWS + d, lane] = limits[d]
            rows[SCALAR_ROWS + dim + d, lane] = states[min(lane, count - 1), d]
            rows[SCALAR_ROWS + 2 * dim + d, lane] = 0.0
        for p in range(len(parameters)):
            rows[SCALAR_ROWS + 6 * dim + p, lane] = parameters[p]
        rows[r.TIME, lane], rows[r.NEXT, lane], rows[r.BUDGET, lane] = begin, math.inf, math.inf
        rows[r.END, lane] = end if seated else begin
        rows[r.STEP, lane] = first_step if seated else 0.0
        rows[r.EVALUATIONS, lane], rows[r.STEPS, lane] = 0.0, 0.0
        words[r.REJECTED, lane] = 0
        words[r.ACTIVE, lane] = -1 if seated else 0


@njit(nogil=True, cache=True, error_model="numpy")
def allow_attempts(rows, words, rounds):
    """Let all active lanes pause after ``rounds`` attempted steps more."""
    for lane in range(rows.shape[1]):
        active = words[r.ACTIVE, lane] != 0
        rows[r.BUDGET, lane] = rows[r.EVALUATIONS, lane] + _ATTEMPT * rounds - 1.0 if active else math.inf


@njit(nogil=True, cache=True, error_model="numpy")
def find_slopes(field, base, rows, dim, stale):
    """The right-hand side at their states of the lanes that are ``stale`` [W], written to their slopes."""
    state, slope, spare = SCALAR_ROWS + dim, SCALAR_ROWS + 2 * dim, SCALAR_ROWS + 4 * dim
    size, first = 8 * rows.shape[1], base + 8 * HEAD
    call_field(field, base, first + size * r.TIME, first + size * state, first + size * spare)
    for d in range(dim):
        for lane in range(rows.shape[1]):
            if stale[lane]:
                rows[slope + d, lane] = rows[spare + d, lane]


@njit(nogil=True, cache=True, error_model="numpy")
def overspent(evaluations, budget, progress):
    """Whether a lane has used more than its share of the budget for the part of its time that is behind it.

    A twentieth is allowed in advance: a lane that hardly moves is given up long before all is spent.
    """
    return evaluations > budget * (0.05 + progress)


@njit(nogil=True, cache=True, error_model="numpy")
def outcome(reason, sound, spent):
    """How a paused lane stands: a place in STATUSES, or -1 to go on."""
    if reason & r.OUTSIDE:
        return DIVERGED
    if reason & r.SMALL:
        return NON_FINITE if reason & r.UNDEFINED else TOO_SMALL
    if not sound:
        return NON_FINITE
    if reason & r.FINISHED:
        return DONE
    return EXHAUSTED if spent else -1


@njit(nogil=True, cache=True, error_model="numpy")
def share_out(amount, start, stop, begin, span, blocks):
    """Add ``amount``, gathered evenly from ``start`` to ``stop``, to the ``blocks`` [B] of ``[begin, begin + span]``."""
    count = len(blocks)
    width = span / count
    first, last = int((start - begin) / width), int((stop - begin) / width)
    for b in range(max(0, first), min(count - 1, last) + 1):
        low, high = max(start, begin + b * width), min(stop, begin + (b + 1) * width)
        if high > low:
            blocks[b] += amount * (high - low) / (stop - start)
