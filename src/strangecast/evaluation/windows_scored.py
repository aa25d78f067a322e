"""Scores of arrays: divergence, and every metric at every horizon.

Forecasts are [S, B, H, C, *grid], or [N, S, B, H, C, *grid] where an emulator drew N samples; the truth tells which.
"""

from __future__ import annotations

import numpy as np

from strangecast.evaluation.metric_option import LYAPUNOV_TIMES, SAMPLES, Metric
from strangecast.metrics.samples import RUNAWAY, bounds, contained, point_forecast
from strangecast.metrics.scale import Scale, per_channel

__all__ = ["RUNAWAY", "defined_at", "diverged_at", "has_samples", "metric_values", "taken"]


def has_samples(forecast: np.ndarray, truth: np.ndarray) -> bool:
    """Whether ``forecast`` has an axis of samples before those of members and of the truth [B, H, C, *grid]."""
    return forecast.ndim == truth.ndim + 2


def diverged_at(forecast: np.ndarray, scale: Scale, *, samples: bool = False) -> np.ndarray:
    """First step in which any channel is not finite or more than ``RUNAWAY`` climate deviations from its mean.

    A channel whose climate never changes may go as far as ``RUNAWAY`` times its mean's size (or 1, if that is 0).

    With samples: the first step by which at least half of them have diverged. Until then their median lies between
    samples that have not.

    Args:
        forecast: [S, B, H, C, *grid], physical units; [N, S, B, H, C, *grid] with samples.
        scale: of the windows.
        samples: whether N stands in front.

    Returns:
        [S, B] int32, -1 where a forecast does not diverge.
    """
    if samples:
        N, S, B, H = forecast.shape[:4]
        each = diverged_at(forecast.reshape(N * S, *forecast.shape[2:]), scale).reshape(N, S, B)
        at = np.sort(np.where(each < 0, H, each), axis=0)[(N - 1) // 2]
        return np.where(at < H, at, -1).astype(np.int32)
    centre, reach = bounds(scale)
    grid = forecast.ndim - 4
    with np.errstate(all="ignore"):
        inside = np.abs(forecast - per_channel(centre, grid)) <= per_channel(reach, grid)
    bad = ~inside.all(axis=tuple(range(3, forecast.ndim)))
    return np.where(bad.any(axis=-1), bad.argmax(axis=-1), -1).astype(np.int32)


def taken(of: str, forecast: np.ndarray, truth: np.ndarray, scale: Scale) -> np.ndarray:
    """What a metric is given of a forecast.

    Args:
        of: ``Metric.of``.
        forecast: with samples or without, physical units.
        truth: [B, H, C, *grid].
        scale: of the windows.

    Returns:
        [N, S, B, H, C, *grid] where ``of`` is ``samples`` (N = 1 for a forecast without), else [S, B, H, C, *grid]; a
        forecast without samples is left as it is.
    """
    if not has_samples(forecast, truth):
        return forecast[None] if of == SAMPLES else forecast
    return contained(forecast, scale) if of == SAMPLES else point_forecast(forecast, scale, of)


def metric_values(
    metric: Metric, truth: np.ndarray, forecast: np.ndarray, scale: Scale, at: np.ndarray, prefixes: list[int]
) -> dict[int, np.ndarray]:
    """Values [S, B] by horizon in samples, of horizons not shorter than the metric's ``shortest``.

    A pointwise metric is NaN at every horizon that includes the step of divergence; a metric of the whole forecast
    is given infinity from that step on. Values of windows where :func:`defined_at` is False mean nothing.

    Args:
        metric: what to compute.
        truth: [B, H, C, *grid], physical units.
        forecast: with samples or without, or already what :func:`taken` gives for ``metric.of``; physical units.
        scale: of the windows.
        at: [S, B], of :func:`diverged_at`.
        prefixes: horizons in samples.
    """
    H = truth.shape[1]
    asked = [h for h in ([H] if metric.horizons == "full" else prefixes) if h >= metric.shortest]
    if not asked:
        return {}
    diverged = at >= 0
    forecast = taken(metric.of, forecast, truth, scale)
    if metric.horizons == "full" and diverged.any():
        gone = diverged[..., None] & (np.arange(H) >= at[..., None])
        forecast = np.where(gone.reshape(*gone.shape, *(1,) * (truth.ndim - 2)), np.inf, forecast)
    if metric.space == "normalised":
        shape = forecast.shape
        truth = scale.standardise(truth[None])[0]
        forecast = scale.standardise(forecast.reshape(-1, *truth.shape)).reshape(shape)
        scale = scale.standardised()
    found = {}
    steps = (slice(None),) * (forecast.ndim - truth.ndim + 1)
    with np.errstate(all="ignore"):
        if metric.horizons == "full":
            return {H: metric.function(truth, forecast, scale)}
        for h in asked:
            values = metric.function(truth[:, :h], forecast[(*steps, slice(h))], scale)
            found[h] = np.where(diverged & (at < h), np.nan, values)
    return found


def defined_at(metric: Metric, truth: np.ndarray, scale: Scale, horizon: int) -> np.ndarray:
    """[B] of bool: windows for which a metric means anything at a horizon, whatever the forecast.

    Args:
        metric: which.
        truth: [B, H, C, *grid], physical units.
        scale: of the windows.
        horizon: in samples.
    """
    everywhere = np.full(len(truth), horizon >= metric.shortest)
    if metric.unit == LYAPUNOV_TIMES:
        everywhere &= ~np.isnan(scale.lyapunov_steps)
    return everywhere if metric.defined is None else everywhere & metric.defined(truth[:, :horizon], scale)
