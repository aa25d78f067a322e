"""Does the trajectory repeat itself exactly?"""

from __future__ import annotations

import numpy as np

from strangecast.systems.validity.verdict import Verdict, columns


def limit_cycle(values: np.ndarray, min_recurrence_error: float = 0.01, candidates: int = 8) -> Verdict:
    """Fail a trajectory that some time lag maps onto itself.

    On a limit cycle of period P, x(t + P) = x(t) for all t; on a chaotic or quasi-periodic orbit no lag does that.
    The statistic is the smallest, over lags of at most half the record, of

        sqrt(mean_t |x(t + lag) - x(t)|^2 / (2 var)),

    each channel in units of its standard deviation: 0 for an exact repetition, about 1 for unrelated states. Lags
    before the first one where half of the largest difference is reached are left out (every smooth series resembles
    itself at once). All lags come from one FFT; the best few are refined between samples by linear interpolation,
    for a cycle's period is no multiple of the sampling interval. Interpolation leaves about (2 pi / n)^2 / 8 on n
    samples per turn. A record shorter than two turns cannot be judged and passes.

    Args:
        values: [T, C, *grid].
        min_recurrence_error: smallest allowed statistic.
        candidates: how many local minima are refined.
    """
    x = columns(values)
    if not np.isfinite(x).all():
        return Verdict(False, float("nan"), min_recurrence_error)
    if len(x) < 16:
        return Verdict(True, float("nan"), min_recurrence_error)
    std = x.std(axis=0)
    moving = std > 1e-10 * np.abs(x).max(axis=0)
    if not moving.any():
        return Verdict(True, float("nan"), min_recurrence_error)
    x = (x[:, moving] - x[:, moving].mean(axis=0)) / std[moving]
    difference = _mean_square_differences(x, len(x) // 2)
    far = np.flatnonzero(difference >= 0.5 * difference.max())
    start = int(far[0])
    inner = np.arange(max(1, start), len(difference) - 1)
    lows = inner[(difference[inner] <= difference[inner - 1]) & (difference[inner] <= difference[inner + 1])]
    if len(lows) == 0:
        return Verdict(True, float("nan"), min_recurrence_error)
    best = lows[np.argsort(difference[lows], kind="stable")[:candidates]]
    smallest = min(_refined(x, lag) for low in best for lag in (low - 1, low))
    statistic = float(np.sqrt(smallest / (2 * x.shape[1])))
    return Verdict(statistic >= min_recurrence_error, statistic, min_recurrence_error)


def _mean_square_differences(x: np.ndarray, max_lag: int) -> np.ndarray:
    """[max_lag + 1]: mean over t of |x(t + lag) - x(t)|^2, summed over channels, by FFT."""
    n = len(x)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(x, size, axis=0)
    products = np.fft.irfft((spectrum.real**2 + spectrum.imag**2).sum(axis=1), size)[: max_lag + 1]
    squares = np.concatenate([[0.0], np.cumsum((x**2).sum(axis=1))])
    lags = np.arange(max_lag + 1)
    total = (squares[n] - squares[lags]) + squares[n - lags]
    return np.maximum((total - 2 * products) / (n - lags), 0.0)


def _refined(x: np.ndarray, lag: int) -> float:
    """Least mean square of x(t + lag + theta) - x(t) over theta in [0, 1], x linear between samples."""
    a = x[lag:-1] - x[: -lag - 1]
    b = x[lag + 1 :] - x[lag:-1]
    bb = float((b * b).sum())
    theta = float(np.clip(-(a * b).sum() / bb, 0.0, 1.0)) if bb > 0 else 0.0
    return float(((a + theta * b) ** 2).sum(axis=1).mean())
