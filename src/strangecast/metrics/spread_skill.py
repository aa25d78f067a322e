"""Is the spread of the samples as large as the error of their mean?"""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import window_mean
from strangecast.metrics.scale import Scale


def spread_skill_error(truth: np.ndarray, samples: np.ndarray, scale: Scale) -> np.ndarray:
    """1 - min(r, 1 / r), with r the ratio of spread to error of one window (see :func:`spread_and_error`).

    Known values: 0 where spread and error are equal, 1/2 where one is twice the other, 1 for a forecast without samples
    (no spread) that is wrong; the truth scores 0.

    Args:
        truth: [B, H, C, *grid].
        samples: [N, S, B, H, C, *grid].
        scale: not used.

    Returns:
        [S, B] in [0, 1], lower is better.
    """
    spread, error = spread_and_error(truth, samples)
    larger = np.maximum(spread, error)
    ratio = np.divide(np.minimum(spread, error), larger, out=np.ones_like(larger), where=larger > 0)
    return 1 - ratio


def spread_and_error(truth: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spread and error [S, B] over time, channels and grid: sqrt((N + 1) / N mean variance), and that of the mean's error.

    The variance is unbiased (0 for one sample). With the factor (N + 1) / N both have the same expectation where truth
    and samples are drawn from one distribution, for any N.

    Source: V. Fortin, M. Abaza, F. Anctil, R. Turcotte, J. Hydrometeorology 15, 1708 (2014).

    Args:
        truth: [B, H, C, *grid].
        samples: [N, S, B, H, C, *grid].
    """
    N = len(samples)
    last = np.sort(np.ascontiguousarray(np.moveaxis(samples, 0, -1)), axis=-1)  # one order of addition
    mean = last.sum(axis=-1) / N if N > 1 else last[..., 0]
    error = window_mean((mean - truth) ** 2)
    if N == 1:
        return np.zeros_like(error), np.sqrt(error)
    variance = np.square(last - mean[..., None]).sum(axis=-1) / (N - 1)
    return np.sqrt(window_mean(variance) * (N + 1) / N), np.sqrt(error)
