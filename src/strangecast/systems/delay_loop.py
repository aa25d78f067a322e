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
def _past(memory, pieces, place, time, i):
    """Coordinate ``i`` at ``time``, not before piece ``place``."""
    starts, widths, coefficients = memory
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
def _slope(law, memory, pieces, places, t, y, past, out):
    """The right-hand side at (t, y); ``law`` is field, parameters, reads and lags as :func:`follow` has them."""
    field, parameters, reads, lags = law
    for j in range(len(reads)):
        lag = reads[j, 0]
        past[j] = _past(memory, pieces, places[lag], t - lags[lag], reads[j, 1])
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
def _sound(array):
    """Whether all numbers of a [..., D] array are finite."""
    return np.isfinite(array).all()


@numba.njit(cache=True, error_model="numpy")
def _forward(places, starts, pieces, taps, t):
    """Move the place of every tap to the piece that holds ``t - tap``."""
    for j in range(len(taps)):
        while places[j] < pieces - 1 and starts[places[j] + 1] <= t - taps[j]:
            places[j] += 1


@numba.njit(cache=True, error_model="numpy")
def _moved(memory, first, pieces, capacity):
    """Pieces ``first`` to ``pieces - 1`` at the beginning of a memory of ``capacity`` pieces, the same one if it has it."""
    starts, widths, coefficients = memory
    if capacity == len(starts):
        starts_, widths_, coefficients_ = starts, widths, coefficients
    else:
        starts_, widths_ = np.empty(capacity), np.empty(capacity)
        coefficients_ = np.empty((capacity, coefficients.shape[1], coefficients.shape[2]))
    for m in range(pieces - first):
        starts_[m], widths_[m] = starts[first + m], widths[first + m]
        for k in range(coefficients.shape[1]):
            for i in range(coefficients.shape[2]):
                coefficients_[m, k, i] = coefficients[first + m, k, i]
    return starts_, widths_, coefficients_


@numba.njit(cache=True, error_model="numpy")
def _record(memory, pieces, places, offsets, time, out):
    """The state at ``time - offset`` for every offset, to ``out`` [E, D]."""
    for e in range(len(offsets)):
        for i in range(out.shape[1]):
            out[e, i] = _past(memory, pieces, places[len(places) - len(offsets) + e], time - offsets[e], i)


@numba.njit(cache=True, error_model="numpy")
def _first_step(law, memory, pieces, places, t, y, stages, past, at, rtol, atol, longest):
    """A step from the first two derivatives, as scipy.integrate has it; NaN where they are not finite.

    Source: Hairer, Norsett, Wanner, section II.4.
    """
    zero = np.zeros(len(y))
    d0, d1 = _distance(y, zero, y, rtol, atol), _distance(stages[0], zero, y, rtol, atol)
    trial = min(1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01 * d0 / d1, longest)
    for i in range(len(y)):
        at[i] = y[i] + trial * stages[0, i]
    _slope(law, memory, pieces, places, t + trial, at, past, stages[1])
    d2 = _distance(stages[1], stages[0], y, rtol, atol) / trial
    steep = d1 if d1 > d2 else d2
    step = max(1e-6, trial * 1e-3) if steep <= 1e-15 else (0.01 / steep) ** 0.125
    return min(100 * trial, step) if np.isfinite(d1 + d2) else np.nan


@numba.njit(cache=True, error_model="numpy")
def _excess(law, memory, pieces, places, t, h, y, new, stages, past, at, slope, rate, piece, rtol, atol):
    """Error of a step whose stages are done, in units of the tolerance; below 1 its dense output is in ``piece``."""
    error = _error(stages, y, new, h, rtol, atol)
    if not error < 1.0:
        return error
    for s in range(_STAGES + 1, _EXTRA):
        _stage(stages, s, y, h, at)
        _slope(law, memory, pieces, places, t + _C[s] * h, at, past, stages[s])
    _keep(stages, y, new, h, piece)
    for x in _CHECKS:
        _at(piece, x, h, at, slope)
        _slope(law, memory, pieces, places, t + x * h, at, past, rate)
        defect = h * _distance(slope, rate, new, rtol, atol) / _DEFECT
        error = max(error, defect) if np.isfinite(defect) else np.inf
    return error


