"""Root mean squared error."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.mse import mse
from strangecast.metrics.scale import Scale


def rmse(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """Square root of the mean squared error over time, channels and grid.

    Known values: the truth scores 0, a forecast off by c everywhere scores |c|; scales with the data.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: not used.

    Returns:
        [S, B], at least 0, lower is better.
    """
    return np.sqrt(mse(truth, forecast, scale))
