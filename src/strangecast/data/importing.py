"""A user's own data as a dataset: .npy, .csv or .parquet, read without executing anything in them.

- ``.npy``: [T, C] or [N, T, C] numbers; ``channels`` names the C of them in order.
- ``.csv``, ``.parquet``: ``channels`` names the columns; ``trajectory_column`` tells trajectories apart (in order of
  first appearance); ``time_column`` gives times, which must increase within a trajectory.

Times that are even to 1e-6 of a step become a ``dt``; others are stored, and the dataset is irregular. A relative path
is taken from the folder where the command runs; ``~`` is the home folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, DataError, unknown
from strangecast.core.spec import Channel, Spec
from strangecast.data.labels import made_labels
from strangecast.data.trajectories import row, shard_name, write_shard

FORMATS = (".npy", ".csv", ".parquet")
_KEYS = {"path", "channels", "dt", "time_column", "trajectory_column"}


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
    path = Path(source["path"]).expanduser()
    if path.suffix not in FORMATS:
        raise DataError(f"{path}: data come as {', '.join(FORMATS)}, not '{path.suffix or path.name}'")
    if not path.is_file():
        raise DataError(f"{path} does not exist (looked for from {Path.cwd()})")
    names, series, times = _read_npy(path, source) if path.suffix == ".npy" else _read_table(path, source)
    window = config["window"]
    least = window["context"] + window["horizon"]
    for i, (values, stamps) in enumerate(zip(series, times, strict=True)):
        _check(f"{path}, trajectory {i}", values, stamps, names, least)
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


def _read_npy(path: Path, source: dict[str, Any]) -> tuple[list[str], list[np.ndarray], list[None]]:
    if source.get("time_column") or source.get("trajectory_column"):
        raise ConfigError(f"{path}: time_column and trajectory_column are for .csv and .parquet")
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as e:
        raise DataError(f"{path} is no plain .npy array of numbers ({str(e).splitlines()[0]})") from e
    if array.dtype.kind not in "fiub":
        raise DataError(f"{path} holds {array.dtype}, real numbers are needed")
    if array.ndim not in (2, 3):
        raise DataError(f"{path} has shape {list(array.shape)}; [T, C] or [N, T, C] is needed")
    array = array.astype(np.float64).reshape((-1, *array.shape[-2:]))
    names = [str(c) for c in source.get("channels") or [f"x{i}" for i in range(array.shape[-1])]]
    if len(names) != array.shape[-1]:
        raise DataError(f"{path} has {array.shape[-1]} channels, source.channels names {len(names)}: {names}")
    return names, list(array), [None] * len(array)


def _read_table(path: Path, source: dict[str, Any]) -> tuple[list[str], list[np.ndarray], list[np.ndarray | None]]:
    import pandas as pd

    try:
        frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError) as e:
        raise DataError(f"{path} cannot be read as {path.suffix[1:]} ({str(e).splitlines()[0]})") from e
    frame.columns = [str(c).strip() for c in frame.columns]
    time, group = source.get("time_column"), source.get("trajectory_column")
    names = [str(c) for c in source.get("channels") or [c for c in frame.columns if c not in (time, group)]]
    for name in [*names, *(c for c in (time, group) if c)]:
        if name not in frame.columns:
            raise DataError(f"{path}: {unknown('column', name, frame.columns)}")
    for name in [*names, *([time] if time else [])]:
        if frame[name].dtype.kind not in "fiub":
            raise DataError(f"{path}: column '{name}' holds {frame[name].dtype}, numbers are needed")
    parts = [frame] if group is None else [part for _, part in frame.groupby(group, sort=False)]
    series = [part[names].to_numpy(np.float64) for part in parts]
    return names, series, [None if time is None else part[time].to_numpy(np.float64) for part in parts]


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
