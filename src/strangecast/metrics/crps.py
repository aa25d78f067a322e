"""Continuous ranked probability score of an ensemble."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import window_mean
from strangecast.metrics.scale import Scale


def crps(truth: np.ndarray, samples: np.ndarray, scale: Scale, fair: bool = True) -> np.ndarray:
    """Mean over time, channels and grid of E|X - truth| - E|X - X'| / 2, with X and X' drawn from the forecast.

    Estimated from N samples x_i. The fair version (default) takes the second term over pairs of different samples,
    sum_ij |x_i - x_j| / (2 N (N - 1)): its expectation does not depend on N, so emulators that draw different numbers of
    samples compare. ``fair: false`` divides by 2 N^2: the score of the ensemble's own step function, which grows as N
    falls. With one sample, and so for a point forecast, both are the mean absolute error. Each channel and step counts
    by itself; how they hang together is not judged.

    Known values: the truth scores 0; one sample scores its MAE; samples of a normal distribution of deviation s score
    s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)) on average, z = (truth - mean) / s.

    Sources: Gneiting and Raftery, J. Am. Stat. Assoc. 102, 359 (2007), eq. 21; Ferro, Q. J. R. Meteorol. Soc. 140, 1917
    (2014) for the fair version.

    Args:
        truth: [B, H, C, *grid].
        samples: [N, S, B, H, C, *grid].
        scale: not used.
        fair: which version.

    Returns:
        [S, B], at least 0, lower is better, in the units of the data.
    """
    N = len(samples)
    error = samples - truth
    if N == 1:
        return window_mean(np.abs(error[0]))
    # Sorted, sum_ij |x_i - x_j| / 2 is sum_i (2 i - N + 1) x_i, i from 0; samples stand last to be added in one order.
    ordered = np.sort(np.ascontiguousarray(np.moveaxis(error, 0, -1)), axis=-1)
    rank = (2 * np.arange(N) - (N - 1)) / (N * (N - 1) if fair else N * N)
    score = (np.abs(ordered) / N - rank * ordered).sum(axis=-1)
    # Of no pair of samples is it negative; what is, is rounding.
    return window_mean(np.maximum(score, 0.0))
