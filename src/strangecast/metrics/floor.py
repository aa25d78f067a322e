"""The floor of a measure of attractors: what the truth scores against itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from strangecast.core.errors import DataError
from strangecast.metrics.scale import Scale


def halves(truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last H // 2 samples of truths [B, H, C, *grid], as views; the middle of an odd H is left out.

    Raises:
        DataError: fewer than 4 samples.
    """
    H = truth.shape[1]
    if H < 4:
        raise DataError(f"a truth of {H} samples has no halves to compare; it must hold at least 4")
    return truth[:, : H // 2], truth[:, H - H // 2 :]


def floor(metric: Callable[..., np.ndarray], truth: np.ndarray, scale: Scale) -> np.ndarray:
    """[B]: a metric of the second half of each truth, as if it were a forecast, against the first half.

    No forecast can be told from the truth below it. Half as long as the forecasts it is printed beside, it is an upper
    bound of their own floor wherever a longer record lowers it; a score near it is as good as a score can be.

    Args:
        metric: ``(truth, forecast, scale) -> [S, B]`` with its parameters bound; one that compares attractors.
        truth: [B, H, C, *grid], in the space of the metric.
        scale: of the windows, in the same space.

    Raises:
        DataError: fewer than 4 samples.
    """
    first, second = halves(truth)
    return metric(first, second[None], replace(scale, context=None))[0]
