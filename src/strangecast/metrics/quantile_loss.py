"""Quantile loss of an ensemble."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from strangecast.metrics.averages import window_mean
from strangecast.metrics.sample_quantiles import sample_quantiles
from strangecast.metrics.scale import Scale

DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def quantile_loss(
    truth: np.ndarray, samples: np.ndarray, scale: Scale, levels: Sequence[float] = DECILES
) -> np.ndarray:
    """Mean over time, channels, grid and levels of 2 (level - [truth < q]) (truth - q), q the samples' quantile.

    Twice the pinball loss, so that a forecast without samples scores its mean absolute error (with levels that are
    symmetric about 1/2), and that many levels approach the CRPS of the samples' own distribution.

    Known values: the truth scores 0; with the level 0.5 alone the loss is the absolute error of the median.

    Source: R. Koenker, G. Bassett, Econometrica 46, 33 (1978).

    Args:
        truth: [B, H, C, *grid].
        samples: [N, S, B, H, C, *grid].
        scale: not used.
        levels: in (0, 1).

    Returns:
        [S, B], at least 0, lower is better, in the units of the data.

    Raises:
        ConfigError: a level outside 0 to 1.
    """
    quantiles = sample_quantiles(samples, levels)
    loss = np.zeros(samples.shape[1:])
    for level, q in zip(levels, quantiles, strict=True):
        off = truth - q
        loss += np.where(off < 0, (level - 1) * off, level * off)
    return window_mean(loss) * (2 / len(levels))
