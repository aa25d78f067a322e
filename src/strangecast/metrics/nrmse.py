"""Root mean squared error in units of the climate's standard deviation."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import channel_mean
from strangecast.metrics.scale import Scale


def nrmse(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """Mean over channels of sqrt(mean over time and grid of (forecast - truth)^2) / climate standard deviation.

    The climate is the dataset's clean training split, so a window that happens to be calm is not forgiven its scale.
    Known values: the truth scores 0; two independent draws of the climate score sqrt(2), the climate's mean scores 1
    over a window long enough to resemble the climate. Unchanged when channels are shifted or rescaled.

    A channel whose climate never changes has no scale and is left out; if no channel has one, the error counts in
    physical units.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate's standard deviation.

    Returns:
        [S, B], at least 0, lower is better.
    """
    std, weight = channel_weights(scale.climate_std)
    root = np.sqrt(channel_mean((forecast - truth) ** 2))
    return (np.where(weight > 0, root / std, 0.0) * weight).sum(axis=-1)


def channel_weights(climate_std: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divisors and weights [B, C] of channels: weights add up to 1 and are 0 where the climate never changes.

    Args:
        climate_std: [B, C].
    """
    varies = climate_std > 0
    counted = np.where(varies.any(axis=1, keepdims=True), varies, True)
    return np.where(varies, climate_std, 1.0), counted / counted.sum(axis=1, keepdims=True)
