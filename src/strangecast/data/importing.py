"""A user's own data as a dataset: .npy, .csv, .parquet, Arrow or HDF5, read without executing anything in them.

- ``.npy``: [T, C] or [N, T, C] numbers; ``channels`` names the C of them in order.
- ``.csv``, ``.parquet``, ``.arrow``, ``.feather``: ``channels`` names the columns; ``trajectory_column`` tells
  trajectories apart (in order of first appearance); ``time_column`` gives times, which must increase within a
  trajectory. Or, but for .csv, a row per trajectory as GluonTS has it (see ``imports/arrow.py``).
- A folder: all its .arrow and .feather files.
- ``.h5``, ``.hdf5``: an array, an array per trajectory or an array per channel; ``key`` is the path to it inside the file
  (see ``imports/hdf5.py``).

Times that are even to 1e-6 of a step become a ``dt``; others are stored, and the dataset is irregular. A relative path
is taken from the folder where the command runs; ``~`` is the home folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, DataError, unknown
from strangecast.core.spec import Channel, Spec
from strangecast.data.imports import arrow, hdf5, npy, tables
from strangecast.data.imports.recordings import Recordings
from strangecast.data.labels import made_labels
from strangecast.data.trajectories import row, shard_name, write_shard

READERS: dict[str, Callable[[Path, dict[str, Any]], Recordings]] = {
    ".npy": npy.read,
    ".csv": tables.read_csv,
    ".parquet": arrow.read,
    **dict.fromkeys(arrow.SUFFIXES, arrow.read),
    **dict.fromkeys(hdf5.SUFFIXES, hdf5.read),
}
_KEYS = {"path", "channels", "dt", "time_column", "trajectory_column", "key"}


def import_dataset(plan: dict[str, Any], root: Path) -> None:
    """Write ``ROOT/<folder>/shard-0000.arrow`` from the file that ``config.source`` names.

    Raises:
        ConfigError: an unknown key, or no way to know the sampling interval.
        DataError: the file is missing, of another format, or holds what cannot be used; the message says where.
    """
    config = plan["config"]
    source = config["source"]
    for key in source:
        if key not in _KEYS:
            raise ConfigError(unknown("source setting", key, _KEYS))
    found = read_recordings(Path(source["path"]).expanduser(), source)
    path, names, series, times = source["path"], found.channels, found.series, found.times
    window = config["window"]
    least = window["context"] + window["horizon"]
    for i, (values, stamps) in enumerate(zip(series, times, strict=True)):
        where = found.places[i] if found.places else f"{path}, trajectory {i}"
        _check(where, values, stamps, names, least)
    dts = [_even(t) for t in times]
    if source.get("time_column") is None:
        if not source.get("dt") or source["dt"] <= 0:
            raise ConfigError(f"dataset '{plan['name']}': source.dt must say the sampling interval (or a time_column)")
        dt = float(source["dt"])
    else:
        even = all(d is not None and abs(d - dts[0]) <= 1e-6 * dts[0] for d in dts)
        dt = dts[0] if even else None
    rows = [
        row(
            f"{plan['name']}-{i}",
            plan["name"],
            v,
            dt=dt,
            times=t if dt is None else None,
            ic_index=i,
            solver="imported",
        )
        for i, (v, t) in enumerate(zip(series, times, strict=True))
    ]
    spec = Spec(channels=tuple(Channel(n) for n in names), dt=dt, system=plan["name"])
    write_shard(root / plan["folder"] / shard_name(0), rows, spec, made_labels(plan, "import"))


def read_recordings(path: Path, source: dict[str, Any]) -> Recordings:
    """What a file or folder holds, not yet looked at closely.

    Args:
        path: of the file, or of a folder of Arrow files.
        source: settings of the dataset's ``source``.

    Raises:
        ConfigError: a setting that the format does not know.
        DataError: it does not exist, is of another format, or cannot be read.
    """
    if path.is_dir():
        reader = arrow.read
    elif path.suffix and path.suffix not in READERS:
        raise DataError(f"{path}: data come as {', '.join(READERS)} or a folder of Arrow files, not "
                        f"'{path.suffix}'")  # fmt: skip
    elif not path.is_file():
        raise DataError(f"{path} does not exist (looked for from {Path.cwd()})")
    elif not path.suffix:
        raise DataError(f"{path}: its name ends in none of {', '.join(READERS)}")
    else:
        reader = READERS[path.suffix]
    if source.get("key") is not None and reader is not hdf5.read:
        raise ConfigError(f"{path}: source.key is the path to an array inside an HDF5 file, this is none")
    return reader(path, source)


def _check(where: str, values: np.ndarray, times: np.ndarray | None, names: list[str], least: int) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        step, channel = bad[0]
        raise DataError(
            f"{where}: {len(bad)} values are missing or infinite, the first at row {step} of channel "
            f"'{names[channel]}'; fill or cut them first"
        )
    if len(values) < least:
        raise DataError(f"{where} has {len(values)} samples; one window needs context + horizon = {least}")
    if times is not None and not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        at = int(np.argmin(np.diff(times) > 0)) + 1
        raise DataError(f"{where}: times must increase, they do not at row {at}")


def _even(times: np.ndarray | None) -> float | None:
    """The common step of ``times`` [T], or None where steps differ by more than 1e-6."""
    if times is None or len(times) < 2:
        return None
    dt = (times[-1] - times[0]) / (len(times) - 1)
    return float(dt) if np.abs(np.diff(times) - dt).max() <= 1e-6 * dt else None
