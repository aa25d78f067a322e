"""Has the trajectory come to rest?"""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.systems.validity.record import Record, as_record
from strangecast.systems.validity.verdict import Verdict


def fixed_point(
    values: np.ndarray | Record,
    tail: float = 0.2,
    min_activity: float | None = 0.01,
    min_step: float | None = None,
) -> Verdict:
    """Fail a trajectory whose last part hardly moves.

    The statistic is the largest ratio, over channels, of the range in the last ``tail`` of the samples to the range of
    all samples. Relative ranges make it free of units. Flows that pause near a saddle (bursting cells, slow lobe
    switches) keep some channel moving: the lowest of the catalogue, but for one that does come to rest, is 0.28.

    With ``min_step`` the test of Panda (arXiv 2505.13755) applies as well: the longest step |x(t + 1) - x(t)| in the
    tail, in the units of the data, must reach it (there 1e-3 with ``tail`` 0.1). The statistic is then the step if
    ``min_activity`` is None.

    Args:
        values: [T, C, *grid] or its record.
        tail: fraction of the samples at the end that is looked at.
        min_activity: smallest allowed ratio, or None.
        min_step: smallest allowed longest step in the tail, or None.

    Raises:
        ConfigError: neither criterion is given.
    """
    if min_activity is None and min_step is None:
        raise ConfigError("fixed_point needs min_activity, min_step or both")
    record = as_record(values)
    threshold = min_step if min_activity is None else min_activity
    if record.length < 2 or not record.finite:
        return Verdict(False, float("nan"), threshold, "too short" if record.finite else "not finite")
    if not record.moving.any():
        return Verdict(False, 0.0, threshold, "nothing moves")
    last = record.series[:, -max(2, int(tail * record.length)) :]
    verdict = None
    if min_activity is not None:
        moving = record.moving
        ratio = np.ptp(last[moving], axis=1) / (record.high - record.low)[moving]
        verdict = Verdict(bool(ratio.max() >= min_activity), float(ratio.max()), min_activity)
    if min_step is not None and (verdict is None or verdict.passed):
        step = float(np.sqrt((np.diff(last, axis=1) ** 2).sum(axis=0)).max())
        if step < min_step or verdict is None:
            verdict = Verdict(step >= min_step, step, min_step)
    return verdict
