"""Mean absolute error of the first steps in units of the truth's own changes, as DynaMix has it."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import window_mean
from strangecast.metrics.scale import Scale


def mase_dynamix(truth: np.ndarray, forecast: np.ndarray, scale: Scale, steps: int = 10) -> np.ndarray:
    """Mean of |forecast - truth| over the first ``steps`` samples / mean of |x(t) - x(t - 1)| over the whole truth.

    The variant of the DynaMix reference, for comparison: the naive error is that of the future, which no forecast knows,
    and all channels share one ratio of means, so it depends on how they are scaled. (Its own reports call the function
    with truth and forecast exchanged, which divides by the changes of the forecast.) Published, on its own windows:
    0.285 (Lorenz-63, context 2000), 0.366 (Chua), 0.180 (Sprott M).

    Known values: the truth scores 0; a forecast off by the mean change of one step scores 1.

    Args:
        truth: [B, H, C, *grid], H at least 2.
        forecast: [S, B, H, C, *grid].
        scale: not used.
        steps: how many samples count in the numerator.

    Returns:
        [S, B], at least 0, lower is better, infinite where one of the ``steps`` samples is.
    """
    error = window_mean(np.abs(forecast[:, :, :steps] - truth[:, :steps]))
    return error / window_mean(np.abs(np.diff(truth, axis=1))[None])


def defined(truth: np.ndarray, scale: Scale, steps: int = 10) -> np.ndarray:
    """[B] of bool: something changes."""
    return (np.diff(truth, axis=1) != 0).reshape(len(truth), -1).any(axis=1)
