"""All distances between the points of a cloud, without holding them: order statistics and sums in bounded memory.

A pass computes the squared distances of one point to all later ones at a time. The value of a given rank is found by
counting the leading bits of the distances (for positive doubles their order is that of their bits), then keeping the few
that share them. Every result is what sorting all of them would give.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit

_MOST = 1 << 21  # distances kept at once
_WIDTH = 16  # bits counted in one pass
_TOP = 63  # position of the sign


class LogSum(NamedTuple):
    """Of distances between two bounds: how many, the sum of their logarithms, and the least."""

    count: int
    total: float
    least: float


class PairDistances:
    """Distances |x_i - x_j| of all pairs i < j with j - i > ``theiler``.

    Args:
        points: [T, D], finite.
        theiler: pairs not further apart in time are left out; 0 for none.

    Attributes:
        count: number of pairs.
    """

    def __init__(self, points: np.ndarray, theiler: int = 0) -> None:
        self._columns = np.ascontiguousarray(np.asarray(points, np.float64).T)
        self._first = max(int(theiler), 0) + 1
        near = max(len(points) - self._first, 0)
        self.count = near * (near + 1) // 2
        self._held = (-1, -1, np.zeros(0))

    @cached_property
    def zeros(self) -> int:
        """Number of pairs at distance 0."""
        return int(_count_zeros(self._columns, self._first)) if self._leading[0] else 0

    def ranked(self, rank: int) -> tuple[float, int]:
        """The distance of a rank (0 is the least), and how many distances are not greater.

        Raises:
            IndexError: there are not so many pairs.
        """
        if not 0 <= rank < self.count:
            raise IndexError(f"there is no distance of rank {rank} among {self.count}")
        prefix, high, low, counts, below = 0, _TOP, _TOP - _WIDTH, self._leading, 0
        while True:
            total = np.cumsum(counts)
            bucket = int(np.searchsorted(total, rank - below, side="right"))
            below += int(total[bucket - 1]) if bucket else 0
            inside = int(counts[bucket])
            prefix = (prefix << (high - low)) | bucket
            if low == 0:  # all bits are known, so all of them are equal
                return float(np.sqrt(np.array(prefix, np.int64).view(np.float64)[()])), below + inside
            if inside <= _MOST:
                kept = self._collected(prefix, low, inside)
                value = kept[rank - below]
                return float(value), below + int(np.searchsorted(kept, value, side="right"))
            high, low = low, max(low - _WIDTH, 0)
            counts = _count_bits(self._columns, self._first, prefix, low, high)

    def log_sum(self, above: float, below: float) -> LogSum:
        """Of the distances r with ``above`` < r < ``below`` (r = 0 never counts)."""
        return LogSum(*_log_sum(self._columns, self._first, above, below))

    @cached_property
    def _leading(self) -> np.ndarray:
        return _count_bits(self._columns, self._first, 0, _TOP - _WIDTH, _TOP)

    def _collected(self, prefix: int, low: int, inside: int) -> np.ndarray:
        """Sorted distances whose squares share a prefix; the last ones asked for are kept."""
        if self._held[:2] != (prefix, low):
            kept = np.empty(inside)
            _collect(self._columns, self._first, prefix, low, kept)
            self._held = (prefix, low, np.sqrt(np.sort(kept)))
        return self._held[2]


def mean_log_distance(points: np.ndarray, theiler: int = 0, references: int = 256) -> float:
    """Mean logarithm of the distances of ``references`` points, evenly spaced in time, to all more than ``theiler`` away.

    NaN where none is above 0.

    Args:
        points: [T, D], finite.
        theiler: in samples.
        references: how many.
    """
    chosen = np.unique(np.linspace(0, len(points) - 1, min(references, len(points))).astype(np.int64))
    total, count = _mean_log(np.ascontiguousarray(np.asarray(points, np.float64).T), theiler + 1, chosen)
    return total / count if count else float("nan")


@njit(cache=True)
def _squares(columns, i, first, out):
    """Squared distances of point i to points i + first, ...; how many there are."""
    D, T = columns.shape
    n = T - i - first
    for j in range(n):
        out[j] = 0.0
    for d in range(D):
        x = columns[d, i]
        row = columns[d, i + first :]
        for j in range(n):
            e = row[j] - x
            out[j] += e * e
    return n


@njit(cache=True)
def _count_bits(columns, first, prefix, low, high):
    """How many squares have each value of their bits low..high-1, among those whose bits from ``high`` up are prefix."""
    T = columns.shape[1]
    counts = np.zeros(1 << (high - low), np.int64)
    square = np.empty(T)
    bits = square.view(np.int64)
    mask = (1 << (high - low)) - 1
    for i in range(T - first):
        n = _squares(columns, i, first, square)
        for j in range(n):
            b = bits[j]
            if (b >> high) == prefix:
                counts[(b >> low) & mask] += 1
    return counts


@njit(cache=True)
def _collect(columns, first, prefix, low, out):
    """Squares whose bits from ``low`` up are prefix."""
    T = columns.shape[1]
    square = np.empty(T)
    bits = square.view(np.int64)
    k = 0
    for i in range(T - first):
        n = _squares(columns, i, first, square)
        for j in range(n):
            if (bits[j] >> low) == prefix:
                out[k] = square[j]
                k += 1


@njit(cache=True)
def _count_zeros(columns, first):
    T = columns.shape[1]
    square = np.empty(T)
    zeros = 0
    for i in range(T - first):
        n = _squares(columns, i, first, square)
        for j in range(n):
            zeros += square[j] == 0.0
    return zeros


@njit(cache=True)
def _log_sum(columns, first, above, below):
    T = columns.shape[1]
    square = np.empty(T)
    count, total, least = 0, 0.0, np.inf
    low, high = above * above * (1 - 1e-9), below * below * (1 + 1e-9)  # what is beyond needs no root to be left out
    for i in range(T - first):
        n = _squares(columns, i, first, square)
        part = 0.0
        for j in range(n):
            if square[j] < low or square[j] > high:
                continue
            r = np.sqrt(square[j])
            if r > above and r < below and r > 0.0:
                count += 1
                part += np.log(r)
                least = min(least, r)
        total += part
    return count, total, least


@njit(cache=True)
def _mean_log(columns, first, chosen):
    D, T = columns.shape
    total, count = 0.0, 0
    for i in chosen:
        part = 0.0
        for j in range(T):
            if abs(j - i) < first:
                continue
            square = 0.0
            for d in range(D):
                e = columns[d, j] - columns[d, i]
                square += e * e
            if square > 0.0:
                part += 0.5 * np.log(square)
                count += 1
        total += part
    return total, count
