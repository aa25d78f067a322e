"""Tables: one row per sample, one column per channel (.csv, .parquet, Arrow)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from strangecast.core.errors import DataError, unknown
from strangecast.data.imports.recordings import NUMBERS, Recordings

if TYPE_CHECKING:
    import pandas as pd


def read_csv(path: Path, source: dict[str, Any]) -> Recordings:
    """The trajectories of a .csv file.

    Raises:
        DataError: it cannot be read, or lacks columns of numbers.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path)
    except (ValueError, OSError) as e:
        raise DataError(f"{path} cannot be read as csv ({str(e).splitlines()[0]})") from e
    return of_frame(frame, source, str(path))


def of_frame(frame: pd.DataFrame, source: dict[str, Any], what: str) -> Recordings:
    """Recordings from a table; ``time_column`` and ``trajectory_column`` of ``source`` name its other columns.

    Raises:
        DataError: a column is missing or holds no numbers.
    """
    frame.columns = [str(c).strip() for c in frame.columns]
    time, group = source.get("time_column"), source.get("trajectory_column")
    names = [str(c) for c in source.get("channels") or [c for c in frame.columns if c not in (time, group)]]
    for name in [*names, *(c for c in (time, group) if c)]:
        if name not in frame.columns:
            raise DataError(f"{what}: {unknown('column', name, frame.columns)}")
        if list(frame.columns).count(name) > 1:
            raise DataError(f"{what} has several columns called '{name}'")
    for name in [*names, *([time] if time else [])]:
        if frame[name].dtype.kind not in NUMBERS:
            raise DataError(f"{what}: column '{name}' holds {frame[name].dtype}, numbers are needed")
    parts = [frame] if group is None else [part for _, part in frame.groupby(group, sort=False)]
    series = [part[names].to_numpy(np.float64) for part in parts]
    return Recordings(names, series, [None if time is None else part[time].to_numpy(np.float64) for part in parts])
