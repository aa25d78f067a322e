"""Mean absolute error in units of a naive forecast's error in the context."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import channel_mean
from strangecast.metrics.scale import Scale


def mase(truth: np.ndarray, forecast: np.ndarray, scale: Scale, lag: int = 1, steps: int | None = None) -> np.ndarray:
    """Mean over channels of mean over time and grid of |forecast - truth| / naive error of the context.

    The naive error is the mean of |x(t) - x(t - lag)| over the context, per channel: that of a forecast which repeats the
    value ``lag`` samples ago. Both lengths belong to the measure, since the error of a chaotic forecast grows with its
    horizon while the naive error stays; so they stand in the metric's name. ``steps`` counts the first samples only.

    Known values: the truth scores 0; a forecast off by the naive error scores 1. Unchanged when channels are shifted or
    rescaled. A channel that stands still in the context has the floor of its standard deviation for a naive error (a
    thousandth of the climate's deviation, 1 where there is none).

    Source: R. J. Hyndman, A. B. Koehler, Int. J. Forecasting 22, 679 (2006), who scale by the data a forecast
    is made from, as here.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the context.
        lag: of the naive forecast, in samples.
        steps: how many samples count; all by default.

    Returns:
        [S, B], at least 0, lower is better, infinite where one of the ``steps`` samples is.

    Raises:
        DataError: the context is not longer than ``lag`` (see :func:`defined`).
    """
    error = channel_mean(np.abs(forecast[:, :, :steps] - truth[:, :steps]))
    units = error / scale.naive_error(lag)
    return units.sum(axis=-1) / units.shape[-1]


def defined(truth: np.ndarray, scale: Scale, lag: int = 1, steps: int | None = None) -> np.ndarray:
    """[B] of bool: the context is longer than ``lag``."""
    return np.full(len(truth), scale.context is not None and scale.context.shape[1] > lag)
