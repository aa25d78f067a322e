"""Prediction error after n steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from strangecast.core.errors import DataError
from strangecast.metrics.normalised_error import normalised_error
from strangecast.metrics.scale import Scale


def n_step_error(truth: np.ndarray, forecast: np.ndarray, scale: Scale, n: int = 20) -> np.ndarray:
    """Mean over channels and grid of ((forecast - truth) / climate standard deviation)^2 at the n-th sample alone.

    One window's part of PE(n), the mean over all start points of a series (:func:`prediction_error`) that the reference
    of the almost-linear RNN (arXiv 2410.14240) reports; the mean over a suite's windows estimates it. Channels whose climate
    never changes are left out.

    Known values: the truth scores 0; the climate mean scores 1 on average, an independent draw of the climate 2;
    persistence scores about 1.43 at n = 20 on Lorenz-63 sampled every 0.01 time units.

    Args:
        truth: [B, H, C, *grid], H at least n.
        forecast: [S, B, H, C, *grid].
        scale: gives the climate's standard deviation.
        n: which sample, from 1.

    Returns:
        [S, B], at least 0, lower is better, infinite where the forecast is before or at sample n.
    """
    error = normalised_error(truth[:, n - 1 : n], forecast[:, :, n - 1 : n], scale)[..., 0]
    return error**2


def all_starts(series: np.ndarray, context: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Every window of a series, as views: contexts [B, context, C, *grid] and the n samples after each [B, n, C, *grid].

    Args:
        series: [T, C, *grid]; B = T - context - n + 1.
        context: samples before each origin.
        n: samples after it.

    Raises:
        DataError: the series is too short for one window.
    """
    if min(context, n) < 1 or len(series) < context + n:
        raise DataError(f"{context} samples of context and {n} steps do not fit into a series of {len(series)} samples")
    every = np.moveaxis(np.lib.stride_tricks.sliding_window_view(series, context + n, axis=0), -1, 1)
    return every[:, :context], every[:, context:]


def prediction_error(
    series: np.ndarray,
    forecast: Callable[[np.ndarray], np.ndarray],
    n: int = 20,
    *,
    context: int = 1,
    std: np.ndarray | None = None,
    batch: int = 1024,
) -> np.ndarray:
    """PE(n): mean squared error at the n-th step over all start points of a series, channels and grid.

    Args:
        series: [T, C, *grid].
        forecast: from contexts [B, context, C, *grid] to [S, B, n, C, *grid].
        n: steps ahead.
        context: samples it is given.
        std: [C], units of the error; 1 by default (the sources standardise their data first).
        batch: windows given at once.

    Returns:
        [S], at least 0; infinite or NaN where a forecast is.

    Raises:
        DataError: the series is too short for one window.
    """
    contexts, future = all_starts(series, context, n)
    unit = np.ones(series.shape[1]) if std is None else np.asarray(std, np.float64)
    unit = unit.reshape(-1, *(1,) * (series.ndim - 2))
    total: np.ndarray | float = 0.0
    for first in range(0, len(contexts), batch):
        part = slice(first, first + batch)
        error = (forecast(contexts[part])[:, :, n - 1] - future[part, n - 1]) / unit
        total = total + np.square(error).reshape(len(error), -1).sum(axis=1)
    return total / (len(contexts) * series[0].size)
