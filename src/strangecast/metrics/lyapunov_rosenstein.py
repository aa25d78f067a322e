"""Largest Lyapunov exponent of a series, from how fast neighbouring states part."""

from __future__ import annotations

import numpy as np
from numba import njit

from strangecast.metrics.pair_distances import mean_log_distance

REACH = 0.5
SKIP = 0.2
TURNS = 5


def lyapunov_rosenstein(points: np.ndarray, dt: float, turn: int, follow: int | None = None) -> float:
    """Slope of y(k) = mean over states of log |x(i + k) - x(j(i) + k)|, x(j) being the nearest to x(i), in 1 / time.

    Neighbours are more than one ``turn`` apart in time and both can be followed. The slope is that of least squares from
    k1 = 0.2 k2 to k2, the first step at which y has covered half of its way from y(0) to the mean log distance of all
    states, where it must end: before k1 differences turn towards the direction that grows, after k2 they feel the size of
    the attractor. A state whose neighbour is its exact copy does not count. A series of nothing but copies (a fixed point, an
    exact cycle) has the exponent 0.

    Corrected against ``dysts.analysis.max_lyapunov_exponent_rosenstein`` 0.96 (:func:`lyapunov_rosenstein_dysts`), which
    looks for the turn along channels instead of time, so that it always excludes a quarter of the series; follows 20
    steps whatever they mean; and fits from step 0 on, where the slope is too steep.

    Known values: over 19 flows of dysts at 100 samples per turn the median ratio to the exponent from the equations is
    1.07 at 3584 samples and 0.95 at 10,000, the median error 17 % and 10 %; Lorenz-63 1.04 and 0.86 (0.904). Unchanged by
    rotations and by one factor for all coordinates. Noise gives a number as well, without meaning.

    Source: M. T. Rosenstein, J. J. Collins, C. J. De Luca, Physica D 65, 117 (1993).

    Args:
        points: [T, D], finite, states.
        dt: sampling interval.
        turn: samples in one turn (``spectrum.mean_period``).
        follow: most steps that neighbours are followed; five turns by default, but at most T // 6.

    Returns:
        NaN where the series is too short to follow any neighbours.
    """
    columns = np.ascontiguousarray(np.asarray(points, np.float64).T)
    steps = min(TURNS * turn, len(points) // 6) if follow is None else follow
    n = len(points) - steps
    if steps < 2 or n < turn + 2:
        return float("nan")
    neighbour = nearest(columns, n, turn)
    end = mean_log_distance(points, turn)
    curve = _separation(columns, neighbour, steps + 1, REACH, end)
    last = len(curve) - 1
    return slope(curve, min(int(SKIP * last), last - 1)) / dt if last > 0 else 0.0


def lyapunov_rosenstein_dysts(points: np.ndarray, dt: float, follow: int = 20) -> float:
    """The same as dysts 0.96 has it (but for its single precision): for comparison.

    A quarter of the series on either side of a state is excluded and the slope is fitted to all ``follow`` steps from 0
    on. Panda follows 64. On Lorenz-63, 3000 samples at 100 per turn, it gives 1.33.

    Args:
        points: [T, D], finite.
        dt: sampling interval.
        follow: number of steps, the first being k = 0.
    """
    columns = np.ascontiguousarray(np.asarray(points, np.float64).T)
    n = len(points) - follow + 1
    excluded = len(points) // 4
    if n < 2 * excluded + 2:
        return float("nan")
    curve = _separation(columns, nearest(columns, n, excluded), follow, np.inf, 0.0)
    return slope(curve, 0) / dt if len(curve) > 1 else 0.0


def nearest(columns: np.ndarray, n: int, theiler: int) -> np.ndarray:
    """[n], for each of the first n states in ``columns`` [D, T] the nearest other of them more than ``theiler`` away in time.

    -1 where there is none.
    """
    return _nearest(np.ascontiguousarray(columns[:, :n]), theiler)


def slope(curve: np.ndarray, first: int) -> float:
    """Least squares slope per step of ``curve`` [n] from index ``first`` on."""
    y = curve[first:]
    k = np.arange(len(y)) - (len(y) - 1) / 2
    return float((k * y).sum() / (k * k).sum())


@njit(cache=True)
def _nearest(columns, theiler):
    D, n = columns.shape
    best = np.full(n, np.inf)
    found = np.full(n, -1, np.int64)
    square = np.empty(n)
    first = theiler + 1
    for i in range(n - first):
        m = n - i - first
        for j in range(m):
            square[j] = 0.0
        for d in range(D):
            x = columns[d, i]
            row = columns[d, i + first :]
            for j in range(m):
                e = row[j] - x
                square[j] += e * e
        nearer, at = best[i], found[i]
        for j in range(m):
            s = square[j]
            if s < best[i + first + j]:
                best[i + first + j] = s
                found[i + first + j] = i
            if s < nearer:
                nearer, at = s, i + first + j
        best[i], found[i] = nearer, at
    return found


@njit(cache=True)
def _separation(columns, neighbour, steps, reach, end):
    """y(0), y(1), ... up to the first that has covered ``reach`` of the way to ``end``, at most ``steps`` of them."""
    D = columns.shape[0]
    out = np.empty(steps)
    for k in range(steps):
        total, count = 0.0, 0
        for i in range(len(neighbour)):
            j = neighbour[i]
            if j < 0:
                continue
            square = 0.0
            for d in range(D):
                e = columns[d, i + k] - columns[d, j + k]
                square += e * e
            if square > 0.0:
                total += 0.5 * np.log(square)
                count += 1
        if not count:
            return out[:k]  # all neighbours have met: nothing parts any more
        out[k] = total / count
        if out[k] >= out[0] + reach * (end - out[0]) and k > 0:
            return out[: k + 1]
    return out
