"""How many samples apart two values of a series say least of each other.

The delay is the first local minimum over delays 1, 2, ..., 50 of the mutual information of x(t) and x(t + delay), from
a histogram of 64 x 64 bins, smoothed over three delays; where there is none, the delay of the least information. The
0-1 test reads a series at this spacing: read more densely, every smooth series looks regular to it.

Source: A. M. Fraser, H. L. Swinney, Phys. Rev. A 33 (1986) 1134.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_TINY = 1e-290  # a range whose 64th part is still a normal number


def first_minimum(x: np.ndarray, max_delay: int = 50, bins: int = 64, density: bool = False) -> int:
    """The delay in samples, at least 1.

    Bin edges are those of ``numpy.histogram2d`` over the range of each piece x[:T-delay], x[delay:], to the last bit.

    Args:
        x: [T], finite.
        max_delay: largest delay looked at; a short series allows fewer.
        bins: for each of the two values.
        density: integrate logarithms of densities as dysts does, without the volume of a bin. It moves the minimum
            only where an extreme of the series lies within ``max_delay`` samples of either end.
    """
    x = np.ascontiguousarray(x, np.float64)
    largest = min(max_delay, len(x) - 2)
    if largest < 1 or not np.ptp(x) > _TINY:
        return 1
    return int(_first_minimum(x, largest, bins, density))


def information(x: np.ndarray, delay: int, bins: int = 64, density: bool = False) -> float:
    """Mutual information in nats of x[:T-delay] and x[delay:] for one ``delay`` >= 1."""
    x = np.ascontiguousarray(x, np.float64)
    return float(_information(x, delay, bins, density, *_prepared(x, delay, bins)))


@njit(cache=True)
def _first_minimum(x, largest, bins, density):
    inner, whole, indices, table = _prepared(x, largest, bins)
    found = np.empty(largest)
    smooth = np.empty(largest)
    third = 1.0 / 3.0
    for k in range(largest):
        found[k] = _information(x, k + 1, bins, density, inner, whole, indices, table)
        if k >= 2:
            smooth[k - 2] = found[k] * third + found[k - 1] * third + found[k - 2] * third
        # smooth[i] belongs to delay i + 2; it is a minimum once its right neighbour is known.
        if k >= 4 and smooth[k - 3] < smooth[k - 4] and smooth[k - 3] < smooth[k - 2]:
            return k - 1
    return np.argmin(found) + 1


@njit(cache=True)
def _prepared(x, largest, bins):
    """What serves all delays up to ``largest``: range of the samples in every piece, bins of the whole, k log k."""
    n = len(x)
    low, high = _range(x, largest, n - largest, np.inf, -np.inf)
    inner = (largest, low, high)
    low, high = _range(x, 0, n, np.inf, -np.inf)
    whole = _edges(low, high, bins)
    table = np.zeros(n + 1)
    for k in range(1, n + 1):
        table[k] = k * np.log(k)
    return inner, whole, _indices(x, 0, n, whole), table


@njit(cache=True)
def _information(x, delay, bins, density, inner, whole, indices, table):
    n = len(x)
    size = n - delay
    low, high = _piece(x, 0, size, inner)
    first = _edges(low, high, bins)
    low, high = _piece(x, delay, n, inner)
    second = _edges(low, high, bins)
    # Nearly always the extremes lie inside, and the bins of the whole series serve both pieces.
    own_first = first[0] == whole[0] and first[bins] == whole[bins]
    own_second = second[0] == whole[0] and second[bins] == whole[bins]
    rows = indices[:size] if own_first else _indices(x, 0, size, first)
    cols = indices[delay:] if own_second else _indices(x, delay, n, second)
    joint = np.zeros(bins * bins, np.int32)
    for t in range(size):
        joint[rows[t] * bins + cols[t]] += 1
    row = np.zeros(bins, np.int64)
    col = np.zeros(bins, np.int64)
    total = 0.0
    for i in range(bins):
        for j in range(bins):
            count = joint[i * bins + j]
            row[i] += count
            col[j] += count
            total += table[count]
    for i in range(bins):
        total -= table[row[i]] + table[col[i]]
    mutual = (total + table[size]) / size
    if not density:
        return mutual
    per_area = 1.0 / ((first[1] - first[0]) * (second[1] - second[0]))
    return per_area * (mutual - np.log(per_area))


@njit(cache=True)
def _piece(x, start, stop, inner):
    """Range of x[start:stop], of which ``inner`` = (margin, low, high) covers all but a margin at either end."""
    margin, low, high = inner
    if len(x) > 2 * margin:
        low, high = _range(x, start, margin, low, high)
        return _range(x, len(x) - margin, stop, low, high)
    return _range(x, start, stop, np.inf, -np.inf)


@njit(cache=True)
def _range(x, start, stop, low, high):
    """Least and largest of x[start:stop] and of the two given."""
    for t in range(start, stop):
        low = min(low, x[t])
        high = max(high, x[t])
    return low, high


@njit(cache=True)
def _edges(low, high, bins):
    """Edges [bins + 1] that ``numpy.histogram2d`` gives to samples between ``low`` and ``high``."""
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = (high - low) / bins
    edges = np.empty(bins + 1)
    for i in range(bins):
        edges[i] = i * step + low
    edges[bins] = high
    return edges


@njit(cache=True)
def _indices(x, start, stop, edges):
    """Bin of each of x[start:stop]; a bin holds its lower edge, the last one also its upper."""
    bins = len(edges) - 1
    scale = bins / (edges[bins] - edges[0])
    found = np.empty(stop - start, np.int32)
    for t in range(start, stop):
        i = min(int((x[t] - edges[0]) * scale), bins - 1)
        while x[t] < edges[i]:
            i -= 1
        while i < bins - 1 and x[t] >= edges[i + 1]:
            i += 1
        found[t - start] = i
    return found
