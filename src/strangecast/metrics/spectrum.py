"""Power spectra of series, smoothed, and how far two of them are from each other."""

from __future__ import annotations

import numpy as np
from numba import njit

_BLOCK = 512  # frequencies, which stay in the fastest memory
REACH = 4.0  # the Gaussian is cut off at this many standard deviations


def power(points: np.ndarray) -> np.ndarray:
    """[D, T // 2 + 1], squared moduli of the discrete Fourier transform of each column of ``points`` [T, D] less its mean."""
    columns = np.ascontiguousarray(points.T)
    transformed = np.fft.rfft(columns - columns.mean(axis=1, keepdims=True), axis=1)
    return transformed.real**2 + transformed.imag**2


def shares(power: np.ndarray, width: float) -> np.ndarray:
    """Power [D, F] smoothed along frequency and divided by its sum; 0 where a series does not move.

    Args:
        power: at evenly spaced frequencies.
        width: standard deviation of the Gaussian, in those spacings; 0 for none. Beyond either end the spectrum is
            continued by its mirror image.
    """
    smooth = _smoothed(np.ascontiguousarray(power), kernel(width)) if width > 0 else power
    total = smooth.sum(axis=1, keepdims=True)
    return np.divide(smooth, total, out=np.zeros_like(smooth), where=total > 0)


def kernel(width: float) -> np.ndarray:
    """Weights at distances 0, 1, ... of a Gaussian of standard deviation ``width``, which add up to 1 over both sides."""
    weights = np.exp(-0.5 * (np.arange(int(REACH * width + 0.5) + 1) / width) ** 2)
    return weights / (weights[0] + 2 * weights[1:].sum())


@njit(cache=True)
def _smoothed(power, weights):
    """Each row of ``power`` [D, F] weighted by distance, its mirror images beyond both ends."""
    D, F = power.shape
    reach = len(weights) - 1
    out = np.empty((D, F))
    padded = np.empty(F + 2 * reach)
    for d in range(D):
        for i in range(-reach, F + reach):
            j = i % (2 * F)
            padded[i + reach] = power[d, j if j < F else 2 * F - 1 - j]
        for first in range(0, F, _BLOCK):
            n = min(_BLOCK, F - first)
            row, middle = out[d, first : first + n], padded[first + reach : first + reach + n]
            for i in range(n):
                row[i] = weights[0] * middle[i]
            for k in range(1, reach + 1):
                left = padded[first + reach - k : first + reach - k + n]
                right = padded[first + reach + k : first + reach + k + n]
                w = weights[k]
                for i in range(n):
                    row[i] += w * (left[i] + right[i])
    return out


def hellinger(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """[...], sqrt(sum of (sqrt(p) - sqrt(q))^2 / 2) of distributions on the last axis of two arrays [..., F].

    In [0, 1]: equal to sqrt(1 - sum sqrt(p q)) but never undefined by rounding. A row of zeros, which is no
    distribution, is at distance 1 from one, and at 0 from another.
    """
    distance = np.sqrt(0.5 * np.square(np.sqrt(p) - np.sqrt(q)).sum(axis=-1))
    none = (p == 0).all(axis=-1), (q == 0).all(axis=-1)
    return np.where(none[0] != none[1], 1.0, np.minimum(distance, 1.0))


def mean_period(points: np.ndarray) -> int:
    """Samples in one turn of ``points`` [T, D]: 1 / mean frequency of the power of all columns, rounded up.

    At least 1 and at most T // 10; 1 where nothing moves.

    Source: M. T. Rosenstein, J. J. Collins, C. J. De Luca, Physica D 65, 117 (1993), section 3.
    """
    total = power(points)[:, 1:].sum(axis=0)
    if not total.sum() > 0:
        return 1
    frequency = np.arange(1, len(total) + 1) / len(points)
    return int(max(1, min(np.ceil(total.sum() / (frequency @ total)), len(points) // 10)))
