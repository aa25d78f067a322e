"""Ranks of a series, ties sharing their mean rank."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def ranks(series: np.ndarray, out: np.ndarray) -> None:
    """Centred ranks of each row of ``series`` [R, n] into ``out``: rank less (n - 1) / 2, ties sharing their mean.

    A row that holds something not finite is ranked as NumPy sorts it, NaN last.
    """
    R, n = series.shape
    for r in range(R):
        order = np.argsort(series[r], kind="mergesort")
        first = 0
        while first < n:
            last = first
            value = series[r, order[first]]
            while last + 1 < n and series[r, order[last + 1]] == value:
                last += 1
            shared = 0.5 * (first + last) - 0.5 * (n - 1)
            for k in range(first, last + 1):
                out[r, order[k]] = shared
            first = last + 1


@njit(cache=True)
def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """sum(a b) / sqrt(sum(a^2) sum(b^2)) of the rows of two arrays [R, n]; 0 where one of them is 0."""
    R, n = a.shape
    out = np.zeros(R)
    for r in range(R):
        ab, aa, bb = 0.0, 0.0, 0.0
        for k in range(n):
            ab += a[r, k] * b[r, k]
            aa += a[r, k] * a[r, k]
            bb += b[r, k] * b[r, k]
        if aa > 0.0 and bb > 0.0:
            out[r] = ab / np.sqrt(aa * bb)
    return out
