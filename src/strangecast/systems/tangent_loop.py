"""The compiled loop of tangent dynamics: lanes step, and between steps their tangent vectors are orthonormalised.

One lane is one initial condition: D numbers of state, k tangent vectors, and the integral of the divergence. All lanes
pause after the same number of attempted steps, are orthonormalised together, and go on with the steps they had: no step
is cut. Orthonormalising is linear, and so is the tangent equation, so slopes are mapped with the vectors instead of
being computed anew.

An explicit method keeps step times contraction rate within its region of stability (about 6 here), so vectors that are
orthonormalised every ``rounds`` steps differ in length by about exp(6 rounds) at most: no pilot is needed to know that
they do not collapse. The smallest ratio met is returned all the same.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from strangecast.systems.lanes import layout as r
from strangecast.systems.lanes.drive import call_advance
from strangecast.systems.lanes.layout import SCALAR_ROWS
from strangecast.systems.pausing_lanes import allow_attempts, find_slopes, outcome, overspent, seat_lanes, share_out
from strangecast.systems.scalar_field import call_scalar
from strangecast.systems.switches import BY_FLOOR, BY_SIGN

_CONTINUOUS = 1e-3  # a smaller jump, relative to the field, is a kink met beside its surface


@njit(nogil=True, cache=True, error_model="numpy")
def follow_tangents(lanes, switches, states, vectors, parameters, scale, limits, when, pace, results):
    """Follow one block of lanes to its end.

    Args:
        lanes: ``PausingLanes.handles`` of the variational graph.
        switches: addresses of compiled functions of the switches (levels with gradients, and the field with switches
            held) and their kinds [n]; n = 0 where the field is continuous.
        states: [N, D] with N <= W.
        vectors: [k, D] first tangent vectors, in units of ``scale``.
        parameters: [P].
        scale: [D] units in which tangent vectors are orthonormalised.
        limits: [D].
        when: time at the start, time to turn the vectors before anything is counted, time that is counted.
        pace: attempted steps between orthonormalisations (1 where there are switches), first step to try, and the
            budget of evaluations of one lane.
        results: sums of logarithms of growth [N, k, blocks], integrals of the divergence [N, blocks], status [N],
            and time until which all was well [N]; written here.

    Returns:
        The smallest ratio of last to first length before an orthonormalisation, as a logarithm; how often the field
        jumped; and how often it did so where the flow slides along the surface.
    """
    advance, field, base, rows, words = lanes
    levels, kinds = switches[0], switches[2]
    begin, skip, span = when
    rounds, first_step, budget = pace
    logs, volumes, status, until = results
    count, dim = states.shape
    k, width = len(vectors), rows.shape[1]
    total = dim * (1 + k) + 1
    state, slope = SCALAR_ROWS + total, SCALAR_ROWS + 2 * total
    volume = state + total - 1
    last, stale = np.full(width, begin), np.ones(width, np.bool_)
    growth, values = np.zeros((k, width)), np.zeros((width, len(kinds)))
    worst, jumped, slid = 0.0, 0, 0

    first, bounds = np.zeros((count, total)), np.full(total, math.inf)
    for d in range(dim):
        bounds[d] = limits[d]
        for n in range(count):
            first[n, d] = states[n, d]
            for j in range(k):
                first[n, dim * (1 + j) + d] = vectors[j, d] * scale[d]
    seat_lanes(rows, words, first, parameters, bounds, begin, begin + skip + span, first_step)
    if len(kinds) > 0:
        for n in range(count):
            _settle(levels, kinds, begin, states[n], parameters, values[n])
    find_slopes(field, base, rows, total, stale)
    live = count
    while live > 0:
        allow_attempts(rows, words, rounds)
        call_advance(advance, base)
        if len(kinds) > 0:
            crossed = False
            for lane in range(count):
                stale[lane] = False
                if words[r.ACTIVE, lane] != 0 and rows[r.TIME, lane] > last[lane]:
                    jumps, factor, slides = _cross(
                        switches, rows[r.TIME, lane], rows[state:volume, lane], dim, parameters, values[lane]
                    )
                    stale[lane] = jumps > 0
                    rows[volume, lane] += factor
                    jumped += jumps
                    slid += slides
                    crossed = crossed or stale[lane]
            if crossed:
                find_slopes(field, base, rows, total, stale)
        _orthonormalise(rows[state + dim : volume], rows[slope + dim : slope + total - 1], dim, scale, growth)
        for lane in range(count):
            if words[r.ACTIVE, lane] == 0:
                continue
            now, sound = rows[r.TIME, lane], True
            for j in range(k):
                sound = sound and 0.0 < growth[j, lane] < math.inf
            if sound:
                worst = min(worst, math.log(growth[k - 1, lane] / growth[0, lane]))
                for j in range(k):
                    share_out(math.log(growth[j, lane]), last[lane], now, begin + skip, span, logs[lane, j])
                share_out(rows[volume, lane], last[lane], now, begin + skip, span, volumes[lane])
            rows[volume, lane] = 0.0
            last[lane] = now
            if sound:
                until[lane] = now
            spent = overspent(rows[r.EVALUATIONS, lane], budget, (now - begin) / (skip + span))
            found = outcome(words[r.REASON, lane], sound, spent)
            if found >= 0:
                status[lane] = found
                words[r.ACTIVE, lane] = 0
                live -= 1
    return worst, jumped, slid


@njit(nogil=True, cache=True, error_model="numpy")
def _orthonormalise(vectors, slopes, dim, scale, growth):
    """Modified Gram-Schmidt of the vectors [k D, W] in units of ``scale``, slopes along; lengths to ``growth`` [k, W]."""
    k, width = growth.shape
    dot, weights = np.empty(width), np.empty(dim)
    for d in range(dim):
        weights[d] = 1.0 / (scale[d] * scale[d])
    for j in range(k):
        for i in range(j):
            for lane in range(width):
                dot[lane] = 0.0
            for d in range(dim):
                for lane in range(width):
                    dot[lane] += weights[d] * vectors[i * dim + d, lane] * vectors[j * dim + d, lane]
            for d in range(dim):
                for lane in range(width):
                    vectors[j * dim + d, lane] -= dot[lane] * vectors[i * dim + d, lane]
                    slopes[j * dim + d, lane] -= dot[lane] * slopes[i * dim + d, lane]
        for lane in range(width):
            dot[lane] = 0.0
        for d in range(dim):
            for lane in range(width):
                dot[lane] += weights[d] * vectors[j * dim + d, lane] * vectors[j * dim + d, lane]
        for lane in range(width):
            growth[j, lane] = math.sqrt(dot[lane])
            dot[lane] = 1.0 / growth[j, lane]
        for d in range(dim):
            for lane in range(width):
                vectors[j * dim + d, lane] *= dot[lane]
                slopes[j * dim + d, lane] *= dot[lane]


@njit(nogil=True, cache=True, error_model="numpy")
def _worth(kind, level):
    """The value of a switch at a level."""
    if kind == BY_FLOOR:
        return math.floor(level)
    return 1.0 if level > 0.0 else (-1.0 if kind == BY_SIGN else 0.0)


@njit(nogil=True, cache=True, error_model="numpy")
def _call(function, time, state, parameters, values, out):
    """Call a function of the switches: its parameters are those of the flow and the values of the switches."""
    n = len(parameters)
    both = np.empty(n + len(values))
    for p in range(len(both)):
        both[p] = parameters[p] if p < n else values[p - n]
    call_scalar(function, time, state.ctypes.data, both.ctypes.data, 0, out.ctypes.data)


@njit(nogil=True, cache=True, error_model="numpy")
def _settle(levels, kinds, time, state, parameters, values):
    """The values of all switches at a state [D], the earlier first: later ones may depend on them."""
    n = len(kinds)
    out = np.empty(n * (1 + len(state)))
    for i in range(n):
        _call(levels, time, state, parameters, values, out)
        values[i] = _worth(kinds[i], out[i])


@njit(nogil=True, cache=True, error_model="numpy")
def _cross(switches, time, lane, dim, parameters, values):
    """Apply the saltation matrix of every switch that has changed to the vectors of one lane.

    The fields f- and f+ of both sides are taken where the straight way back from the end of the step meets the surface:
    at a jump the step is as short as the error control makes it, at a kink f+ = f- there. With n the gradient of the
    level, vectors go by ``v + (f+ - f-) (n v) / (n f-)``. Where both fields point to the surface, the flow slides along
    it, and f+ is the mean of both that does.

    Returns the number of jumps of the field, the logarithm of the factor by which volumes changed, and on how many
    surfaces the flow slides.

    Source: R. I. Leine, H. Nijmeijer, Dynamics and Bifurcations of Non-Smooth Mechanical Systems (2004), chapter 7.
    """
    levels, held, kinds = switches
    n = len(kinds)
    x, at, before, after = np.empty(dim), np.empty(dim), np.empty(dim), np.empty(dim)
    out = np.empty(n * (1 + dim))
    for d in range(dim):
        x[d] = lane[d]
    jumps, volume, slides = 0, 0.0, 0
    for i in range(n):
        _call(levels, time, x, parameters, values, out)
        level, worth = out[i], _worth(kinds[i], out[i])
        if worth == values[i]:
            continue
        if kinds[i] == BY_FLOOR:
            level -= max(worth, values[i])
        _call(held, time, x, parameters, values, before)
        rate = _along(out, n, i, before)
        for d in range(dim):
            at[d] = x[d] - (level / rate * before[d] if rate != 0.0 else 0.0)
        _call(levels, time, at, parameters, values, out)
        _call(held, time, at, parameters, values, before)
        values[i] = worth
        _call(held, time, at, parameters, values, after)
        rate, rate_after = _along(out, n, i, before), _along(out, n, i, after)
        size, jump = 0.0, 0.0
        for d in range(dim):
            size += abs(before[d])
            jump += abs(after[d] - before[d])
        if rate == 0.0 or jump <= _CONTINUOUS * size:
            continue
        jumps += 1
        share = 1.0
        if rate * rate_after < 0.0:
            share, rate_after = rate / (rate - rate_after), 0.0
            slides += 1
        volume += math.log(abs(rate_after / rate))
        for j in range(1, len(lane) // dim):
            vector = lane[dim * j : dim * (j + 1)]
            along = _along(out, n, i, vector)
            for d in range(dim):
                vector[d] += share * (after[d] - before[d]) * along / rate
    return jumps, volume, slides


@njit(nogil=True, cache=True, error_model="numpy")
def _along(levels, n, i, vector):
    """Product of a vector [D] with gradient i of ``levels``: n levels, then n gradients."""
    total = 0.0
    for d in range(len(vector)):
        total += levels[n + i * len(vector) + d] * vector[d]
    return total
