"""How long a forecast stays near the truth, in Lyapunov times."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.normalised_error import normalised_error
from strangecast.metrics.scale import Scale


def valid_prediction_time(truth: np.ndarray, forecast: np.ndarray, scale: Scale, epsilon: float = 0.4) -> np.ndarray:
    """Number of samples before the normalised error first exceeds ``epsilon``, times dt, times the Lyapunov exponent.

    The error is sqrt(mean over channels of ((forecast - truth) / climate standard deviation)^2) (see
    ``normalised_error``), and a sample that is not finite exceeds every ``epsilon``. A forecast that never exceeds it
    is censored at the horizon: it scores the horizon's length in Lyapunov times. The measure is the valid time of
    Pathak et al. (Chaos 28, 041101, 2018), with their threshold 0.4, and the error per channel scaled as by Vlachas
    et al. (Neural Networks 126, 191, 2020).

    Known values: the truth scores horizon * dt * exponent; a forecast wrong from its first sample scores 0; one that is
    exact for k samples and then off scores k * dt * exponent.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate's standard deviation, dt and the exponent.
        epsilon: threshold in climate standard deviations.

    Returns:
        [S, B] in [0, horizon in Lyapunov times], higher is better; NaN (undefined) where the exponent is unknown or not
        positive.
    """
    exceeds = normalised_error(truth, forecast, scale) > epsilon
    steps = np.where(exceeds.any(axis=-1), exceeds.argmax(axis=-1), exceeds.shape[-1])
    return steps * scale.lyapunov_steps
