"""Does every channel stay finite, move, and keep near where it usually is?"""

from __future__ import annotations

import numpy as np

from strangecast.systems.validity.record import HUGE, Record, as_record
from strangecast.systems.validity.verdict import Verdict


def boundedness(
    values: np.ndarray | Record, max_z: float = 20.0, limit: float | None = None, allow_constant: bool = False
) -> Verdict:
    """Fail a trajectory with a non-finite sample, a constant channel, or a sample too far from the mean.

    The statistic is the largest distance from the mean in standard deviations of a series. It is free of units, so
    that data in pascal and in metres are judged alike. A sample of T values cannot lie further than sqrt(T) standard
    deviations out, so 20 asks for a single event that dwarfs everything else; the spikiest flow of the catalogue
    (HyperRossler) reaches 15.4. The note names the channels at fault, the sample and the value.

    Source: the same test of Panda (arXiv 2505.13755) has ``max_z`` 15, ``limit`` 1e4 and lets constants pass.

    Args:
        values: [T, C, *grid] or its record.
        max_z: largest allowed distance from the mean in standard deviations.
        limit: largest allowed absolute value in the units of the data; None for any, because escape is the
            integrator's business.
        allow_constant: let a channel that never moves pass; it is named all the same.
    """
    record = as_record(values)
    if not record.series.size:
        return Verdict(False, float("nan"), max_z, "no sample")
    if not record.finite:
        t, i = _first(~(np.abs(record.series) < HUGE))
        found = f"{record.name(i)} is {record.series[i, t]} at sample {t}"
        return Verdict(False, float("inf"), max_z, found)
    far = np.maximum(record.high - record.mean, record.mean - record.low)
    z = np.where(record.moving, far / np.where(record.moving, record.std, 1.0), 0.0)
    statistic = float(z.max())
    notes, passed = [], statistic <= max_z
    for i in np.flatnonzero(z > max_z)[:3]:
        t = int(np.abs(record.series[i] - record.mean[i]).argmax())
        notes.append(
            f"{record.name(int(i))} is {record.series[i, t]:.4g} at sample {t}, {z[i]:.3g} standard deviations from its mean"
        )
    if limit is not None:
        size = np.maximum(np.abs(record.low), np.abs(record.high))
        beyond = np.flatnonzero(size > limit)
        if len(beyond):
            passed = False
            notes.append(f"{record.names(beyond)} reaches {size.max():.4g}, beyond {limit:g}")
    still = np.flatnonzero(~record.moving)
    if len(still):
        passed = passed and allow_constant
        notes.append(f"{record.names(still)} constant at {record.mean[still[0]]:.6g}")
    return Verdict(passed, statistic, max_z, "; ".join(notes))


def _first(where: np.ndarray) -> tuple[int, int]:
    """Sample and number of the first true entry of [M, T] in time."""
    t = int(where.any(axis=0).argmax())
    return t, int(where[:, t].argmax())
