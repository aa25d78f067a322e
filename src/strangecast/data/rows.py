"""Arrow tables from Python rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa


def plain(kind: pa.DataType) -> pa.DataType:
    """The type of the values where ``kind`` is dictionary-encoded (Arrow builds plain arrays and encodes in a cast)."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def table_of(rows: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """A table with the columns of ``schema``, not yet dictionary-encoded; each row has exactly its keys."""
    return pa.table({f.name: pa.array([r[f.name] for r in rows], plain(f.type)) for f in schema})
