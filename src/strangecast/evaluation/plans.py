"""Plan files that a job finds by itself: those of a study's blocks and suites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from strangecast.core.errors import ResultsError


def block_plan(root: Path, folder: str) -> dict[str, Any]:
    """The plan of the block in ``folder`` (``runs/<data>/<emulator>/<training>/<block>``).

    Raises:
        ResultsError: there is none, or it cannot be read.
    """
    return _read(root / "plan" / "block" / f"{folder.removeprefix('runs/')}.json")


def suite_plan(root: Path, name: str) -> dict[str, Any]:
    """The plan of a suite; same errors as :func:`block_plan`."""
    return _read(root / "plan" / "suite" / f"{name}.json")


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as e:
        raise ResultsError(f"there is no plan file {path}; `snakemake -n` writes the plan") from e
    except (OSError, ValueError) as e:
        raise ResultsError(f"{path} is not a plan file; `snakemake -n` writes it again") from e
