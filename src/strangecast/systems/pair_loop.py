"""The compiled loop of two nearby trajectories: lanes step, and between steps the second one is drawn back.

One lane is one pair: D numbers of the first trajectory, D of the second, integrated as one state and so with the same
steps. At each pause the second is put back along the difference to the distance it had; its slope is computed anew,
because across a jump of the field it has nothing to do with the old one.

Source: G. Benettin, L. Galgani, J.-M. Strelcyn, Phys. Rev. A 14 (1976) 2338.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from strangecast.systems.lanes import layout as r
from strangecast.systems.lanes.drive import call_advance
from strangecast.systems.lanes.layout import SCALAR_ROWS
from strangecast.systems.pausing_lanes import allow_attempts, find_slopes, outcome, overspent, seat_lanes, share_out


@njit(nogil=True, cache=True, error_model="numpy")
def follow_pairs(lanes, states, directions, parameters, scale, limits, when, pace, separation, results):
    """Follow one block of lanes to its end.

    Args:
        lanes: ``PausingLanes.handles`` of the graph of pairs.
        states: [N, D] with N <= W.
        directions: [N, D] first differences, of length 1 in units of ``scale``.
        parameters: [P].
        scale: [D] units of distances.
        limits: [D] of the first trajectory.
        when: time at the start, time to turn the difference before anything is counted, time that is counted.
        pace: attempted steps between two times of drawing back, first step to try, and the budget of evaluations of one
            lane.
        separation: distance after drawing back, in units of ``scale``.
        results: sums of logarithms of growth [N, blocks], status [N], and time until which all was well [N];
            written here.
    """
    advance, field, base, rows, words = lanes
    begin, skip, span = when
    rounds, first_step, budget = pace
    logs, status, until = results
    (count, dim), width = states.shape, rows.shape[1]
    state = SCALAR_ROWS + 2 * dim
    last, stale = np.full(width, begin), np.ones(width, np.bool_)

    both, bounds = np.empty((count, 2 * dim)), np.full(2 * dim, math.inf)
    for d in range(dim):
        bounds[d] = limits[d]
        for n in range(count):
            both[n, d] = states[n, d]
            both[n, dim + d] = states[n, d] + separation * scale[d] * directions[n, d]
    seat_lanes(rows, words, both, parameters, bounds, begin, begin + skip + span, first_step)
    find_slopes(field, base, rows, 2 * dim, stale)
    live = count
    while live > 0:
        allow_attempts(rows, words, rounds)
        call_advance(advance, base)
        for lane in range(width):
            stale[lane] = words[r.ACTIVE, lane] != 0
            if not stale[lane]:
                continue
            square = 0.0
            for d in range(dim):
                square += ((rows[state + dim + d, lane] - rows[state + d, lane]) / scale[d]) ** 2
            distance, now = math.sqrt(square), rows[r.TIME, lane]
            sound = 0.0 < distance < math.inf
            if sound:
                share = separation / distance
                for d in range(dim):
                    first = rows[state + d, lane]
                    rows[state + dim + d, lane] = first + share * (rows[state + dim + d, lane] - first)
                share_out(math.log(distance / separation), last[lane], now, begin + skip, span, logs[lane])
            last[lane] = now
            if sound:
                until[lane] = now
            spent = overspent(rows[r.EVALUATIONS, lane], budget, (now - begin) / (skip + span))
            found = outcome(words[r.REASON, lane], sound, spent)
            if found >= 0:
                status[lane] = found
                words[r.ACTIVE, lane] = 0
                live -= 1
        find_slopes(field, base, rows, 2 * dim, stale)
