"""Energy score of an ensemble: how well its samples fit the truth, all channels together."""

from __future__ import annotations

import numpy as np
from numba import njit

from strangecast.metrics.averages import window_mean
from strangecast.metrics.scale import Scale


def energy_score(truth: np.ndarray, samples: np.ndarray, scale: Scale, fair: bool = True) -> np.ndarray:
    """Mean over time of E|X - truth| - E|X - X'| / 2, with |.| the root mean square over channels and grid at one time.

    The CRPS of several dimensions: an ensemble whose channels are right one by one but do not belong together pays. X and
    X' are drawn from the forecast; the fair version (default) takes the second term over pairs of different samples, so
    that its expectation does not depend on their number N; ``fair: false`` divides by N^2.

    Known values: the truth scores 0; one sample scores the mean over time of its root mean square error; with one channel
    and no grid it is the CRPS.

    Source: T. Gneiting, A. E. Raftery, J. Am. Stat. Assoc. 102, 359 (2007), eq. 22 with beta 1, but for the mean in the
    norm, which makes states of different dimension comparable.

    Args:
        truth: [B, H, C, *grid].
        samples: [N, S, B, H, C, *grid].
        scale: not used.
        fair: which version.

    Returns:
        [S, B], at least 0, lower is better, in the units of the data.
    """
    N, S, B, H = samples.shape[:4]
    error = np.ascontiguousarray(np.moveaxis((samples - truth).reshape(N, S * B * H, -1), 0, 1))
    pairs = 0.5 / (N * (N - 1)) if fair and N > 1 else 0.5 / (N * N)
    return window_mean(_scores(error, pairs).reshape(S, B, H))


@njit(cache=True)
def _scores(error, weight):
    """Per row of ``error`` [R, N, D]: mean norm less ``weight`` times the sum of distances over ordered pairs."""
    R, N, D = error.shape
    out = np.empty(R)
    order = np.empty(N, np.int64)
    for r in range(R):
        e = error[r]
        _sort(e, order)  # sums go by value, so that samples may come in any order
        single, double = 0.0, 0.0
        for a in range(N):
            i = order[a]
            size = 0.0
            for d in range(D):
                size += e[i, d] * e[i, d]
            single += np.sqrt(size / D)
            for b in range(a):
                j = order[b]
                size = 0.0
                for d in range(D):
                    x = e[i, d] - e[j, d]
                    size += x * x
                double += np.sqrt(size / D)
        out[r] = max(single / N - 2 * weight * double, 0.0)
    return out


@njit(cache=True)
def _sort(e, order):
    """Order of the rows of ``e`` [N, D] by their first column, ties by the next ones."""
    N, D = e.shape
    for a in range(N):
        b = a
        while b > 0 and _less(e, a, order[b - 1], D):
            order[b] = order[b - 1]
            b -= 1
        order[b] = a


@njit(cache=True)
def _less(e, i, j, D):
    for d in range(D):
        if e[i, d] != e[j, d]:
            return e[i, d] < e[j, d]
    return False
