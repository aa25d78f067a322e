"""Correlation of forecast and truth at each step, as departures from the climate."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.nrmse import channel_weights
from strangecast.metrics.scale import Scale, per_channel


def anomaly_correlation(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """Sum over channels and grid of f'x' / sqrt(sum of f'^2 * sum of x'^2), with ' less the climate mean, in its deviations.

    The centre is the climate's mean, not that of the moment, so the level of a field counts. Channels whose climate never
    changes are left out (all count, in physical units, where none changes). A truth that lies exactly on the climate mean
    is correlated with nothing but itself: 1 if the forecast lies there too, else 0. A forecast on the climate mean of
    another truth scores 0.

    Known values: 1 for the truth and for any positive multiple of its anomaly, -1 for its mirror image, 0 on average for
    an independent draw of the climate. Where a state has few numbers (a flow of three channels) chance is seldom far from
    it: read it for fields.

    Source: I. T. Jolliffe, D. B. Stephenson (eds.), Forecast Verification, 2nd ed. (2012), the uncentred version.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate.

    Returns:
        [S, B, H] in [-1, 1]; minus infinity where the forecast is not finite, which is below any threshold.
    """
    std, weight = channel_weights(scale.climate_std)
    grid = truth.ndim - 3
    mean, std = per_channel(scale.climate_mean, grid), per_channel(np.where(weight > 0, std, np.inf), grid)
    x, f = (truth - mean) / std, forecast - mean
    finite = np.isfinite(f).all(axis=tuple(range(3, f.ndim)))
    with np.errstate(invalid="ignore", over="ignore"):
        # The size of the forecast does not matter, so it is taken out before squares can overflow.
        f = np.nan_to_num(f / std, nan=0.0, posinf=0.0, neginf=0.0).reshape(*finite.shape, -1)
        f = f / np.maximum(np.abs(f).max(axis=-1, keepdims=True), np.finfo(float).tiny)
    x = x.reshape(*x.shape[:2], -1)
    both, xx, ff = (f * x).sum(axis=-1), (x * x).sum(axis=-1), (f * f).sum(axis=-1)
    size = np.sqrt(xx * ff)
    found = np.divide(both, size, out=np.zeros_like(both), where=size > 0)
    found = np.where((xx == 0) & (ff == 0), 1.0, np.clip(found, -1.0, 1.0))
    return np.where(finite, found, -np.inf)
