"""Symmetric mean absolute percentage error, 0 to 100."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import window_mean
from strangecast.metrics.scale import Scale


def smape(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """100 * mean of |forecast - truth| / (|forecast| + |truth|) over time, channels and grid; 0/0 counts as 0.

    This is the definition with range 0 to 100, that of dysts since 0.96 (older versions, and most of the forecasting
    literature, print twice this number). It is not invariant under a shift, so the space matters: on values
    standardised by their context, as in Lai, Bao and Gilpin (arXiv 2505.13755), a forecast of the context mean is 0
    everywhere and scores exactly 100, worse than persistence (about 60 on chaotic flows). Read it beside the valid
    prediction time.

    Known values: the truth scores 0; a forecast of 0, or of the opposite sign, scores 100; 3 for 1 scores 50. Symmetric
    in truth and forecast.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: not used.

    Returns:
        [S, B] in [0, 100], lower is better.
    """
    size = np.abs(forecast) + np.abs(truth)
    return 100 * window_mean(np.divide(np.abs(forecast - truth), size, out=np.zeros_like(size), where=size != 0))
