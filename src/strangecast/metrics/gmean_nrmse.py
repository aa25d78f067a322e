"""Geometric mean of the error over the horizon."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.error_curve import geometric_mean
from strangecast.metrics.normalised_error import normalised_error
from strangecast.metrics.scale import Scale


def gmean_nrmse(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """exp(mean over time of log e(t)), with e(t) the normalised error of one window (see ``normalised_error``).

    A factor gained at the first steps counts as much as one gained near saturation, which an arithmetic mean of a
    growing error hides. The mean over windows of this number is not the geometric mean of the mean curve
    (``error_curve.mean_error_curve``, ``geometric_mean``), which is APEBench's and never smaller for one window.

    Known values: the truth scores 0, as does a forecast that is exact at any step; an error of c climate deviations
    everywhere scores c. Unchanged when channels are shifted or rescaled.

    Source: F. Koehler, S. Niedermayr, R. Westermann, N. Thuerey, APEBench, NeurIPS Datasets and Benchmarks (2024), for
    the mean; the error is this project's.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate's standard deviation.

    Returns:
        [S, B], at least 0, lower is better.
    """
    return geometric_mean(normalised_error(truth, forecast, scale))