@numba.njit(cache=True, error_model="numpy")
def follow(law, offsets, times, breaks, history, step, rtol, atol, limit, watched, budget):
    """Continue the stored pieces to ``times[-1]``.

    Args:
        law: address of the compiled right-hand side; parameters [P]; reads [n, 2], lag and coordinate of each delayed
            value; lags [L], positive.
        offsets: [E] not negative: what is recorded at a time t is the state at ``t - offsets``.
        times: [T], the first is the present.
        breaks: [K] increasing, after the present: times on which a step has to end.
        history: starts [M], widths [M] and coefficients [M, 8, D] of a segment.
        step: to try first, NaN for a choice from the slopes.
        rtol, atol: error per step.
        limit: a watched coordinate beyond it counts as diverged.
        watched: [D] of bool.
        budget: evaluations of the right-hand side.

    Returns:
        states [T, E, D], number of times reached, status, evaluations, pieces [M'], [M'], [M', 8, D], next step.
    """
    lags, pieces, dim = law[3], len(history[0]), history[2].shape[2]
    taps = np.empty(len(lags) + len(offsets))
    largest, smallest = 0.0, np.inf
    for j in range(len(taps)):
        taps[j] = lags[j] if j < len(lags) else offsets[j - len(lags)]
        largest = max(largest, taps[j])
        if j < len(lags):
            smallest = min(smallest, taps[j])
    places = np.zeros(len(taps), np.int64)
    capacity = max(64, 2 * pieces)
    memory = _moved(history, 0, pieces, capacity)
    states = np.full((len(times), len(offsets), dim), np.nan)
    stages, past, piece = np.zeros((_EXTRA, dim)), np.empty(len(law[2])), np.empty((8, dim))
    y, new, at, slope, rate = np.empty(dim), np.empty(dim), np.empty(dim), np.empty(dim), np.empty(dim)
    t, end = times[0], times[-1]
    _forward(places, memory[0], pieces, taps, t)
    for i in range(dim):
        y[i] = _past(memory, pieces, pieces - 1, t, i)
    _record(memory, pieces, places, offsets, t, states[0])
    done, next_break, status, rejected, evaluations = 1, 0, FINISHED, False, 1
    _slope(law, memory, pieces, places, t, y, past, stages[0])
    if np.isnan(step):
        step = _first_step(law, memory, pieces, places, t, y, stages, past, at, rtol, atol, smallest)
        evaluations += 1
        if np.isnan(step):
            status = NON_FINITE
    if not _sound(y):
        done, status = 0, NON_FINITE
    while t < end and status == FINISHED:
        while next_break < len(breaks) and breaks[next_break] <= t:
            next_break += 1
        goal = min(end, breaks[next_break]) if next_break < len(breaks) else end
        # A step never reads what it is about to make: it is not longer than the smallest lag.
        h = min(step, smallest)
        if h < 10 * abs(np.nextafter(t, np.inf) - t):
            status = TOO_SMALL if _sound(stages[: _STAGES + 1]) else NON_FINITE
            break
        cut = t + h * (1 + 1e-9) >= goal
        if cut:
            h = goal - t
        for s in range(1, _STAGES + 1):
            target = new if s == _STAGES else at
            _stage(stages, s, y, h, target)
            _slope(law, memory, pieces, places, t + _C[s] * h, target, past, stages[s])
        error = _excess(law, memory, pieces, places, t, h, y, new, stages, past, at, slope, rate, piece, rtol, atol)
        evaluations += _STAGES + (_EXTRA - _STAGES - 1 + len(_CHECKS) if error < np.inf else 0)
        if not error < 1.0:
            step = h * max(0.2, 0.9 * error**-0.125) if np.isfinite(error) else 0.2 * h
            rejected = True
            if evaluations > budget:
                status = EXHAUSTED
            continue
        factor = 10.0 if error == 0.0 else min(10.0, 0.9 * error**-0.125)
        # A step that was cut says nothing against a longer one.
        grown = h * (min(1.0, factor) if rejected else factor)
        step = max(grown, step) if cut and not rejected else grown
        rejected = False
        for i in range(dim):
            if watched[i] and abs(new[i]) > limit:
                status = DIVERGED
        if status == DIVERGED:
            break
        if pieces == capacity:
            # Forget what no tap can read any more; make room where that is less than half.
            first = pieces
            for j in range(len(taps)):
                first = min(first, places[j])
            capacity = 2 * capacity if 2 * (pieces - first) > capacity else capacity
            memory = _moved(memory, first, pieces, capacity)
            pieces -= first
            for j in range(len(taps)):
                places[j] -= first
        memory[0][pieces], memory[1][pieces] = t, h
        for i in range(dim):
            for k in range(8):
                memory[2][pieces, k, i] = piece[k, i]
            y[i], stages[0, i] = new[i], stages[_STAGES, i]
        pieces += 1
        t = goal if cut else t + h
        while done < len(times) and times[done] <= t:
            _record(memory, pieces, places, offsets, times[done], states[done])
            done += 1
        _forward(places, memory[0], pieces, taps, t)
        if evaluations > budget and t < end:
            status = EXHAUSTED
    first = 0
    while first < pieces - 1 and memory[0][first + 1] <= t - largest:
        first += 1
    memory = _moved(memory, first, pieces, pieces - first)
    return states, done, status, evaluations, memory[0], memory[1], memory[2], step


@numba.njit(cache=True, error_model="numpy")
def orthonormalise_functions(samples, coefficients):
    """Modified Gram-Schmidt of k functions by their samples [k, n], whose dot products are the scalar product.

    Args:
        samples: overwritten.
        coefficients: [M, 8, D (1 + k)] of the pieces of the state and, after it, of the functions; those of the
            functions are mapped in the same way.

    Returns:
        [k] lengths before they are made 1.
    """
    k, count = samples.shape
    pieces, rows, dim = coefficients.shape[0], coefficients.shape[1], coefficients.shape[2] // (1 + k)
    lengths = np.empty(k)
    for j in range(k):
        for i in range(j + 1):
            dot = 0.0
            for n in range(count):
                dot += samples[i, n] * samples[j, n]
            if i == j:
                lengths[j] = np.sqrt(dot)
            share = 1.0 - 1.0 / lengths[j] if i == j else dot
            for n in range(count):
                samples[j, n] -= share * samples[i, n]
            for m in range(pieces):
                for row in range(rows):
                    for d in range(dim):
                        coefficients[m, row, dim * (1 + j) + d] -= share * coefficients[m, row, dim * (1 + i) + d]
    return lengths
