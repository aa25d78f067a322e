"""Scores of arrays: divergence, and every metric at every horizon."""

from __future__ import annotations

import numpy as np

from strangecast.evaluation.metric_option import Metric
from strangecast.metrics.scale import Scale, per_channel

RUNAWAY = 1e3


def diverged_at(forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """First sample in which any channel is not finite or more than ``RUNAWAY`` climate deviations from its mean.

    A channel whose climate never changes may go as far as ``RUNAWAY`` times its mean's size (or 1, if that is 0).

    Args:
        forecast: [S, B, H, C, *grid], physical units.
        scale: of the windows.

    Returns:
        [S, B] int32, -1 where a forecast does not diverge.
    """
    mean, std = scale.climate_mean, scale.climate_std
    size = np.where(std > 0, std, np.where(mean != 0, np.abs(mean), 1.0))
    grid = forecast.ndim - 4
    with np.errstate(all="ignore"):
        inside = np.abs(forecast - per_channel(mean, grid)) <= RUNAWAY * per_channel(size, grid)
    bad = ~inside.all(axis=tuple(range(3, forecast.ndim)))
    return np.where(bad.any(axis=-1), bad.argmax(axis=-1), -1).astype(np.int32)


def metric_values(
    metric: Metric, truth: np.ndarray, forecast: np.ndarray, scale: Scale, at: np.ndarray, prefixes: list[int]
) -> dict[int, np.ndarray]:
    """Values [S, B] by horizon in samples.

    A pointwise metric is NaN at every horizon that includes the sample of divergence; a metric of the whole forecast
    is given infinity from that sample on.

    Args:
        metric: what to compute.
        truth: [B, H, C, *grid], physical units.
        forecast: [S, B, H, C, *grid], physical units.
        scale: of the windows.
        at: [S, B], of :func:`diverged_at`.
        prefixes: horizons in samples.
    """
    H = truth.shape[1]
    diverged = at >= 0
    if metric.horizons == "full" and diverged.any():
        gone = diverged[..., None] & (np.arange(H) >= at[..., None])
        forecast = np.where(gone.reshape(*gone.shape, *(1,) * (forecast.ndim - 3)), np.inf, forecast)
    if metric.space == "normalised":
        truth, forecast = scale.standardise(truth[None])[0], scale.standardise(forecast)
        scale = scale.standardised()
    if metric.horizons == "full":
        return {H: metric.function(truth, forecast, scale)}
    found = {}
    with np.errstate(all="ignore"):
        for h in prefixes:
            values = metric.function(truth[:, :h], forecast[:, :, :h], scale)
            found[h] = np.where(diverged & (at < h), np.nan, values)
    return found
