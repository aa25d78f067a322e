"""The error of a forecast step by step, in units of the climate's standard deviation."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import window_mean
from strangecast.metrics.nrmse import channel_weights
from strangecast.metrics.scale import Scale, per_channel


def normalised_error(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """e(t) = sqrt(mean over channels and grid of ((forecast - truth) / climate standard deviation)^2).

    Known values: 0 for the truth, sqrt(2) on average for an independent draw of the climate. Channels whose climate
    never changes are left out (all count, in physical units, where none changes). A sample that is not finite has an
    infinite error.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate's standard deviation.

    Returns:
        [S, B, H], at least 0, never NaN.
    """
    std, weight = channel_weights(scale.climate_std)
    grid = truth.ndim - 3
    with np.errstate(all="ignore"):
        square = ((forecast - truth) / per_channel(std, grid)) ** 2
        s, b, h, c = square.shape[:4]
        by_channel = window_mean(square.reshape(s * b, h * c, -1)).reshape(s, b, h, c)
        # A channel that does not count may still have overflowed: 0 * inf would hide it as NaN.
        total = np.where(weight[:, None] > 0, by_channel * weight[:, None], 0.0).sum(axis=-1)
        finite = np.isfinite(forecast).all(axis=tuple(range(3, forecast.ndim)))
    return np.where(finite & ~np.isnan(total), np.sqrt(total), np.inf)
