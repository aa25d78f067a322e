"""Arrays in .npy files: [T, C] or [N, T, C]."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, DataError
from strangecast.data.imports.recordings import Recordings, of_array


def read(path: Path, source: dict[str, Any]) -> Recordings:
    """The trajectories of a file.

    Raises:
        ConfigError: a setting that is for tables.
        DataError: no plain array of numbers, or of another shape.
    """
    if source.get("time_column") or source.get("trajectory_column"):
        raise ConfigError(f"{path}: time_column and trajectory_column are for tables, not for .npy")
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as e:
        raise DataError(f"{path} is no plain .npy array of numbers ({str(e).splitlines()[0]})") from e
    if not isinstance(array, np.ndarray):
        array.close()
        raise DataError(f"{path} is an archive of several arrays, not a plain .npy array")
    return of_array(array, source, str(path))
