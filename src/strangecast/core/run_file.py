"""``run.json`` of a block: what is known of its members, readable without any library of theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from strangecast.core.errors import ResultsError
from strangecast.core.format import FORMAT
from strangecast.core.hashing import digest

RUN = "run.json"


def run_key(static_key: str, contents: list[str], parent: str | None) -> str:
    """Key of a trained run: of its plan, of what it learned from and of what it started from.

    Args:
        static_key: of its configuration and code.
        contents: of the datasets it reads, in the order of its plan (of a stream those that select its weights).
        parent: key of the run it starts from, or None.
    """
    return digest(static_key, contents, parent)


def read_run(folder: Path | str) -> dict[str, Any]:
    """``run.json``, checked.

    Raises:
        ResultsError: it is missing, damaged or of another format version.
    """
    path = Path(folder) / RUN
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        found = run["format"]
    except FileNotFoundError as e:
        raise ResultsError(f"{path} does not exist; run the rule train first") from e
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise ResultsError(f"{path} is damaged; delete it and run the rule train again") from e
    if found != FORMAT:
        raise ResultsError(f"{path} is of results format {found}, this version reads {FORMAT}; nothing was changed")
    return run
