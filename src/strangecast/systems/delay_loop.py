"""The compiled loop of the method of steps: Dormand-Prince 8(5,3) with a look-up in its own dense output.

Generic code, compiled once and cached on disk; the right-hand side comes as a compiled function. The stored pieces are
those that some lag or offset may still read: the buffer slides, so memory is bounded by the longest of them. Each lag
and each offset keeps its own place in the buffer and moves forward only, so that a look-up costs the same however much
is stored.

A step is accepted by the method's embedded error and by the defect of its dense output, slope against right-hand side
between the stages: the stages sample the past at twelve points and can miss what lies between them.

Sources: E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I (1993), sections II.10 and
II.17; W. H. Enright, H. Hayashi, Numer. Algorithms 16 (1997) 349 (defect control).
"""

from __future__ import annotations

import numba
import numpy as np
from scipy.integrate import DOP853

from strangecast.systems.scalar_field import call_scalar

FINISHED, DIVERGED, NON_FINITE, EXHAUSTED, TOO_SMALL = range(5)  # places in integrate.STATUSES

_STAGES = 12
_EXTRA = 16  # with those of the dense output
_A = np.zeros((_EXTRA, _EXTRA))
_A[:_STAGES, :_STAGES] = DOP853.A
_A[_STAGES, :_STAGES] = DOP853.B
_A[_STAGES + 1 :, : DOP853.A_EXTRA.shape[1]] = DOP853.A_EXTRA
_C = np.concatenate([DOP853.C, [1.0], DOP853.C_EXTRA])
_CHECKS = np.array([0.45, 0.9])  # of a step, where the dense output is held against the equation
_DEFECT = 5.0  # tolerances; the median of accepted steps is near 1
_D, _E3, _E5 = DOP853.D.copy(), DOP853.E3.copy(), DOP853.E5.copy()


@numba.njit(cache=True, error_model="numpy")
def _past(starts, widths, coefficients, pieces, place, time, i):
    """Coordinate ``i`` at ``time``, not before piece ``place``."""
    while place < pieces - 1 and starts[place + 1] <= time:
        place += 1
    x = (time - starts[place]) / widths[place]
    c = coefficients[place]
    value = x * c[7, i]
    value = (value + c[6, i]) * (1 - x)
    value = (value + c[5, i]) * x
    value = (value + c[4, i]) * (1 - x)
    value = (value + c[3, i]) * x
    value = (value + c[2, i]) * (1 - x)
    value = (value + c[1, i]) * x
    return value + c[0, i]


@numba.njit(cache=True, error_model="numpy")
def _slope(field, t, y, parameters, reads, lags, places, starts, widths, coefficients, pieces, past, out):
    """The right-hand side at (t, y); ``reads`` [n, 2] says which lag and which coordinate each delayed value has."""
    for j in range(len(reads)):
        lag = reads[j, 0]
        past[j] = _past(starts, widths, coefficients, pieces, places[lag], t - lags[lag], reads[j, 1])
    call_scalar(field, t, y.ctypes.data, parameters.ctypes.data, past.ctypes.data, out.ctypes.data)


@numba.njit(cache=True, error_model="numpy")
def _stage(stages, row, y, h, out):
    """``y + h * sum of A[row] stages``."""
    for i in range(len(y)):
        out[i] = 0.0
    for j in range(row):
        a = _A[row, j]
        if a != 0.0:
            for i in range(len(y)):
                out[i] += a * stages[j, i]
    for i in range(len(y)):
        out[i] = y[i] + h * out[i]


@numba.njit(cache=True, error_model="numpy")
def _error(stages, y, new, h, rtol, atol):
    """The step's error in units of the tolerance, as scipy.integrate.DOP853 has it; NaN stays NaN."""
    fifth, third = 0.0, 0.0
    for i in range(len(y)):
        scale = atol + rtol * max(abs(y[i]), abs(new[i]))
        e5, e3 = 0.0, 0.0
        for j in range(_STAGES + 1):
            e5 += _E5[j] * stages[j, i]
            e3 += _E3[j] * stages[j, i]
        fifth += (e5 / scale) ** 2
        third += (e3 / scale) ** 2
    if fifth == 0.0 and third == 0.0:
        return 0.0
    return abs(h) * fifth / np.sqrt((fifth + 0.01 * third) * len(y))


