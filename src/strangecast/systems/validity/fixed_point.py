"""Has the trajectory come to rest?"""

from __future__ import annotations

import numpy as np

from strangecast.systems.validity.verdict import Verdict, columns


def fixed_point(values: np.ndarray, tail: float = 0.2, min_activity: float = 0.01) -> Verdict:
    """Fail a trajectory whose last part hardly moves compared with the whole.

    The statistic is the largest ratio, over channels, of the range in the last ``tail`` of the samples to the range
    of all samples. Relative ranges make it free of units. Flows that pause near a saddle (bursting cells, slow lobe
    switches) keep some channel moving: see the calibration over the catalogue in the tests.

    Args:
        values: [T, C, *grid].
        tail: fraction of the samples at the end that is looked at.
        min_activity: smallest allowed ratio.
    """
    x = columns(values)
    if len(x) < 2 or not np.isfinite(x).all():
        return Verdict(False, float("nan"), min_activity)
    whole = np.ptp(x, axis=0)
    # A range below rounding of the level is no movement: a constant series has failed whatever the ratio says.
    moving = whole > 1e-10 * np.abs(x).max(axis=0)
    if not moving.any():
        return Verdict(False, 0.0, min_activity)
    last = np.ptp(x[-max(2, int(tail * len(x))) :], axis=0)
    statistic = float((last[moving] / whole[moving]).max())
    return Verdict(statistic >= min_activity, statistic, min_activity)
