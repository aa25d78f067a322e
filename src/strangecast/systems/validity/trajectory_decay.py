"""Does the swing of the trajectory shrink or grow all along?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.systems.validity.record import Record, as_record
from strangecast.systems.validity.verdict import Verdict

SHRINKS, GROWS = "the swing shrinks all along", "the swing grows all along"
_BLOCKS = 8
_CONCORDANT = 0.9  # Kendall's tau from which a sequence counts as ordered: of 28 pairs, one may disagree


def trajectory_decay(
    values: np.ndarray | Record,
    min_ratio: float | None = 0.6,
    tail: float = 0.5,
    min_step: float | None = None,
) -> Verdict:
    """Fail a spiral into or out of a point, long before it is at rest or out of bounds.

    The record is cut into eight blocks; the swing of a block is the root mean square over channels of its standard
    deviations, each channel in units of its own over the record. If the swings stand in order (Kendall's rank
    correlation with time beyond 0.9; by chance 4e-4), the statistic is the mean of the smaller two of the first and
    last two over the mean of the larger two, else 1. No trajectory of a default flow of 32 turns falls below 0.6 but
    one of PanXuZhou, which does spiral into a point.

    With ``min_step`` the test of dysts (``check_not_trajectory_decay``) applies as well: no channel may keep all its
    steps |x(t + 1) - x(t)| in the last ``tail`` below it, in the units of the data.

    Args:
        values: [T, C, *grid] or its record.
        min_ratio: smallest allowed ratio, or None.
        tail: fraction of the samples at the end whose steps are looked at.
        min_step: smallest allowed longest step of each channel, or None.

    Raises:
        ConfigError: neither criterion is given.
    """
    if min_ratio is None and min_step is None:
        raise ConfigError("trajectory_decay needs min_ratio, min_step or both")
    record = as_record(values)
    threshold = min_step if min_ratio is None else min_ratio
    if not record.finite or record.length < 2 * _BLOCKS:
        return Verdict(False, float("nan"), threshold, "too short" if record.finite else "not finite")
    if not record.moving.any():
        return Verdict(False, 0.0, threshold, "nothing moves")
    verdict = None
    if min_ratio is not None:
        statistic, note = _swing_ratio(record)
        verdict = Verdict(statistic >= min_ratio, statistic, min_ratio, note if statistic < min_ratio else "")
    if min_step is not None and (verdict is None or verdict.passed):
        last = record.series[:, -max(2, int(tail * record.length)) :]
        steps = np.abs(np.diff(last, axis=1)).max(axis=1)
        still = np.flatnonzero(steps < min_step)
        if len(still) or verdict is None:
            note = f"{record.names(still)} at rest" if len(still) else ""
            verdict = Verdict(not len(still), float(steps.min()), min_step, note)
    return verdict


def _swing_ratio(record: Record) -> tuple[float, str]:
    """The ratio of swings if they stand in order, else 1; and which way they go."""
    bounds = np.linspace(0, record.length, _BLOCKS + 1).astype(int)
    z = record.standard
    swing = np.sqrt([z[:, a:b].var(axis=1).mean() for a, b in pairwise(bounds)])
    later, earlier = np.tril_indices(_BLOCKS, -1)
    tau = float(np.sign(swing[later] - swing[earlier]).mean())
    if abs(tau) < _CONCORDANT:
        return 1.0, ""
    first, last = float(swing[:2].mean()), float(swing[-2:].mean())
    if tau < 0:
        return min(last / first, 1.0), SHRINKS
    return min(first / last, 1.0), GROWS
