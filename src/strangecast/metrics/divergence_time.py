"""When a forecast ran away."""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.metrics.divergence_rate import steps_before
from strangecast.metrics.scale import Scale

UNITS = ("lyapunov", "samples")


def divergence_time(
    truth: np.ndarray, forecast: np.ndarray, scale: Scale, unit_of_time: str = "lyapunov"
) -> np.ndarray:
    """Number of samples before a forecast diverges (see ``divergence_rate``), censored at the horizon.

    Known values: a forecast that does not diverge scores the horizon; one that is not finite at its first sample 0.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid], infinite from divergence on.
        scale: gives dt and the exponent.
        unit_of_time: ``lyapunov`` times or ``samples``.

    Returns:
        [S, B] in [0, horizon], higher is better; NaN (undefined) in Lyapunov times where the exponent is unknown or not
        positive.

    Raises:
        ConfigError: another unit.
    """
    if unit_of_time not in UNITS:
        raise ConfigError(unknown("unit of a divergence time", unit_of_time, UNITS))
    return steps_before(forecast) * (scale.lyapunov_steps if unit_of_time == "lyapunov" else 1.0)
