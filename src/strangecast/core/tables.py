"""Parquet and Arrow tables: atomic, byte-reproducible, with a schema, the format version and a digest of the file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from strangecast.core.atomic import atomic_path
from strangecast.core.errors import ResultsError
from strangecast.core.format import FORMAT
from strangecast.core.schemas import conform
from strangecast.core.seal import SEAL_FIELD, UNSEALED, seal

_FORMAT_KEY = b"strangecast.format"
_SEAL_KEY = f"strangecast.{SEAL_FIELD}".encode()


def _labelled(table: pa.Table, labels: dict[str, str] | None) -> pa.Table:
    metadata = {_FORMAT_KEY: str(FORMAT).encode(), _SEAL_KEY: UNSEALED.encode()}
    metadata |= {f"strangecast.{k}".encode(): v.encode() for k, v in sorted((labels or {}).items())}
    return table.replace_schema_metadata(metadata)


def write_parquet(
    path: Path | str, table: pa.Table, schema: pa.Schema | None = None, labels: dict[str, str] | None = None
) -> None:
    """Write a table atomically; equal tables give equal bytes.

    Args:
        path: target file.
        table: the rows.
        schema: columns to conform to, or None for free tables (analyses).
        labels: short strings kept in the file's metadata and returned by :func:`read_labels`.
    """
    if schema is not None:
        table = conform(table, schema, str(path))
    with atomic_path(path) as temporary:
        pq.write_table(_labelled(table, labels), temporary, compression="zstd", store_schema=True)
        seal(temporary)


def write_arrow(path: Path | str, table: pa.Table, schema: pa.Schema, labels: dict[str, str] | None = None) -> None:
    """Write an uncompressed Arrow IPC file atomically, to be memory-mapped by :func:`read_arrow`."""
    table = _labelled(conform(table, schema, str(path)), labels)
    with atomic_path(path) as temporary:
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        seal(temporary)


def read_parquet(path: Path | str, schema: pa.Schema | None = None, columns: list[str] | None = None) -> pa.Table:
    """Read a table written by :func:`write_parquet`.

    Raises:
        ResultsError: the file is missing, damaged, of another format version, or has other columns.
    """
    try:
        table = pq.read_table(path, columns=columns, partitioning=None)
    except FileNotFoundError as e:
        raise ResultsError(f"{path} does not exist; run the rule that makes it first") from e
    except (pa.ArrowException, OSError) as e:
        raise ResultsError(f"{path} is damaged ({_first_line(e)}); delete it and run again") from e
    _check_format(path, table)
    return conform(table, schema, str(path)) if schema is not None and columns is None else table


def read_arrow(path: Path | str, schema: pa.Schema | None = None) -> pa.Table:
    """Memory-map an Arrow IPC file written by :func:`write_arrow`; same errors as :func:`read_parquet`."""
    try:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
    except FileNotFoundError as e:
        raise ResultsError(f"{path} does not exist; run the rule that makes it first") from e
    except (pa.ArrowException, OSError) as e:
        raise ResultsError(f"{path} is cut short or damaged ({_first_line(e)}); delete it and run again") from e
    _check_format(path, table)
    return conform(table, schema, str(path)) if schema is not None else table


def read_labels(path: Path | str) -> dict[str, str]:
    """The labels a table was written with (without the format and the seal).

    Raises:
        ResultsError: the file is missing or damaged.
    """
    path = Path(path)
    try:
        if path.suffix == ".parquet":
            metadata = pq.read_schema(path).metadata or {}
        else:
            with pa.memory_map(str(path)) as source:
                metadata = pa.ipc.open_file(source).schema.metadata or {}
    except FileNotFoundError as e:
        raise ResultsError(f"{path} does not exist; run the rule that makes it first") from e
    except (pa.ArrowException, OSError) as e:
        raise ResultsError(f"{path} is damaged ({_first_line(e)}); delete it and run again") from e
    prefix = b"strangecast."
    return {
        k[len(prefix) :].decode(): v.decode()
        for k, v in metadata.items()
        if k.startswith(prefix) and k not in (_FORMAT_KEY, _SEAL_KEY)
    }


def _check_format(path: Path | str, table: pa.Table) -> None:
    found = (table.schema.metadata or {}).get(_FORMAT_KEY, b"none").decode()
    if found != str(FORMAT):
        raise ResultsError(f"{path} is of results format {found}, this version reads {FORMAT}; nothing was changed")


def _first_line(e: Exception) -> str:
    return str(e).splitlines()[0]
