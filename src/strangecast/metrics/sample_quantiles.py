"""Quantiles of the samples of a forecast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from strangecast.core.errors import ConfigError


def sample_quantiles(samples: np.ndarray, levels: Sequence[float], unbiased: bool = False) -> np.ndarray:
    """[Q, S, B, H, C, *grid]: quantiles of samples [N, S, B, H, C, *grid], value by value, linear between samples.

    Equal to ``numpy.quantile``; of one sample all quantiles are that sample, to the bit.

    Args:
        samples: [N, S, B, H, C, *grid].
        levels: Q of them.
        unbiased: take rank level (N + 1) from 1 instead of level (N - 1) from 0 (method ``weibull`` of NumPy): the share
            of further draws below it is the level on average, as far as N samples reach.

    Raises:
        ConfigError: a level outside 0 to 1.
    """
    if not levels or not all(0 <= level <= 1 for level in levels):
        raise ConfigError(f"quantile levels must be numbers from 0 to 1, found {list(levels)}")
    N = len(samples)
    ordered = np.sort(samples, axis=0)
    found = np.empty((len(levels), *samples.shape[1:]))
    for q, level in enumerate(levels):
        position = min(max(level * (N + 1) - 1, 0.0), N - 1.0) if unbiased else level * (N - 1)
        below = min(int(position), max(N - 2, 0))
        low, high = ordered[below], ordered[min(below + 1, N - 1)]
        found[q] = low + (high - low) * (position - below)
    return found
