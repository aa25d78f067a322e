"""How long a forecast stays correlated with the truth."""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.metrics.anomaly_correlation import anomaly_correlation
from strangecast.metrics.scale import Scale

UNITS = ("lyapunov", "time", "samples")


def correlation_time(
    truth: np.ndarray, forecast: np.ndarray, scale: Scale, threshold: float = 0.8, unit_of_time: str = "lyapunov"
) -> np.ndarray:
    """First time at which the anomaly correlation (see ``anomaly_correlation``) is below ``threshold``.

    Time is counted from the last sample of the context, where the correlation is 1, and interpolated linearly between the
    two samples around the crossing. A forecast that never falls below is censored at the horizon.

    Known values: the truth scores the horizon; a forecast that is exact for k samples and then uncorrelated scores
    k + 1 - threshold samples, one that is not finite from there on k; the climate mean scores 1 - threshold samples.

    Sources: the correlation is that of weather forecasts; the time, with 0.8, that of Lippe et al. (PDE-Refiner, NeurIPS
    2023), who take the plain correlation over the grid. APEBench prints the curve without a time.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate, dt and the exponent.
        threshold: in (-1, 1).
        unit_of_time: ``lyapunov`` times, units of ``time`` of the system, or ``samples``.

    Returns:
        [S, B] in [0, horizon], higher is better; NaN (undefined) in Lyapunov times where the exponent is unknown or not
        positive.

    Raises:
        ConfigError: another unit.
    """
    if unit_of_time not in UNITS:
        raise ConfigError(unknown("unit of a correlation time", unit_of_time, UNITS))
    curve = anomaly_correlation(truth, forecast, scale)
    steps = crossing(np.concatenate([np.ones((*curve.shape[:2], 1)), curve], axis=-1), threshold)
    return steps * {"lyapunov": scale.lyapunov_steps, "time": scale.dt, "samples": 1.0}[unit_of_time]


def crossing(curve: np.ndarray, threshold: float) -> np.ndarray:
    """Position [...] on the last axis of ``curve`` [..., n] where it first falls below ``threshold``, interpolated.

    n - 1 where it never does; 0 where it starts below.
    """
    below = curve < threshold
    at = np.where(below.any(axis=-1), below.argmax(axis=-1), curve.shape[-1] - 1)
    before = np.maximum(at - 1, 0)
    high, low = (np.take_along_axis(curve, i[..., None], axis=-1)[..., 0] for i in (before, at))
    crosses = below.any(axis=-1) & (at > 0)
    share = np.divide(high - threshold, high - low, out=np.zeros_like(high), where=crosses)
    return np.where(crosses, before + share, at)
