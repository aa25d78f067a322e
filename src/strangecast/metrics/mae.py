"""Mean absolute error."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import window_mean
from strangecast.metrics.scale import Scale


def mae(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """Mean of |forecast - truth| over time, channels and grid.

    Known values: the truth scores 0, a forecast off by c everywhere scores |c|. Never above the RMSE.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: not used.

    Returns:
        [S, B], at least 0, lower is better.
    """
    return window_mean(np.abs(forecast - truth))
