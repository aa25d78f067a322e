"""Small Arrow IPC files with equal bytes for equal content."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from strangecast.core.atomic import atomic_path
from strangecast.core.errors import ConfigError, unknown

COMPRESSIONS = ("none", "lz4", "zstd")


def write_records(path: Path, columns: dict[str, pa.Array], about: dict[str, str], compression: str = "none") -> None:
    """Write one record batch atomically.

    Args:
        path: target file.
        columns: arrays of equal length by name.
        about: goes into the metadata of the schema.
        compression: none (can be memory-mapped), lz4 or zstd.

    Raises:
        ConfigError: another compression.
    """
    if compression not in COMPRESSIONS:
        raise ConfigError(unknown("compression", compression, COMPRESSIONS))
    batch = pa.record_batch(list(columns.values()), names=list(columns))
    batch = batch.replace_schema_metadata({k: about[k] for k in sorted(about)})
    options = pa.ipc.IpcWriteOptions(compression=None if compression == "none" else compression)
    with (
        atomic_path(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, batch.schema, options=options) as writer,
    ):
        writer.write_batch(batch)
