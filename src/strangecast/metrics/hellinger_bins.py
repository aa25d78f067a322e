"""Distance of power spectra as the almost-linear RNN's reference has it: smoothing counted in bins."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.attractors import by_window
from strangecast.metrics.scale import Scale
from strangecast.metrics.spectrum import hellinger, power, shares


def hellinger_bins(truth: np.ndarray, forecast: np.ndarray, scale: Scale, width: float = 20.0) -> np.ndarray:
    """Hellinger distance of periodograms smoothed by a Gaussian of ``width`` frequency bins, mean over channels and grid.

    The source's variant, for comparison: channels are standardised, so the lowest bin, which is kept, is empty before
    smoothing. A bin is 1 / length wide, so the value depends on the length: truth against truth on Lorenz-63 scores
    0.031 over 10,000 samples and 0.055 over 99,500, and one model's values differed by a factor of 4.

    Known values: the truth scores 0; in [0, 1]; phase, sign, direction of time, shift and size of a channel play no part.

    Source: Brenner et al., NeurIPS 2024 (arXiv 2410.14240), reference code: width 20, or 1 on short records.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate.
        width: standard deviation of the smoothing, bins; 0 for none.

    Returns:
        [S, B] in [0, 1], lower is better; 1 where the forecast diverged.
    """

    def distribution(x: np.ndarray) -> np.ndarray:
        return shares(power(x), width)

    return by_window(
        truth,
        forecast,
        scale,
        lambda true, b: distribution(true),
        lambda held, mine: float(hellinger(held, distribution(mine)).mean()),
        1.0,
    )