@numba.njit(cache=True, error_model="numpy")
def _keep(stages, y, new, h, piece):
    """The dense output of an accepted step, written to ``piece`` [8, D]."""
    for i in range(len(y)):
        difference = new[i] - y[i]
        piece[0, i] = y[i]
        piece[1, i] = difference
        piece[2, i] = h * stages[0, i] - difference
        piece[3, i] = 2 * difference - h * (stages[_STAGES, i] + stages[0, i])
        for k in range(4):
            total = 0.0
            for j in range(_EXTRA):
                total += _D[k, j] * stages[j, i]
            piece[4 + k, i] = h * total


@numba.njit(cache=True, error_model="numpy")
def _at(piece, x, h, out, slope):
    """Value and time derivative of a piece [8, D] of width ``h`` at ``x``."""
    for i in range(len(out)):
        value, rate = 0.0, 0.0
        for k in range(7, 0, -1):
            factor, sign = (x, 1.0) if k % 2 else (1 - x, -1.0)
            value += piece[k, i]
            rate = rate * factor + sign * value
            value *= factor
        out[i], slope[i] = value + piece[0, i], rate / h


@numba.njit(cache=True, error_model="numpy")
def _distance(a, b, y, rtol, atol):
    """Root mean square of ``a - b`` in units of the tolerance at ``y``."""
    total = 0.0
    for i in range(len(y)):
        total += ((a[i] - b[i]) / (atol + rtol * abs(y[i]))) ** 2
    return np.sqrt(total / len(y))


