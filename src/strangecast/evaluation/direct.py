"""Scores of arrays in hand, without a suite."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from strangecast.core.errors import DataError
from strangecast.evaluation.metric_option import metric_option
from strangecast.evaluation.windows_scored import defined_at, diverged_at, has_samples, metric_values, taken
from strangecast.metrics.scale import window_scale

COLUMNS = ["metric", "member", "window", "horizon", "horizon_lyapunov", "value", "diverged_at"]


def score_arrays(
    truth: np.ndarray,
    forecasts: np.ndarray,
    context: np.ndarray,
    metrics: dict[str, dict[str, Any]],
    *,
    dt: float = 1.0,
    lyapunov: float | None = None,
) -> pd.DataFrame:
    """Score forecasts as the workflow does, over their whole horizon.

    Args:
        truth: [B, H, C, *grid].
        forecasts: [S, B, H, C, *grid], or [N, S, B, H, C, *grid] with samples.
        context: [B, T, C, *grid]; its mean and deviation normalise, and stand for the climate.
        metrics: resolved YAMLs by name.
        dt: sampling interval.
        lyapunov: largest exponent per time unit, or None; metrics that need it are then left out.

    Returns:
        ``COLUMNS``, without rows of metrics that are not defined for a window: those that need the exponent, or a
        longer forecast, or a truth that moves.

    Raises:
        DataError: shapes differ; the message says on which axis.
    """
    truth, forecasts, context = (np.asarray(a, np.float64) for a in (truth, forecasts, context))
    _check_shapes(truth, forecasts, context)
    axes = (1, *range(3, context.ndim))
    B, H = truth.shape[:2]
    exponent = np.full(B, np.nan if lyapunov is None else lyapunov)
    scale = window_scale(context, context.mean(axis=axes), context.std(axis=axes), np.full(B, float(dt)), exponent)
    at = diverged_at(forecasts, scale, samples=has_samples(forecasts, truth))
    view = cache(partial(taken, forecast=forecasts, truth=truth, scale=scale))
    member, window = (i.reshape(-1) for i in np.indices(at.shape))
    frames = []
    for name, config in metrics.items():
        metric = metric_option(name, config)
        found = metric_values(metric, truth, view(metric.of), scale, at, [H])
        if not found:
            continue
        values = found[H].reshape(-1)
        frame = pd.DataFrame({"metric": name, "member": member, "window": window, "horizon": H})
        frame["horizon_lyapunov"] = H * scale.lyapunov_steps[window]
        frame["value"] = values
        frame["diverged_at"] = pd.array(np.where(at < 0, 0, at).reshape(-1), "Int32")
        frame.loc[at.reshape(-1) < 0, "diverged_at"] = pd.NA
        frames.append(frame[defined_at(metric, truth, scale, H)[window]])
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def _check_shapes(truth: np.ndarray, forecasts: np.ndarray, context: np.ndarray) -> None:
    if truth.ndim < 3:
        raise DataError(f"a truth is [B, H, C, *grid]; found an array of shape {truth.shape}")
    names = ["windows", "steps", "channels", *(f"grid axis {i}" for i in range(truth.ndim - 3))]
    one = forecasts
    if has_samples(forecasts, truth):
        if not len(forecasts):
            raise DataError("forecasts with samples hold none of them: the first axis has length 0")
        one = forecasts[0]
    for what, array, skip in (("forecasts", one[0:1], None), ("context", context[None], 1)):
        if array.ndim != truth.ndim + 1:
            raise DataError(f"{what} of shape {array.shape} do not fit a truth of shape {truth.shape}")
        for axis, name in enumerate(names):
            if axis != skip and array.shape[axis + 1] != truth.shape[axis]:
                raise DataError(f"{what} have {array.shape[axis + 1]} {name}, the truth has {truth.shape[axis]}")
