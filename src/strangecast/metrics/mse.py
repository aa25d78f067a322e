"""Mean squared error."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import window_mean
from strangecast.metrics.scale import Scale


def mse(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """Mean of (forecast - truth)^2 over time, channels and grid.

    In normalised space the unit is the context's variance: a forecast of the context mean scores the mean square of
    the standardised truth, near 1 where the future resembles the past; a forecast that is off by c everywhere scores
    c^2; the truth scores 0.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: not used.

    Returns:
        [S, B], at least 0, lower is better.
    """
    return window_mean((forecast - truth) ** 2)
