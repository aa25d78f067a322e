"""The times at which trajectories are wanted: one list for all, or evenly spaced times of each trajectory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strangecast.core.errors import DataError

# [T] for all trajectories, or first times and spacings, numbers or [B], and T.
Times = np.ndarray | tuple[np.ndarray | float, np.ndarray | float, int]


@dataclass(frozen=True)
class Grid:
    """Grid times of B trajectories.

    Attributes:
        begin: [B] first times.
        spacing: [B], and time i is ``begin + i * spacing``; 0 where there is a table.
        table: [T] times of all trajectories, or empty.
        length: T.
    """

    begin: np.ndarray
    spacing: np.ndarray
    table: np.ndarray
    length: int

    @classmethod
    def of(cls, times: Times, count: int) -> Grid:
        """The grid of ``count`` trajectories; an even table is told by its spacing, which gives the same times.

        Raises:
            DataError: no time at all, shapes that do not fit, times that are not finite or do not increase.
        """
        if isinstance(times, tuple):
            try:
                begin, spacing = (np.array(np.broadcast_to(x, count), np.float64) for x in times[:2])
            except ValueError as e:
                raise DataError(f"first times and spacings must be numbers or [{count}]") from e
            grid = cls(begin, spacing, np.zeros(0), int(times[2]))
        else:
            table = np.array(times, np.float64)
            if table.ndim != 1:
                raise DataError(f"times must be [T], or first times, spacings and T; found {list(table.shape)}")
            first, length = table[0] if len(table) else 0.0, len(table)
            step = table[1] - first if length > 1 else 1.0
            even = np.array_equal(table, first + np.arange(length) * step)
            spacing = np.full(count, step if even else 0.0)
            grid = cls(np.full(count, first), spacing, table[:0] if even else table, length)
        if grid.length < 1:
            raise DataError("times must hold at least one time")
        if not grid._rises():
            raise DataError("times must be finite and increase")
        return grid

    @property
    def span(self) -> np.ndarray:
        """[B] last time less first."""
        if len(self.table):
            return np.full(len(self.begin), self.table[-1] - self.table[0])
        return self.spacing * (self.length - 1)

    def times(self, b: int) -> np.ndarray:
        """[T] grid times of trajectory ``b``."""
        if len(self.table):
            return self.table
        return self.begin[b] + np.arange(self.length) * self.spacing[b]

    def _rises(self) -> bool:
        if not (np.isfinite(self.begin).all() and np.isfinite(self.spacing).all() and np.isfinite(self.table).all()):
            return False
        if self.length < 2:
            return True
        if len(self.table):
            return bool((np.diff(self.table) > 0).all())
        # Adjacent times must differ at both ends, where rounding is coarsest.
        last = [self.begin + i * self.spacing for i in (0, 1, self.length - 2, self.length - 1)]
        return bool(((last[1] > last[0]) & (last[3] > last[2])).all())
