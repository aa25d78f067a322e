"""Does the trajectory repeat itself exactly, or end up doing so?"""

from __future__ import annotations

import numpy as np
from numba import njit

from strangecast.systems.validity.record import REST, Record, as_record
from strangecast.systems.validity.verdict import Verdict

_LEAST = 16
_CHUNK = 64  # series transformed at once: the memory of a field's spectra stays that of a few trajectories


def limit_cycle(
    values: np.ndarray | Record,
    min_recurrence_error: float = 0.01,
    trim: float = 0.05,
    tail: float = 0.5,
    candidates: int = 8,
) -> Verdict:
    """Fail a trajectory that some time lag maps onto itself, over the whole record or over its last ``tail``.

    On a limit cycle of period P, x(t + P) = x(t) for all t; on a chaotic or quasi-periodic orbit no lag does that.
    The statistic is the smallest, over lags of at most half the piece, of

        sqrt(mean_t |x(t + lag) - x(t)|^2 / (2 var)),

    each channel in units of its standard deviation: 0 for an exact repetition, about 1 for unrelated states. The mean
    leaves out the largest ``trim`` of the squared differences, so that the jumps of a relaxation oscillation, which no
    interpolation between samples can follow, do not hide its repetition. Lags before the first one where half of the
    largest difference is reached are left out (every smooth series resembles itself at once). All lags come from one
    FFT; the best few are refined between samples by linear interpolation, for a cycle's period is no multiple of the
    sampling interval. Interpolation leaves about (2 pi / n)^2 / 8 on n samples per turn. A piece shorter than two
    turns cannot be judged and passes.

    Source: own. The test of the same name in dysts compares all pairs of samples, O(T^2) in time and memory.

    Args:
        values: [T, C, *grid] or its record.
        min_recurrence_error: smallest allowed statistic.
        trim: share of the squared differences that is left out.
        tail: fraction of the samples at the end that is looked at on its own; 1 for none.
        candidates: how many local minima are refined.
    """
    record = as_record(values)
    if not record.finite:
        return Verdict(False, float("nan"), min_recurrence_error, "not finite")
    whole = _smallest_error(record.series, trim, candidates)
    error, note = whole, ""
    if tail < 1 and not whole < min_recurrence_error:
        last = _smallest_error(record.series[:, -int(tail * record.length) :], trim, candidates)
        if np.isnan(error) or last < error:
            error, note = last, f"in the last {tail:g} of the record"
    if np.isnan(error):
        return Verdict(True, error, min_recurrence_error, "less than two turns")
    passed = bool(error >= min_recurrence_error)
    return Verdict(passed, error, min_recurrence_error, "" if passed else note)


def _smallest_error(series: np.ndarray, trim: float, candidates: int) -> float:
    """The statistic of one piece [M, T]; NaN where it holds less than two turns or nothing moves."""
    n = series.shape[1]
    if n < _LEAST:
        return float("nan")
    std = series.std(axis=1)
    # Numbers so small that their squares vanish have no spread to measure recurrence in.
    moving = (np.ptp(series, axis=1) > REST * np.abs(series).max(axis=1)) & (std > 0)
    if not moving.any():
        return float("nan")
    z = (series[moving] - series[moving].mean(axis=1, keepdims=True)) / std[moving, None]
    difference = _mean_square_differences(z, n // 2)
    start = max(1, int(np.flatnonzero(difference >= 0.5 * difference.max())[0]))
    inner = np.arange(start, len(difference) - 1)
    lows = inner[(difference[inner] <= difference[inner - 1]) & (difference[inner] <= difference[inner + 1])]
    best = lows[np.argsort(difference[lows], kind="stable")[:candidates]]
    errors = [_trimmed(_refined(z, lag), trim) for low in best for lag in (low - 1, low)]
    return float(np.sqrt(min(errors) / (2 * len(z)))) if errors else float("nan")


def _mean_square_differences(z: np.ndarray, max_lag: int) -> np.ndarray:
    """[max_lag + 1]: mean over t of |z(t + lag) - z(t)|^2, summed over the rows of ``z`` [M, T], by FFT."""
    from scipy.fft import irfft, next_fast_len, rfft

    n = z.shape[1]
    size = next_fast_len(n + max_lag, real=True)
    power = np.zeros(size // 2 + 1)
    for i in range(0, len(z), _CHUNK):
        spectrum = rfft(z[i : i + _CHUNK], size, axis=1)
        power += (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    products = irfft(power, size)[: max_lag + 1]
    squares = np.concatenate([[0.0], np.cumsum((z**2).sum(axis=0))])
    lags = np.arange(max_lag + 1)
    total = (squares[n] - squares[lags]) + squares[n - lags]
    return np.maximum((total - 2 * products) / (n - lags), 0.0)


def _trimmed(squares: np.ndarray, trim: float) -> float:
    """Mean of all but the largest ``trim`` of the squares."""
    keep = max(1, int((1 - trim) * len(squares)))
    return float(np.partition(squares, keep - 1)[:keep].mean())


@njit(cache=True)
def _refined(z, lag):
    """|z(t + lag + theta) - z(t)|^2 for all t, rows of ``z`` [M, T] linear between samples, at the best theta."""
    m, n = z.shape
    size = n - lag - 1
    ab, bb = 0.0, 0.0
    for i in range(m):
        for t in range(size):
            b = z[i, t + lag + 1] - z[i, t + lag]
            ab += (z[i, t + lag] - z[i, t]) * b
            bb += b * b
    theta = min(max(-ab / bb, 0.0), 1.0) if bb > 0 else 0.0
    squares = np.zeros(size)
    for i in range(m):
        for t in range(size):
            b = z[i, t + lag + 1] - z[i, t + lag]
            d = z[i, t + lag] - z[i, t] + theta * b
            squares[t] += d * d
    return squares
