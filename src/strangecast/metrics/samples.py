"""Samples of a forecast: what has run away, and the one forecast that samples stand for."""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.metrics.scale import Scale, per_channel

RUNAWAY = 1e3
POINTS = ("median", "mean")


def bounds(scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """Centre and half width [B, C] of what counts as a forecast at all: ``RUNAWAY`` climate deviations around its mean.

    A channel whose climate never changes may go as far as ``RUNAWAY`` times its mean's size (or 1, if that is 0).
    """
    mean, std = scale.climate_mean, scale.climate_std
    return mean, RUNAWAY * np.where(std > 0, std, np.where(mean != 0, np.abs(mean), 1.0))


def contained(samples: np.ndarray, scale: Scale) -> np.ndarray:
    """Samples with every value beyond :func:`bounds` moved to the bound on its side; NaN goes to the upper one.

    So a sample that has run away still counts, as far off as it can be, and nothing is dropped. Values within the
    bounds are left as they are, to the bit.

    Args:
        samples: [N, S, B, H, C, *grid], physical units.
        scale: of the windows.
    """
    grid = samples.ndim - 5
    centre, reach = (per_channel(x, grid) for x in bounds(scale))
    with np.errstate(all="ignore"):
        inside = np.abs(samples - centre) <= reach
        return np.where(inside, samples, np.where(samples < centre, centre - reach, centre + reach))


def point_forecast(samples: np.ndarray, scale: Scale, of: str = "median") -> np.ndarray:
    """The one forecast [S, B, H, C, *grid] of samples: their median or mean, value by value.

    The median is the forecast that errors are usually counted of (it minimises the expected absolute error, and fewer
    than half of the samples cannot drag it away); the mean minimises the expected squared error. One sample is its own
    point forecast, to the bit, as long as it has not run away.

    Args:
        samples: [N, S, B, H, C, *grid], physical units; they are :func:`contained` first.
        scale: of the windows.
        of: ``median`` or ``mean``.

    Raises:
        ConfigError: another ``of``.
    """
    if of not in POINTS:
        raise ConfigError(unknown("point forecast", of, POINTS))
    last = np.ascontiguousarray(np.moveaxis(contained(samples, scale), 0, -1))
    if of == "median":
        return np.median(last, axis=-1, overwrite_input=True)
    return last.sum(axis=-1) / last.shape[-1]


def band(samples: np.ndarray, scale: Scale, low: float = 0.1, high: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles [S, B, H, C, *grid] of samples [N, S, B, H, C, *grid], value by value, interpolated between samples."""
    lower, upper = np.quantile(contained(samples, scale), [low, high], axis=0)
    return lower, upper
