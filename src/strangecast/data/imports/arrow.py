"""Arrow and Parquet files: tables with a row per sample, or GluonTS' layout with a row per trajectory.

In GluonTS' layout the column ``target`` holds lists: one channel [T], several as lists of lists [C][T], or several
flattened with their shape [C, T] in ``target._np_shape``. A folder stands for all its Arrow files, in the order of their
names (run2 before run10). A file of ``strangecast export`` is held against the digest it carries.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from strangecast.core.errors import ConfigError, DataError
from strangecast.core.hashing import array_digest
from strangecast.data.imports.recordings import Recordings, joined, named, natural
from strangecast.data.imports.tables import of_frame

SUFFIXES = (".arrow", ".feather")
_TARGET, _SHAPE = "target", "target._np_shape"


def read(path: Path, source: dict[str, Any]) -> Recordings:
    """The trajectories of a file, or of all Arrow files of a folder.

    Raises:
        ConfigError: a setting that is for tables, with GluonTS' layout.
        DataError: a file cannot be read, is damaged, or lacks what is needed.
    """
    if not path.is_dir():
        return _read_file(path, source)
    files = [p for p in path.rglob("*") if p.suffix in SUFFIXES and not p.name.startswith(".") and p.is_file()]
    if not files:
        raise DataError(f"{path} is a folder without {' or '.join(SUFFIXES)} files")
    files.sort(key=lambda p: natural(p.relative_to(path).as_posix()))
    return joined({str(p): _read_file(p, source) for p in files})


def _read_file(path: Path, source: dict[str, Any]) -> Recordings:
    try:
        table = pq.read_table(path, partitioning=None) if path.suffix == ".parquet" else _read_ipc(path)
        # Offsets of lists that point outside the file must be found before anything follows them.
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as e:
        raise DataError(f"{path} cannot be read as {path.suffix[1:]} ({str(e).splitlines()[0]})") from e
    if _TARGET in table.column_names and _is_list(table.schema.field(_TARGET).type):
        return _of_targets(table, source, path)
    return of_frame(table.to_pandas(), source, str(path))


def _read_ipc(path: Path) -> pa.Table:
    """An IPC file (Feather), or an IPC stream, which lacks the file's first six bytes."""
    with open(path, "rb") as f:
        is_file = f.read(6) == b"ARROW1"
        f.seek(0)
        return pa.ipc.open_file(f).read_all() if is_file else pa.ipc.open_stream(f).read_all()


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _of_targets(table: pa.Table, source: dict[str, Any], path: Path) -> Recordings:
    if source.get("time_column") or source.get("trajectory_column"):
        raise ConfigError(f"{path} has GluonTS' layout, a row per trajectory; time_column and trajectory_column are for "
                          "tables with a row per sample")  # fmt: skip
    shapes = table[_SHAPE].to_pylist() if _SHAPE in table.column_names else [None] * table.num_rows
    series = [_target(cell, shape, f"{path}, row {i}") for i, (cell, shape) in enumerate(zip(table[_TARGET], shapes))]  # noqa: B905
    if not series:
        raise DataError(f"{path} has no rows")
    _check_digest(table.schema.metadata or {}, series, path)
    names = [named(source, s.shape[1], f"{path}, row {i},") for i, s in enumerate(series)]
    return Recordings(names[0], series, [None] * len(series))


def _target(cell: pa.Scalar, shape: list[int] | None, where: str) -> np.ndarray:
    """[T, C] from one cell of the column."""
    if not cell.is_valid:
        raise DataError(f"{where} has no target")
    kind = cell.type.value_type
    nested = _is_list(kind)
    rows = [row.values for row in cell.values if row.is_valid] if nested else [cell.values]
    number = kind.value_type if nested else kind
    if not (pa.types.is_floating(number) or pa.types.is_integer(number)):
        raise DataError(f"{where}: the target holds {number}, real numbers are needed")
    arrays = [r.to_numpy(zero_copy_only=False).astype(np.float64) for r in rows]
    if len({len(a) for a in arrays}) != 1:
        raise DataError(f"{where}: the channels of the target have the lengths {[len(a) for a in arrays]}")
    array = np.stack(arrays) if nested else arrays[0]
    if shape is not None:
        if any(s is None or s < 0 for s in shape) or math.prod(shape) != array.size:
            raise DataError(f"{where}: the target has shape {shape} but {array.size} values")
        array = array.reshape(shape)
    if array.ndim not in (1, 2):
        raise DataError(f"{where}: the target has shape {list(array.shape)}; [T] or [C, T] is needed")
    return np.ascontiguousarray(np.atleast_2d(array).T)


def _check_digest(metadata: dict[bytes, bytes], series: list[np.ndarray], path: Path) -> None:
    """Hold a file of ``strangecast export`` against its own digest of the values [T, C]."""
    told = metadata.get(b"sha256")
    if told is None or b"trajectory_id" not in metadata:
        return
    values = np.ascontiguousarray(np.concatenate(series, axis=1)) if len({len(s) for s in series}) == 1 else None
    if values is None or array_digest(values) != told.decode("ascii", "replace"):
        raise DataError(f"{path} is damaged: its values do not have the digest they were exported with")
