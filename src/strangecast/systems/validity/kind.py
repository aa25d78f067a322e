"""What kind of attractor a trajectory lives on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from strangecast.core.errors import DataError
from strangecast.systems.validity.boundedness import boundedness
from strangecast.systems.validity.divergence import divergence
from strangecast.systems.validity.fixed_point import fixed_point
from strangecast.systems.validity.limit_cycle import limit_cycle
from strangecast.systems.validity.lyapunov_sign import lyapunov_sign
from strangecast.systems.validity.power_spectrum import power_spectrum
from strangecast.systems.validity.record import Record, as_record
from strangecast.systems.validity.stationarity import stationarity
from strangecast.systems.validity.trajectory_decay import GROWS, SHRINKS, trajectory_decay
from strangecast.systems.validity.transient import ENDS_FAR, transient
from strangecast.systems.validity.verdict import Verdict

KINDS = ("unbounded", "fixed point", "limit cycle", "quasi-periodic", "chaotic")
LEAST = 64  # samples
# What a note of trajectory_decay or transient says of the kind; an approach at the start says nothing.
_WORDS = {SHRINKS: "fixed point", GROWS: "unbounded", ENDS_FAR: "unbounded"}
_ERRORS = 2.0  # standard errors within which an exponent counts as zero


@dataclass(frozen=True)
class Kind:
    """A kind and what spoke for it.

    Attributes:
        name: of ``KINDS``.
        because: the verdicts, by test, that decided; for the last kind those that excluded the others.
    """

    name: str
    because: dict[str, Verdict]


def kind(
    values: np.ndarray | Record,
    exponents: Sequence[float] = (),
    standard_errors: Sequence[float] = (),
) -> Kind:
    """The kind of attractor, from the first of these that speaks:

    1. ``unbounded``: a sample is not finite;
    2. ``fixed point``: the end is at rest (fixed_point);
    3. ``unbounded``: a sample is 20 standard deviations out (boundedness), the level drifts (stationarity), the end is
       far outside (transient), or the swing grows all along (trajectory_decay); ``fixed point``: it shrinks all along;
    4. ``limit cycle``: the record or its second half repeats itself (limit_cycle);
    5. the Lyapunov exponents, where given: ``chaotic`` if the largest is above zero by two standard errors, ``fixed
       point`` if it is below by two, ``limit cycle`` if it alone is not below, else ``quasi-periodic``;
    6. without exponents, ``quasi-periodic``: few spectral lines (power_spectrum), or neighbours that keep their
       distance (divergence);
    7. ``chaotic`` otherwise.

    All tests have their default thresholds. Thirty turns alone show chaos of less than about 0.05 per turn as
    quasi-periodic, and a fifth of two-frequency tori with many harmonics as chaotic; exponents remove both errors.

    Args:
        values: [T, C, *grid] or its record, T >= 64, without the transient.
        exponents: of the parameter set that made the trajectory, per any unit of time, in any order.
            Undefined ones are left out.
        standard_errors: of the exponents, in the same order; missing ones count as zero.

    Raises:
        DataError: the record is shorter.
    """
    record = as_record(values)
    if record.length < LEAST:
        raise DataError(f"the kind of attractor needs {LEAST} samples at least, the record has {record.length}")
    because: dict[str, Verdict] = {}
    if not record.finite:
        return Kind("unbounded", {"boundedness": boundedness(record)})
    for name, test in (
        ("fixed point", fixed_point),
        ("unbounded", partial(boundedness, allow_constant=True)),
        ("unbounded", stationarity),
        (None, trajectory_decay),
        (None, transient),
        ("limit cycle", limit_cycle),
    ):
        verdict = test(record)
        found = _WORDS.get(verdict.note) if name is None else name
        label = getattr(test, "func", test).__name__
        if found and not verdict.passed:
            return Kind(found, {label: verdict})
        because[label] = verdict
    errors = [*standard_errors, *([0.0] * len(exponents))]
    known = [e for e in zip(exponents, errors, strict=False) if e[0] == e[0]]
    if known:
        name, verdict = _by_exponents(known)
        return Kind(name, {**(because if name == "chaotic" else {}), "lyapunov_sign": verdict})
    for test in (power_spectrum, divergence):
        verdict = test(record)
        if not verdict.passed and np.isfinite(verdict.statistic):
            return Kind("quasi-periodic", {test.__name__: verdict})
        because[test.__name__] = verdict
    return Kind("chaotic", because)


def _by_exponents(known: list[tuple[float, float]]) -> tuple[str, Verdict]:
    """The kind that the signs of exponents with their errors give, and the verdict on the largest."""
    first, *others = sorted(known, reverse=True)
    verdict = lyapunov_sign(*first, min_z=_ERRORS)
    if verdict.passed:
        return "chaotic", verdict
    if _below_zero(*first):
        return "fixed point", verdict
    if others and all(_below_zero(*e) for e in others):
        return "limit cycle", verdict
    return "quasi-periodic", verdict


def _below_zero(exponent: float, error: float) -> bool:
    return exponent < -_ERRORS * error
