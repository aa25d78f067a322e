"""What every reader gives: names of channels, and values and times of each trajectory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from strangecast.core.errors import DataError

NUMBERS = "fiub"  # kinds of dtype that are real numbers


@dataclass(frozen=True)
class Recordings:
    """Trajectories of equal channels.

    Attributes:
        channels: names, C of them.
        series: [T, C] of each trajectory, float64.
        times: [T] of each trajectory, or None where the file has none.
        places: what messages call each trajectory, or None for its number in the file.
    """

    channels: list[str]
    series: list[np.ndarray]
    times: list[np.ndarray | None]
    places: list[str] | None = None


def named(source: dict[str, Any], count: int, what: str) -> list[str]:
    """The names of ``count`` channels: those declared, or x0, x1, ...

    Raises:
        DataError: another number is declared.
    """
    names = [str(c) for c in source.get("channels") or [f"x{i}" for i in range(count)]]
    if len(names) != count:
        raise DataError(f"{what} has {count} channels, source.channels names {len(names)}: {names}")
    return names


def of_array(array: np.ndarray, source: dict[str, Any], what: str) -> Recordings:
    """Recordings from one array [T, C] or [N, T, C], without times.

    Raises:
        DataError: another shape, no real numbers, or another number of channels than declared.
    """
    if array.dtype.kind not in NUMBERS:
        raise DataError(f"{what} holds {array.dtype}, real numbers are needed")
    if array.ndim not in (2, 3):
        raise DataError(f"{what} has shape {list(array.shape)}; [T, C] or [N, T, C] is needed")
    array = array.astype(np.float64).reshape((-1, *array.shape[-2:]))
    return Recordings(named(source, array.shape[-1], what), list(array), [None] * len(array))


def joined(parts: dict[str, Recordings]) -> Recordings:
    """The trajectories of several files by name, one after another; all have the same channels."""
    each = [(name, p, i) for name, p in parts.items() for i in range(len(p.series))]
    return Recordings(
        next(iter(parts.values())).channels,
        [p.series[i] for _, p, i in each],
        [p.times[i] for _, p, i in each],
        [name if len(p.series) == 1 else f"{name}, trajectory {i}" for name, p, i in each],
    )


def natural(text: str) -> list[Any]:
    """A key that sorts run2 before run10."""
    return [int(t) if t.isdigit() else t for t in re.split(r"([0-9]+)", text)]
