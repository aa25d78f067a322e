"""Forecasts on disk: one row per run and window, values mapped when read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from strangecast.core.errors import ResultsError
from strangecast.core.schemas import FORECASTS
from strangecast.core.tables import read_arrow, read_labels, write_arrow
from strangecast.data.rows import plain

_KEYS = ("run_id", "key", "dataset", "trajectory_id", "window")


def write_forecasts(path: Path, rows: Iterable[dict[str, Any]], labels: dict[str, str] | None = None) -> None:
    """Write forecasts as an Arrow file.

    Args:
        path: target.
        rows: dicts with ``run_id, key, dataset, trajectory_id, window`` and ``values``, an array [H, C, *grid] or
            [N, H, C, *grid]; its shape is stored. Not-finite values are kept: divergence is told by the scores.
        labels: short strings kept in the file.
    """
    rows = list(rows)
    arrays = [np.ascontiguousarray(r["values"], np.float64) for r in rows]
    offsets = np.concatenate([[0], np.cumsum([a.size for a in arrays], dtype=np.int64)]).astype(np.int64)
    flat = np.concatenate([a.reshape(-1) for a in arrays]) if arrays else np.zeros(0)
    columns: dict[str, Any] = {
        name: pa.array([r[name] for r in rows], plain(FORECASTS.field(name).type)) for name in _KEYS
    }
    columns["shape"] = pa.array([list(a.shape) for a in arrays], FORECASTS.field("shape").type)
    columns["values"] = pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(flat))
    write_arrow(path, pa.table(columns), FORECASTS, labels)


class Forecasts:
    """Forecasts of one file.

    Attributes:
        labels: what the file was written with.
    """

    def __init__(self, table: pa.Table, labels: dict[str, str], path: Path) -> None:
        self._table = table
        self._path = path
        self.labels = labels

    def __len__(self) -> int:
        return self._table.num_rows

    @cached_property
    def table(self):
        """Pandas frame of ``run_id, key, dataset, trajectory_id, window``; its row numbers are those of the file."""
        return self._table.select(_KEYS).to_pandas()

    @cached_property
    def places(self) -> dict[tuple[str, str, str, int], int]:
        """Row number by (run_id, dataset, trajectory_id, window)."""
        lists = (self.table[c].tolist() for c in ("run_id", "dataset", "trajectory_id", "window"))
        return {key: i for i, key in enumerate(zip(*lists, strict=True))}

    def array(self, row: int) -> np.ndarray:
        """[H, C, *grid] ([N, H, C, *grid] with samples), a read-only view."""
        flat = self._table.column("values")[row].values.to_numpy(zero_copy_only=True)
        shape = self._table.column("shape")[row].as_py()
        if min(shape) < 0 or math.prod(shape) != len(flat):
            raise ResultsError(f"{self._path} is damaged: row {row} has shape {shape} but {len(flat)} values")
        return flat.reshape(shape)


def read_forecasts(path: Path) -> Forecasts:
    """Map a file of :func:`write_forecasts`.

    Raises:
        ResultsError: the file is missing, damaged, or of another format.
    """
    try:
        table = read_arrow(path, FORECASTS)
        table.validate(full=True)
    except (pa.ArrowException, UnicodeDecodeError) as e:
        raise ResultsError(f"{path} is damaged ({str(e).splitlines()[0]}); delete it and run again") from e
    return Forecasts(table, read_labels(path), Path(path))