@numba.njit(cache=True, error_model="numpy")
def follow(
    field, parameters, reads, lags, offsets, times, breaks, starts, widths, coefficients, step, rtol, atol, limit, watched,
    budget,
):  # fmt: skip
    """Continue the stored pieces to ``times[-1]``.

    Args:
        field: address of the compiled right-hand side.
        parameters: [P].
        reads: [n, 2] of int, lag and coordinate of each delayed value.
        lags: [L] positive.
        offsets: [E] not negative: what is recorded at a time t is the state at ``t - offsets``.
        times: [T], the first is the present.
        breaks: [K] increasing, after the present: times on which a step has to end.
        starts, widths, coefficients: [M], [M], [M, 8, D], the history as a segment.
        step: to try first, NaN for a choice from the slopes.
        rtol, atol: error per step.
        limit: a watched coordinate beyond it counts as diverged.
        watched: [D] of bool.
        budget: evaluations of the right-hand side.

    Returns:
        states [T, E, D], number of times reached, status, evaluations, pieces [M'], [M'], [M', 8, D], next step.
    """
    dim, pieces = coefficients.shape[2], len(starts)
    taps = np.concatenate((lags, offsets))
    places = np.zeros(len(taps), np.int64)
    largest, smallest = taps.max(), lags.min()
    capacity = max(64, 2 * pieces)
    starts_, widths_, coefficients_ = np.empty(capacity), np.empty(capacity), np.empty((capacity, 8, dim))
    starts_[:pieces], widths_[:pieces], coefficients_[:pieces] = starts, widths, coefficients
    starts, widths, coefficients = starts_, widths_, coefficients_
    states = np.full((len(times), len(offsets), dim), np.nan)
    stages, past = np.empty((_EXTRA, dim)), np.empty(len(reads))
    new, at = np.empty(dim), np.empty(dim)
    y, slope, rate, piece = np.empty(dim), np.empty(dim), np.empty(dim), np.empty((8, dim))
    t, end = times[0], times[-1]
    for i in range(dim):
        y[i] = _past(starts, widths, coefficients, pieces, pieces - 1, t, i)
    for e in range(len(offsets)):
        for i in range(dim):
            states[0, e, i] = _past(starts, widths, coefficients, pieces, 0, t - offsets[e], i)
    done, next_break, status, rejected = 1, 0, FINISHED, False
    if not np.isfinite(y).all():
        return states, 0, NON_FINITE, 0, starts[:pieces], widths[:pieces], coefficients[:pieces], step
    for j in range(len(taps)):
        while places[j] < pieces - 1 and starts[places[j] + 1] <= t - taps[j]:
            places[j] += 1
    _slope(field, t, y, parameters, reads, lags, places, starts, widths, coefficients, pieces, past, stages[0])
    evaluations = 1
    if np.isnan(step):
        zero = np.zeros(dim)
        d0, d1 = _distance(y, zero, y, rtol, atol), _distance(stages[0], zero, y, rtol, atol)
        trial = min(1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01 * d0 / d1, smallest)
        for i in range(dim):
            at[i] = y[i] + trial * stages[0, i]
        _slope(field, t + trial, at, parameters, reads, lags, places, starts, widths, coefficients, pieces, past,
               stages[1])  # fmt: skip
        evaluations += 1
        d2 = _distance(stages[1], stages[0], y, rtol, atol) / trial
        step = max(1e-6, trial * 1e-3) if max(d1, d2) <= 1e-15 else (0.01 / max(d1, d2)) ** 0.125
        step = min(100 * trial, step)
        if not np.isfinite(step):
            status = NON_FINITE
    while t < end and status == FINISHED:
        while next_break < len(breaks) and breaks[next_break] <= t:
            next_break += 1
        goal = min(end, breaks[next_break]) if next_break < len(breaks) else end
        least = 10 * abs(np.nextafter(t, np.inf) - t)
        if min(step, smallest) < least:
            status = TOO_SMALL if np.isfinite(stages[: _STAGES + 1]).all() else NON_FINITE
            break
        # A step never reads what it is about to make: it is not longer than the smallest lag.
        h = min(step, smallest)
        cut = t + h * (1 + 1e-9) >= goal
        if cut:
            h = goal - t
        for s in range(1, _STAGES + 1):
            target = new if s == _STAGES else at
            _stage(stages, s, y, h, target)
            _slope(field, t + _C[s] * h, target, parameters, reads, lags, places, starts, widths, coefficients, pieces,
                   past, stages[s])  # fmt: skip
        evaluations += _STAGES
        error = _error(stages, y, new, h, rtol, atol)
        if error < 1.0:
            for s in range(_STAGES + 1, _EXTRA):
                _stage(stages, s, y, h, at)
                _slope(field, t + _C[s] * h, at, parameters, reads, lags, places, starts, widths, coefficients, pieces,
                       past, stages[s])  # fmt: skip
            _keep(stages, y, new, h, piece)
            for x in _CHECKS:
                _at(piece, x, h, at, slope)
                _slope(field, t + x * h, at, parameters, reads, lags, places, starts, widths, coefficients, pieces, past,
                       rate)  # fmt: skip
                defect = h * _distance(slope, rate, new, rtol, atol) / _DEFECT
                error = max(error, defect) if np.isfinite(defect) else np.inf
            evaluations += _EXTRA - _STAGES - 1 + len(_CHECKS)
        if not error < 1.0:
            step = h * max(0.2, 0.9 * error**-0.125) if np.isfinite(error) else 0.2 * h
            rejected = True
            if evaluations > budget:
                status = EXHAUSTED
                break
            continue
        factor = 10.0 if error == 0.0 else min(10.0, 0.9 * error**-0.125)
        # A step that was cut says nothing against a longer one.
        grown = h * (min(1.0, factor) if rejected else factor)
        step = max(grown, step) if cut and not rejected else grown
        rejected = False
        beyond = False
        for i in range(dim):
            beyond = beyond or (watched[i] and abs(new[i]) > limit)
        if beyond:
            status = DIVERGED
            break
        if pieces == capacity:
            # Forget what no tap can read any more; make room only where that is less than half.
            first = places.min()
            kept = pieces - first
            if 2 * kept > capacity:
                capacity *= 2
                starts_, widths_ = np.empty(capacity), np.empty(capacity)
                coefficients_ = np.empty((capacity, 8, dim))
                starts_[:kept], widths_[:kept] = starts[first:pieces], widths[first:pieces]
                coefficients_[:kept] = coefficients[first:pieces]
                starts, widths, coefficients = starts_, widths_, coefficients_
            else:
                for m in range(kept):
                    starts[m], widths[m] = starts[first + m], widths[first + m]
                    coefficients[m] = coefficients[first + m]
            places -= first
            pieces = kept
        starts[pieces], widths[pieces] = t, h
        coefficients[pieces] = piece
        pieces += 1
        t = goal if cut else t + h
        y[:] = new
        stages[0] = stages[_STAGES]
        while done < len(times) and times[done] <= t:
            for e in range(len(offsets)):
                place = places[len(lags) + e]
                for i in range(dim):
                    states[done, e, i] = _past(starts, widths, coefficients, pieces, place, times[done] - offsets[e], i)
            done += 1
        for j in range(len(taps)):
            while places[j] < pieces - 1 and starts[places[j] + 1] <= t - taps[j]:
                places[j] += 1
        if evaluations > budget and t < end:
            status = EXHAUSTED
            break
    first = 0
    while first < pieces - 1 and starts[first + 1] <= t - largest:
        first += 1
    return (
        states, done, status, evaluations, starts[first:pieces].copy(), widths[first:pieces].copy(),
        coefficients[first:pieces].copy(), step,
    )  # fmt: skip
