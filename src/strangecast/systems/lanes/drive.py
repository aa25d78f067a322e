"""The loop that feeds trajectories to the lanes of one block: the same for all systems and all paths.

It fills idle lanes from a queue, finds their first step, calls ``advance`` until a lane wants attention, and writes
down what became of that lane. Kernels are called by address; the loop is compiled once and kept on disk by numba.
"""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from strangecast.systems.lanes import layout as r
from strangecast.systems.lanes.layout import HEAD, SCALAR_ROWS

# Numbers of ``integrate.STATUSES``.
DONE, DIVERGED, NON_FINITE, EXHAUSTED, TOO_SMALL = range(5)


@intrinsic
def call_advance(context, address, block):
    """Call ``void (*)(block)`` by its address."""

    def build(context, builder, signature, args):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)])
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), [args[1]])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), build


@intrinsic
def call_field(context, address, block, time, state, out):
    """Call ``void (*)(block, time, state, out)`` by its address."""

    def build(context, builder, signature, args):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 4)
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), list(args[1:]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64, types.int64), build


@njit(nogil=True, cache=True, error_model="numpy")
def drive(advance, field, base, rows, words, queue, task, tolerances, results):
    """Integrate the trajectories ``queue`` and fill their rows of the results.

    Args:
        advance, field: addresses of kernels.
        base: address of the block, whose head is filled in.
        rows: [R, W] float64 view of the block's rows.
        words: [R, W] int64 view of the same memory.
        queue: [Q] numbers of trajectories.
        task: states [B, D], parameters [B, P], begin [B] and spacing [B] of the grid, times [T + 1] with infinity at
            the end (or empty: the grid is begin + i spacing), limits [D], budgets [B], first steps [B] (0: estimate).
        tolerances: rtol, atol.
        results: states [B, T, D], addresses [B] of its trajectories, and [B] each of status, evaluations, steps,
            reached and next step. ``advance`` writes the states, but for the first and those not reached.
    """
    states, parameters, begin, spacing, times, limits, budgets, first_steps = task
    out, addresses, status, evaluations, steps, reached, next_steps = results
    dim, length, width = states.shape[1], out.shape[1], rows.shape[1]
    held = np.full(width, -1)
    fresh = np.zeros(width, np.bool_)
    at, live = 0, 0
    while True:
        waiting = False
        for lane in range(width):
            fresh[lane] = held[lane] < 0 and at < len(queue)
            if held[lane] >= 0:
                continue
            # An idle lane stands still on a state that can be computed with.
            b = queue[min(at, len(queue) - 1)]
            _place(rows, words, lane, b, states, parameters, limits)
            start, end, following = begin[b], begin[b] + (length - 1) * spacing[b], begin[b] + 1 * spacing[b]
            if len(times) > 0:
                start, end, following = times[0], times[length - 1], times[1]
            rows[r.TIME, lane] = start
            rows[r.END, lane] = start
            if not fresh[lane]:
                continue
            at += 1
            live += 1
            held[lane] = b
            waiting = True
            rows[r.END, lane] = end
            rows[r.NEXT, lane] = following
            rows[r.START, lane] = start
            rows[r.SPACING, lane] = spacing[b]
            rows[r.INDEX, lane] = 1.0
            rows[r.BUDGET, lane] = budgets[b]
            rows[r.STEP, lane] = first_steps[b]
            words[r.OUT, lane] = addresses[b] + 8 * dim
            for d in range(dim):
                out[b, 0, d] = states[b, d]
        if live == 0:
            break
        if waiting:
            _begin(field, base, rows, dim, fresh, tolerances)
        ready = True
        for lane in range(width):
            if not fresh[lane]:
                continue
            b = held[lane]
            rows[r.EVALUATIONS, lane] = 2.0 if first_steps[b] == 0.0 else 1.0
            defined, sound = True, True
            for d in range(dim):
                defined = defined and math.isfinite(states[b, d])
                sound = sound and math.isfinite(rows[SCALAR_ROWS + 2 * dim + d, lane])
            if defined and sound:
                words[r.ACTIVE, lane] = -1
            else:
                words[r.REASON, lane] = r.SMALL | r.UNDEFINED
                rows[r.INDEX, lane] = 1.0 if defined else 0.0
                rows[r.STEP, lane] = 0.0
                ready = False
        if ready:
            call_advance(advance, base)
        for lane in range(width):
            b = held[lane]
            if b < 0 or words[r.REASON, lane] == 0:
                continue
            status[b] = _status(words[r.REASON, lane], rows, dim, lane)
            evaluations[b] = int(rows[r.EVALUATIONS, lane])
            steps[b] = int(rows[r.STEPS, lane])
            reached[b] = int(rows[r.INDEX, lane])
            next_steps[b] = rows[r.STEP, lane]
            for i in range(reached[b], length):
                for d in range(dim):
                    out[b, i, d] = math.nan
            held[lane] = -1
            live -= 1


