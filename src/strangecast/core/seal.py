"""Files that carry their own digest: a flipped byte anywhere in them is found without a second file.

A sealed file contains the mark ``strangecast-sha256:`` followed by 64 hex digits, one or more times. The digits are the
SHA-256 of the whole file with those digits replaced by zeros. The mark stands where the format keeps free text: the
metadata of Parquet, Arrow and safetensors files, a field of a JSON object.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from pathlib import Path
from typing import Any

from strangecast.core.atomic import atomic_path

MARK = b"strangecast-sha256:"
_ZEROS = b"0" * 64
UNSEALED = (MARK + _ZEROS).decode()
SEAL_FIELD = "sha256"


def seal(path: Path | str) -> None:
    """Replace every :data:`UNSEALED` text in the file by its seal (in place; do it before the rename).

    Raises:
        ValueError: the file holds no such text.
    """
    with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as content:
        places = _places(content)
        if not places:
            raise ValueError(f"{path} has no place for a seal")
        digits = _digest(content, places).encode()
        for place in places:
            content[place : place + 64] = digits
        content.flush()


def seal_problem(path: Path | str) -> str | None:
    """Why a file is not what was sealed, in a few words, or None where every byte is."""
    try:
        with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as content:
            places = _places(content)
            if not places:
                return "it carries no digest of itself"
            digits = _digest(content, places).encode()
            if any(content[place : place + 64] != digits for place in places):
                return "its bytes are not those that were written"
    except FileNotFoundError:
        return "it does not exist"
    except (OSError, ValueError):
        return "it is empty or cannot be read"
    return None


def write_sealed_json(path: Path | str, value: dict[str, Any]) -> None:
    """Write ``value`` atomically as indented JSON with sorted keys and a seal in its field ``sha256``."""
    text = json.dumps({**value, SEAL_FIELD: UNSEALED}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
        seal(temporary)


def _places(content: mmap.mmap) -> list[int]:
    """Where the digits of each mark begin."""
    places = []
    at = content.find(MARK)
    while at >= 0:
        if at + len(MARK) + 64 <= len(content):
            places.append(at + len(MARK))
        at = content.find(MARK, at + len(MARK))
    return places


def _digest(content: mmap.mmap, places: list[int]) -> str:
    h = hashlib.sha256()
    view = memoryview(content)
    try:
        start = 0
        for place in places:
            h.update(view[start:place])
            h.update(_ZEROS)
            start = place + 64
        h.update(view[start:])
    finally:
        view.release()
    return h.hexdigest()
