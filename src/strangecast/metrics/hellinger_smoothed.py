"""Distance of smoothed power spectra."""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.metrics.attractors import by_window
from strangecast.metrics.scale import Scale
from strangecast.metrics.spectrum import hellinger, power, shares


def hellinger_smoothed(truth: np.ndarray, forecast: np.ndarray, scale: Scale, width: float = 0.002) -> np.ndarray:
    """Hellinger distance of the power spectra of forecast and truth, mean over channels and grid.

    The spectrum of a channel is its periodogram from the first harmonic to half the sampling rate, smoothed by a Gaussian
    whose standard deviation is ``width`` cycles per sample (0.002 is a fifth of the main frequency at 100 samples per
    turn), and divided by its sum. Because ``width`` is a frequency, a longer record resolves the same spectrum with less
    noise: the value settles as the length grows and its floor falls as 1 / sqrt(length). With a width counted in bins, as
    in the sources (``hellinger_bins``), the resolution changes with the length, and so does the value of unequal spectra.

    Phase plays no part: a series run backwards, or of the opposite sign, has the same spectrum. A forecast channel that
    does not move is at distance 1. Channels whose climate never changes are left out.

    Known values: the truth scores 0; spectra without overlap score 1; two normal shapes of equal width s whose centres
    are m apart score sqrt(1 - exp(-m^2 / (8 s^2))). Unchanged when channels are shifted, rescaled or exchanged.
    Symmetric.

    Source: J. M. Mikhaeil, Z. Monfared, D. Durstewitz, NeurIPS (2022), but for the unit of the smoothing.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate.
        width: standard deviation of the smoothing, cycles per sample.

    Returns:
        [S, B] in [0, 1], lower is better; 1 where the forecast diverged.

    Raises:
        ConfigError: a width that is not positive.
    """
    if not width > 0:
        raise ConfigError(f"hellinger_smoothed needs a positive width in cycles per sample, found {width}")

    def distribution(x: np.ndarray) -> np.ndarray:
        return shares(power(x)[:, 1:], width * len(x))

    return by_window(
        truth,
        forecast,
        scale,
        lambda true, b: distribution(true),
        lambda held, mine: float(hellinger(held, distribution(mine)).mean()),
        1.0,
    )