@njit(nogil=True, cache=True, error_model="numpy")
def _place(rows, words, lane, b, states, parameters, limits):
    """Put trajectory ``b`` into a lane, standing still."""
    dim = len(limits)
    for d in range(dim):
        rows[SCALAR_ROWS + d, lane] = limits[d]
        rows[SCALAR_ROWS + dim + d, lane] = states[b, d]
        rows[SCALAR_ROWS + 2 * dim + d, lane] = 0.0
    for p in range(parameters.shape[1]):
        rows[SCALAR_ROWS + 6 * dim + p, lane] = parameters[b, p]
    rows[r.STEP, lane] = 0.0
    rows[r.NEXT, lane] = math.inf
    rows[r.BUDGET, lane] = math.inf
    rows[r.EVALUATIONS, lane] = 0.0
    rows[r.STEPS, lane] = 0.0
    words[r.REJECTED, lane] = 0
    words[r.ACTIVE, lane] = 0
    words[r.REASON, lane] = 0


@njit(nogil=True, cache=True, error_model="numpy")
def _status(reason, rows, dim, lane):
    """Number of a lane's status."""
    if reason & r.OUTSIDE:
        for d in range(dim):
            if not math.isfinite(rows[SCALAR_ROWS + dim + d, lane]):
                return NON_FINITE
        return DIVERGED
    if reason & r.FINISHED:
        return DONE
    if reason & r.SMALL:
        return NON_FINITE if reason & r.UNDEFINED else TOO_SMALL
    return EXHAUSTED


@njit(nogil=True, cache=True, error_model="numpy")
def _begin(field, base, rows, dim, fresh, tolerances):
    """Slope of fresh lanes, and the first step of those that have none.

    Source: E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I (1993), section II.4.
    """
    rtol, atol = tolerances
    width = rows.shape[1]
    state, slope = SCALAR_ROWS + dim, SCALAR_ROWS + 2 * dim
    trial, steep = SCALAR_ROWS + 3 * dim, SCALAR_ROWS + 4 * dim
    origin, unit = base + 8 * HEAD, 8 * width
    call_field(field, base, origin + unit * r.TIME, origin + unit * state, origin + unit * steep)
    small, speeds, times = np.zeros(width), np.zeros(width), np.zeros(width)
    for lane in range(width):
        times[lane] = rows[r.TIME, lane]
        d0, d1 = 0.0, 0.0
        for d in range(dim):
            y, f = rows[state + d, lane], rows[steep + d, lane]
            if fresh[lane]:
                rows[slope + d, lane] = f
            scale = atol + abs(y) * rtol
            d0 += (y / scale) ** 2
            d1 += (f / scale) ** 2
        d0, d1 = math.sqrt(d0 / dim), math.sqrt(d1 / dim)
        h = 1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01 * d0 / d1
        small[lane] = min(h, rows[r.END, lane] - times[lane])
        speeds[lane] = d1
        for d in range(dim):
            rows[trial + d, lane] = rows[state + d, lane] + small[lane] * rows[steep + d, lane]
        rows[r.TIME, lane] = times[lane] + small[lane]
    call_field(field, base, origin + unit * r.TIME, origin + unit * trial, origin + unit * steep)
    for lane in range(width):
        rows[r.TIME, lane] = times[lane]
        if not fresh[lane] or rows[r.STEP, lane] != 0.0:
            continue
        d1, d2 = speeds[lane], 0.0
        for d in range(dim):
            scale = atol + abs(rows[state + d, lane]) * rtol
            d2 += ((rows[steep + d, lane] - rows[slope + d, lane]) / scale) ** 2
        d2 = math.sqrt(d2 / dim) / small[lane]
        h = math.sqrt(math.sqrt(math.sqrt(0.01 / (d2 if d2 > d1 else d1))))
        if d1 <= 1e-15 and d2 <= 1e-15:
            h = max(1e-6, small[lane] * 1e-3)
        rows[r.STEP, lane] = min(100.0 * small[lane], h, rows[r.END, lane] - times[lane])
