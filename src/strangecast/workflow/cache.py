"""One small JSON file that remembers composed options and parsed sources, keyed by their content.

Losing it costs about a second; nothing is ever decided by it. It lies beside the results because they are the only
folder this project writes to.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from strangecast.core.atomic import write_text
from strangecast.core.errors import ResultsError


class Cache:
    """A dict of JSON values that is read once and written back if something was added."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._values: dict[str, Any] = {}
        self._used: set[str] = set()
        self._changed = False
        if path is not None:
            with suppress(OSError, ValueError):
                self._values = json.loads(path.read_text(encoding="utf-8"))

    def get(self, key: str) -> Any | None:
        """The value remembered under ``key``, or None."""
        self._used.add(key)
        return self._values.get(key)

    def put(self, key: str, value: Any) -> Any:
        """Remember ``value`` and return it."""
        self._used.add(key)
        self._values[key] = value
        self._changed = True
        return value

    def save(self) -> None:
        """Write back what was used; entries nobody asked for are dropped once they outnumber the used ones."""
        if self.path is None or not self._changed:
            return
        if len(self._values) > 4 * len(self._used) + 200:
            self._values = {k: v for k, v in self._values.items() if k in self._used}
        with suppress(ResultsError):
            write_text(self.path, json.dumps(self._values, sort_keys=True))
        self._changed = False
