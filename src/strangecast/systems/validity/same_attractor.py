"""Did other parameters, or a driver, change the kind or the scale of the attractor?"""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ConfigError, DataError
from strangecast.systems.validity.kind import LEAST, Kind, kind
from strangecast.systems.validity.record import Record, as_record
from strangecast.systems.validity.verdict import Verdict


def same_attractor(
    values: np.ndarray | Record,
    reference: np.ndarray | Record,
    max_scale: float = 10.0,
    same_kind: bool = True,
) -> Verdict:
    """Fail a trajectory of another kind than the reference (default parameters, undriven), or of another scale.

    The statistic is the largest ratio, over channels, of the standard deviations of trajectory and reference, the
    larger over the smaller. The note names both kinds where they differ, and the channel whose scale changed most
    where the statistic exceeds ``max_scale``.

    Source: own; kinds as in :func:`strangecast.systems.validity.kind.kind`.

    Args:
        values: [T, C, *grid] or its record.
        reference: the same channels; a record computes its kind once however many trajectories are held against it.
        max_scale: largest allowed ratio.
        same_kind: whether the kinds must agree; if not, a change is only noted.

    Raises:
        ConfigError: ``max_scale`` below 1.
        DataError: the channels differ in number, or the reference is too short or not finite.
    """
    if not max_scale >= 1:
        raise ConfigError(f"same_attractor.max_scale is {max_scale}; a ratio of larger to smaller is at least 1")
    record, base = as_record(values), as_record(reference)
    if len(record.series) != len(base.series):
        raise DataError(f"the trajectory has {len(record.series)} series, its reference {len(base.series)}")
    if base.length < LEAST or not base.finite:
        raise DataError(f"the reference must be finite and of {LEAST} samples or more, it has {base.length}")
    if record.length < LEAST:
        return Verdict(False, float("nan"), max_scale, "too short")
    was, now = _kind_of(base), kind(record)
    changed = was.name != now.name
    notes = [f"{now.name} instead of {was.name}"] if changed else []
    statistic = float("inf")
    if record.finite:
        statistic, channel = _scale_ratio(record, base)
        if statistic > max_scale:
            notes.append(f"{record.name(channel)} has {record.std[channel] / base.std[channel]:.3g} times the spread"
                         if base.moving[channel] else f"{record.name(channel)} moves, where it was at rest")  # fmt: skip
    passed = statistic <= max_scale and not (changed and same_kind)
    return Verdict(passed, statistic, max_scale, "; ".join(notes))


def _kind_of(reference: Record) -> Kind:
    """The kind of a reference, remembered by its record."""
    return reference.once("kind", lambda: kind(reference))


def _scale_ratio(record: Record, base: Record) -> tuple[float, int]:
    """Largest ratio of standard deviations, larger over smaller, and the number of its series; both at rest is 1."""
    a = np.where(record.moving, record.std, 0.0)
    b = np.where(base.moving, base.std, 0.0)
    low, high = np.minimum(a, b), np.maximum(a, b)
    ratio = np.where(high > 0, np.divide(high, low, out=np.full(len(a), np.inf), where=low > 0), 1.0)
    worst = int(ratio.argmax())
    return float(ratio[worst]), worst
