"""Distance of the first hundred bins of power spectra, as dysts has it."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.scale import Scale
from strangecast.metrics.spectrum import hellinger

TOGETHER = 4  # members whose spectra are computed at once: more no longer fit into fast memory


def hellinger_first100(truth: np.ndarray, forecast: np.ndarray, scale: Scale, bins: int = 100) -> np.ndarray:
    """Hellinger distance of the first ``bins`` frequencies of periodograms, mean over channels and grid.

    The variant of dysts 0.96 and Panda, for comparison: nothing is smoothed, and the mean of the series is the first
    bin, so it depends on where zero is; values are standardised by their context, as in Panda. The first 100 bins reach
    up to 100 / length cycles per sample. Two 1024-sample halves of one Lorenz trajectory score 0.335: the floor is high.

    Known values: the truth scores 0; in [0, 1].

    Source: dysts 0.96, ``average_hellinger_distance`` (which is undefined where rounding takes the sum of equal spectra
    above 1; here that is 0).

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: not used.
        bins: how many frequencies count, the mean being the first.

    Returns:
        [S, B] in [0, 1], lower is better; 1 where the forecast diverged.
    """
    S, B = forecast.shape[:2]
    finite = np.isfinite(forecast).reshape(S, B, -1).all(axis=-1)
    found = np.ones((S, B))
    for b in range(B):
        true, kept = _shares(truth[b : b + 1], bins), np.flatnonzero(finite[:, b])
        for first in range(0, len(kept), TOGETHER):
            some = kept[first : first + TOGETHER]
            distances = hellinger(true, _shares(forecast[some, b], bins))
            found[some, b] = distances.sum(axis=1) / distances.shape[1]
    return found


def _shares(values: np.ndarray, bins: int) -> np.ndarray:
    """[S, D, bins] of [S, H, C, *grid]: power of the lowest frequencies, as shares of their sum."""
    columns = np.ascontiguousarray(np.moveaxis(values.reshape(*values.shape[:2], -1), 1, 2))
    low = np.fft.rfft(columns)[..., :bins]
    power = low.real**2 + low.imag**2
    total = power.sum(axis=-1, keepdims=True)
    return np.divide(power, total, out=np.zeros_like(power), where=total > 0)
