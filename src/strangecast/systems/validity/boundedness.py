"""Does the trajectory stay finite and near where it usually is?"""

from __future__ import annotations

import numpy as np

from strangecast.systems.validity.verdict import Verdict, columns


def boundedness(values: np.ndarray, max_z: float = 20.0) -> Verdict:
    """Fail a trajectory with a non-finite sample or one further than ``max_z`` standard deviations from the mean.

    The test is free of units, so that data in pascal and in metres are judged alike; escape in absolute terms is the
    integrator's business. A sample of T values cannot lie further than sqrt(T) standard deviations out, so 20 asks
    for a single event that dwarfs everything else; the spikiest flow of the catalogue reaches 13.6.

    Args:
        values: [T, C, *grid].
        max_z: largest allowed distance from the mean in standard deviations.
    """
    x = columns(values)
    if x.size == 0 or not np.isfinite(x).all():
        return Verdict(False, float("inf"), max_z)
    std = x.std(axis=0)
    moving = std > 0
    if not moving.any():
        return Verdict(True, 0.0, max_z)
    x = x[:, moving]
    statistic = float((np.abs(x - x.mean(axis=0)) / std[moving]).max())
    return Verdict(statistic <= max_z, statistic, max_z)
