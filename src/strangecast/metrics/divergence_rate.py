"""Whether a forecast ran away."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.scale import Scale


def divergence_rate(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """1 where the forecast diverges within the horizon, else 0; the mean over windows is the rate.

    A forecast has diverged from its first sample on that is not finite or further than 1000 climate deviations from the
    climate's mean, which scoring replaces by infinity (``evaluation/windows_scored.py``).

    Known values: the truth scores 0.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid], infinite from divergence on.
        scale: not used.

    Returns:
        [S, B], 0 or 1, lower is better.
    """
    return (steps_before(forecast) < forecast.shape[2]).astype(np.float64)


def steps_before(forecast: np.ndarray) -> np.ndarray:
    """[S, B], samples of [S, B, H, C, *grid] before the first that is not finite."""
    bad = ~np.isfinite(forecast).all(axis=tuple(range(3, forecast.ndim)))
    return np.where(bad.any(axis=-1), bad.argmax(axis=-1), bad.shape[-1])
