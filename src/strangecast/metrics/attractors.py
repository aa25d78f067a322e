"""Attractors as sets of points: one window at a time, in units of the climate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from strangecast.metrics.scale import Scale


def points(values: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """States of one window as points [H, D], D = C * grid, less the climate's mean and in its standard deviations.

    Channels whose climate never changes are left out; where none changes all stay, in physical units.

    Args:
        values: [H, C, *grid].
        mean, std: [C], of the climate.
    """
    kept = std > 0 if (std > 0).any() else np.ones(len(std), bool)
    shape = (-1, *(1,) * (values.ndim - 2))
    centre, unit = (x[kept].reshape(shape) for x in (mean, np.where(std > 0, std, 1.0)))
    return np.ascontiguousarray(((values[:, kept] - centre) / unit).reshape(len(values), -1))


def by_window(
    truth: np.ndarray,
    forecast: np.ndarray,
    scale: Scale,
    reference: Callable[[np.ndarray, int], Any],
    compare: Callable[[Any, np.ndarray], float],
    worst: float,
) -> np.ndarray:
    """[S, B]: ``compare(reference(true points, b), forecast points)`` for each forecast of each window b.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate.
        reference: what is needed of the truth, computed once for all members.
        compare: a number for one forecast.
        worst: of a forecast that is not finite throughout, since it has diverged.
    """
    S, B = forecast.shape[:2]
    found = np.empty((S, B))
    finite = np.isfinite(forecast).reshape(S, B, -1).all(axis=-1)
    for b in range(B):
        climate = scale.climate_mean[b], scale.climate_std[b]
        held = reference(points(truth[b], *climate), b)
        for s in range(S):
            found[s, b] = compare(held, points(forecast[s, b], *climate)) if finite[s, b] else worst
    return found
