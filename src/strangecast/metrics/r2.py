"""Coefficient of determination."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import channel_mean, window_mean
from strangecast.metrics.scale import Scale


def r2(truth: np.ndarray, forecast: np.ndarray, scale: Scale, pooled: bool = False) -> np.ndarray:
    """1 - mean squared error / variance of the truth, over time and grid of one window; mean over channels.

    Channels whose truth does not move in the window are left out. ``pooled: true`` is the variant of dysts 0.96: one
    ratio for all values of all channels together, with one mean (where channels differ in level, their differences count
    as variance explained).

    Known values: the truth scores 1, its mean over the window scores 0, anything worse is negative without bound.
    Unchanged when channels are shifted or rescaled (``pooled``: all alike). Short calm windows have little variance to
    explain: read medians.

    Source: the definition of textbooks; equal to ``sklearn.metrics.r2_score`` with ``uniform_average``.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: not used.
        pooled: which version.

    Returns:
        [S, B], at most 1, higher is better; NaN (undefined) where no channel of the truth moves.
    """
    if pooled:
        left, total = window_mean((forecast - truth) ** 2), window_mean(_deviation(truth, True)[None] ** 2)[0]
        with np.errstate(all="ignore"):
            return np.where(moving(truth).any(axis=1), 1 - left / total, np.nan)
    counted = moving(truth)
    left, total = channel_mean((forecast - truth) ** 2), channel_mean(_deviation(truth, False)[None] ** 2)[0]
    ratio = left / np.where(counted, total, 1.0)
    with np.errstate(all="ignore"):
        return 1 - np.where(counted, ratio, 0.0).sum(axis=-1) / counted.sum(axis=-1) * np.where(
            counted.any(axis=1), 1.0, np.nan
        )


def moving(truth: np.ndarray) -> np.ndarray:
    """[B, C] of bool: channels of a truth [B, H, C, *grid] that take more than one value in their window."""
    B, _, C = truth.shape[:3]
    by_channel = np.moveaxis(truth, 2, 1).reshape(B, C, -1)
    return (by_channel != by_channel[..., :1]).any(axis=-1)


def defined(truth: np.ndarray, scale: Scale, pooled: bool = False) -> np.ndarray:
    """[B] of bool: some channel of the truth moves."""
    return moving(truth).any(axis=1)


def _deviation(truth: np.ndarray, pooled: bool) -> np.ndarray:
    """Truth less its mean over the window, channel by channel or of all of them."""
    grid = (1,) * (truth.ndim - 3)
    if pooled:
        return truth - window_mean(truth[None])[0].reshape(-1, 1, 1, *grid)
    mean = channel_mean(truth[None])[0]
    return truth - mean.reshape(len(mean), 1, -1, *grid)
