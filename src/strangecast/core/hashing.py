"""Content digests: the same value gives the same digest on every machine and Python version."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np


def canonical(value: Any) -> str:
    """JSON text of ``value`` with sorted keys and shortest-repr floats; tuples and arrays become lists."""

    def plain(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return x.tolist()
        if isinstance(x, np.generic):
            return x.item()
        if isinstance(x, (set, frozenset)):
            return sorted(x)
        if isinstance(x, Path):
            return x.as_posix()
        raise TypeError(f"cannot digest a {type(x).__name__}")

    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=plain, ensure_ascii=False)


def digest(*values: Any, length: int = 32) -> str:
    """Hex SHA-256 (first ``length`` characters) of the canonical JSON of ``values``."""
    return hashlib.sha256(canonical(list(values)).encode()).hexdigest()[:length]


def array_digest(array: np.ndarray) -> str:
    """Hex SHA-256 of dtype, shape and little-endian bytes of ``array``."""
    contiguous = np.ascontiguousarray(array)
    contiguous = contiguous.astype(contiguous.dtype.newbyteorder("<"), copy=False)
    h = hashlib.sha256(f"{contiguous.dtype.str}{contiguous.shape}".encode())
    if contiguous.size:  # a memoryview with a zero in its shape cannot be cast
        h.update(memoryview(contiguous).cast("B"))
    return h.hexdigest()


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
