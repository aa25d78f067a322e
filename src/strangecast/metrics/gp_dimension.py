"""Dimension by a power law of the distances between their 5th and 50th percentile, as dysts has it."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.attractors import by_window
from strangecast.metrics.pair_distances import PairDistances
from strangecast.metrics.scale import Scale


def gp_dimension_error(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """|dimension of the forecast - that of the truth| by :func:`gp_dimension`.

    The variant of dysts 0.96 and Panda, for comparison.

    Known values: the truth scores 0.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate, in whose deviations distances are measured.

    Returns:
        [S, B], at least 0, lower is better; infinite where the forecast diverged.
    """
    return by_window(
        truth,
        forecast,
        scale,
        lambda true, b: gp_dimension(true),
        lambda held, mine: abs(gp_dimension(mine) - held),
        np.inf,
    )


def gp_dimension(points: np.ndarray) -> float:
    """1 + n / sum of log(r / r_least) over the n distances between the 5th and the 50th percentile of those above 0.

    All pairs count, however close in time, and the estimator is that of a falling density above r_least, not of a rising
    one below a bound: the number is near the correlation dimension of flows (2.08 for 1500 samples of Lorenz-63) by the
    choice of percentiles. The second percentile is taken of what is above the first.

    Equal to ``dysts.analysis.gp_dim`` 0.96, which holds all T^2 distances, several times over. 0 where all points
    coincide, and where the distances have too few values to lie between the percentiles.

    Source: A. Clauset, C. R. Shalizi, M. E. J. Newman, SIAM Review 51, 661 (2009), eq. 3.1.

    Args:
        points: [T, D], finite.
    """
    pairs = PairDistances(points)
    distinct = pairs.count - pairs.zeros
    if not distinct:
        return 0.0
    # In a T x T table every pair stands twice, so rank k there is rank k // 2 here.
    low, low_rank = _percentile(pairs, pairs.zeros, 2 * distinct, 0.05)
    left = 2 * (pairs.count - low_rank)
    if not left:
        return 0.0
    high, _ = _percentile(pairs, low_rank, left, 0.5)
    chosen = pairs.log_sum(low, high)
    spread = chosen.total - chosen.count * float(np.log(chosen.least)) if chosen.count else 0.0
    return 1 + chosen.count / spread if spread > 0 else 0.0


def _percentile(pairs: PairDistances, skipped: int, n: int, share: float) -> tuple[float, int]:
    """The percentile of n values, each pair twice, after the ``skipped`` nearest pairs; and how many pairs do not exceed it.

    Linear between ranks, by the arithmetic of ``numpy.percentile``.
    """
    position = (n - 1) * share
    below = int(np.floor(position))
    weight = position - below
    (a, up_to), (b, _) = (pairs.ranked(skipped + min(k, n - 1) // 2) for k in (below, below + 1))
    value = b - (b - a) * (1 - weight) if weight >= 0.5 else a + (b - a) * weight
    return value, up_to if value < b or b == a else pairs.ranked(skipped + min(below + 1, n - 1) // 2)[1]
