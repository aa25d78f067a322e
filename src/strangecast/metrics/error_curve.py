"""How the error grows along the horizon: curves over windows, and their geometric mean."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.averages import window_mean
from strangecast.metrics.normalised_error import normalised_error
from strangecast.metrics.scale import Scale


def mean_error_curve(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """[S, H]: mean over windows of the normalised error at each step (see ``normalised_error``).

    Infinite from the first step on at which the forecast of some window is.
    """
    error = normalised_error(truth, forecast, scale)
    return window_mean(np.moveaxis(error, 1, 2))


def geometric_mean(curve: np.ndarray, steps: int | None = None) -> np.ndarray:
    """exp(mean of log) over the last axis [..., H], or over its first ``steps``: 0 where an error is 0.

    One number for a curve that grows by orders of magnitude: every factor counts alike, early or late. Koehler, Niedermayr,
    Westermann and Thuerey (APEBench, NeurIPS 2024) take it of the curve that is averaged over windows first, up to step
    100.
    """
    used = np.ascontiguousarray(curve[..., :steps])
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.log(used).sum(axis=-1)
    # An exact step makes the product 0, even beside an infinite one.
    return np.where((used == 0).any(axis=-1), 0.0, np.exp(total / used.shape[-1]))


def apebench_nrmse(truth: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """[S, B, H]: sum over channels of root mean square of the error / root mean square of the truth, over the grid.

    The curve of APEBench 0.1.1 before its mean over windows: scaled by the truth of each step and added, not averaged,
    over channels. Made for fields: without a grid it is |forecast - truth| / |truth|, infinite where the truth is 0.
    """
    B, H, C = truth.shape[:3]
    error, size = (np.square(x).reshape(-1, B, H * C, truth[0, 0, 0].size) for x in (forecast - truth, truth))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt(error.sum(axis=-1) / size.sum(axis=-1))
    ratio = np.where(np.isnan(ratio) & (error.sum(axis=-1) == 0), 0.0, ratio)  # 0 / 0: nothing was to be said
    return ratio.reshape(-1, B, H, C).sum(axis=-1)
