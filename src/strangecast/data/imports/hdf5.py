"""HDF5 files: one array, one array per trajectory, or one array per channel.

``key`` is the path of an array or a group inside the file; it may be left out where the file holds a single array, or
where the root is the group meant.

- An array: [T, C] or [N, T, C].
- A group with an array for every declared channel: [T] or [N, T] each.
- Any other group: each of its arrays is one trajectory [T, C], in the order of their names (run2 before run10).

``time_column`` names an array [T] or [N, T] beside them. Links, arrays that lie in other files, and anything but numbers
are refused: nothing is unpickled, and no other file is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from strangecast.core.errors import DataError, unknown
from strangecast.data.imports.recordings import NUMBERS, Recordings, named, natural, of_array
from strangecast.data.imports.tables import of_frame

if TYPE_CHECKING:
    import h5py

SUFFIXES = (".h5", ".hdf5")


def read(path: Path, source: dict[str, Any]) -> Recordings:
    """The trajectories of a file.

    Raises:
        DataError: it cannot be read, is cut short, has no such array, or arrays of another kind or shape.
    """
    import h5py

    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            return _read_node(_node(file, source, path), source, path)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as e:
        said = (str(e) or type(e).__name__).splitlines()[0]
        raise DataError(f"{path} cannot be read as HDF5 ({said})") from e


def _node(file: h5py.File, source: dict[str, Any], path: Path) -> h5py.Group | h5py.Dataset:
    """The array or group that is meant."""
    import h5py

    if source.get("key"):
        node = file
        for part in filter(None, str(source["key"]).split("/")):
            if not isinstance(node, h5py.Group):
                raise DataError(f"{path}: '{node.name}' is an array, there is no '{part}' in it")
            node = _member(node, part, path)
        return node
    names = set(file.keys())  # `in file` follows links
    if names.issuperset(str(c) for c in source.get("channels") or [""]):
        return file
    arrays: list[h5py.Dataset] = []
    file.visititems(lambda _, node: arrays.append(node) if isinstance(node, h5py.Dataset) else None)
    others = [a for a in arrays if a.name.rpartition("/")[2] != source.get("time_column")]
    if len(others) == 1:
        return others[0]
    if not others:
        raise DataError(f"{path} holds no arrays")
    if all(a.parent == file for a in others):
        return file
    raise DataError(f"{path} holds {len(others)} arrays; source.key must say which array or group: "
                    + ", ".join(a.name for a in others[:20]))  # fmt: skip


def _member(group: h5py.Group, name: str, path: Path) -> h5py.Group | h5py.Dataset:
    import h5py

    if name not in set(group.keys()):
        raise DataError(f"{path}: {unknown('array or group', name, group.keys())}")
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise DataError(f"{path}: '{name}' is a link to elsewhere; name the array itself, in its own file")
    return group[name]


def _read_node(node: h5py.Group | h5py.Dataset, source: dict[str, Any], path: Path) -> Recordings:
    import h5py

    time = source.get("time_column")
    if isinstance(node, h5py.Dataset):
        found = of_array(_array(node, path), source, f"{path}: {node.name}")
        return _timed(found, None if time is None else _array(_member(node.parent, time, path), path), path)
    channels = [str(c) for c in source.get("channels") or []]
    if channels and set(node.keys()).issuperset(channels):
        return _of_channels(node, channels, source, path)
    members = [n for n in sorted(node.keys(), key=natural) if n != time]
    runs = []
    for name in members:
        array = _array(_member(node, name, path), path)
        if array.ndim != 2:
            raise DataError(f"{path}: {node.name.rstrip('/')}/{name} has shape {list(array.shape)}; each array of the "
                            "group must be one trajectory [T, C], or source.channels must name them")  # fmt: skip
        named(source, array.shape[1], f"{path}: {name}")
        runs.append(array.astype(np.float64))
    if not runs:
        raise DataError(f"{path}: the group {node.name} holds no arrays")
    found = Recordings(named(source, runs[0].shape[1], f"{path}: {members[0]}"), runs, [None] * len(runs))
    return _timed(found, None if time is None else _array(_member(node, time, path), path), path)


def _of_channels(group: h5py.Group, channels: list[str], source: dict[str, Any], path: Path) -> Recordings:
    """One array per channel: columns of a table where they are [T], a stack where they are [N, T]."""
    time, label = source.get("time_column"), source.get("trajectory_column")
    wanted = [*channels, *(c for c in (time, label) if c)]
    columns = {name: _array(_member(group, name, path), path) for name in wanted}
    shapes = {name: list(columns[name].shape) for name in channels}
    if len({tuple(s) for s in shapes.values()}) != 1 or len(shapes[channels[0]]) not in (1, 2):
        raise DataError(f"{path}: the channels must be arrays [T] or [N, T] of one shape, found {shapes}")
    if len(shapes[channels[0]]) == 1:
        import pandas as pd

        odd = [name for name in wanted if columns[name].shape != columns[channels[0]].shape]
        if odd:
            raise DataError(f"{path}: '{odd[0]}' has shape {list(columns[odd[0]].shape)}, the channels have "
                            f"{shapes[channels[0]]}")  # fmt: skip
        return of_frame(pd.DataFrame(columns), source, str(path))
    found = of_array(np.stack([columns[c] for c in channels], axis=-1), source, str(path))
    return _timed(found, columns.get(time), path)


def _timed(found: Recordings, times: np.ndarray | None, path: Path) -> Recordings:
    """The recordings with times [T], the same for all, or [N, T]."""
    if times is None:
        return found
    each = [times] * len(found.series) if times.ndim == 1 else list(times)
    if len(each) != len(found.series) or any(t.shape != (len(s),) for t, s in zip(each, found.series, strict=False)):
        lengths = sorted({len(s) for s in found.series})
        raise DataError(f"{path}: the times have shape {list(times.shape)}, the {len(found.series)} trajectories have "
                        f"{' or '.join(map(str, lengths))} samples")  # fmt: skip
    return Recordings(found.channels, found.series, [t.astype(np.float64) for t in each])


def _array(node: h5py.Group | h5py.Dataset, path: Path) -> np.ndarray:
    """The numbers of a dataset."""
    import h5py

    if not isinstance(node, h5py.Dataset):
        raise DataError(f"{path}: {node.name} is a group, an array is needed")
    if node.dtype.kind not in NUMBERS:
        raise DataError(f"{path}: {node.name} holds {node.dtype}, real numbers are needed")
    if node.is_virtual or node.external:
        raise DataError(f"{path}: the numbers of {node.name} lie in other files; copy them into one")
    return np.asarray(node[()])
