"""Plan files: where they lie under ``results/<scale>`` and how a job reads them.

The workflow room writes them; jobs read the one named in their command, and find those of a study's blocks and suites.
Each file says from which settings it was made. Jobs that a workflow starts know theirs (``STRANGECAST_PLAN``) and refuse
a plan that someone else's settings have replaced in the meantime.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from strangecast.core.errors import ResultsError

SETTINGS_VARIABLE = "STRANGECAST_PLAN"
KINDS = ("dataset", "suite", "block", "study")


def plan_path(root: Path, kind: str, name: str) -> Path:
    """Where a plan file lies: ``<root>/plan/<kind>/<name>.json`` (block folders without their leading ``runs/``)."""
    return root / "plan" / kind / f"{name.removeprefix('runs/')}.json"


def read_plan(path: Path) -> tuple[dict[str, Any], Path]:
    """A plan file and the results folder it belongs to.

    Raises:
        ResultsError: the file does not exist, is no plan, or lies in no results folder.
    """
    plan = _read(path)
    for parent in path.resolve().parents:
        if parent.name == plan["kind"] and parent.parent.name == "plan":
            return plan, parent.parent.parent
    raise ResultsError(f"{path} is not inside a plan folder of results")


def block_plan(root: Path, folder: str) -> dict[str, Any]:
    """The plan of the block in ``folder`` (``runs/<data>/<emulator>/<training>/<block>``).

    Raises:
        ResultsError: there is none, or it cannot be read.
    """
    return _read(plan_path(root, "block", folder))


def dataset_plan(root: Path, name: str) -> dict[str, Any]:
    """The plan of a dataset; same errors as :func:`block_plan`."""
    return _read(plan_path(root, "dataset", name))


def suite_plan(root: Path, name: str) -> dict[str, Any]:
    """The plan of a suite; same errors as :func:`block_plan`."""
    return _read(plan_path(root, "suite", name))


def scored_on(run: dict[str, Any], suite: str) -> bool:
    """Whether a member of a block plan or a run of a study plan is forecast on a suite.

    Args:
        run: its entry; ``suites`` lists names, and is absent where all are meant.
        suite: name.
    """
    return run.get("suites") is None or suite in run["suites"]


def _read(path: Path) -> dict[str, Any]:
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as e:
        raise ResultsError(f"there is no plan file {path}; `snakemake -n` writes the plan") from e
    except (OSError, ValueError) as e:
        raise ResultsError(f"{path} is not a plan file; `snakemake -n` writes it again") from e
    if not isinstance(plan, dict) or plan.get("kind") not in KINDS:
        raise ResultsError(f"{path} is not a plan file; `snakemake -n` writes it again")
    wanted, found = os.environ.get(SETTINGS_VARIABLE), plan.get("settings")
    if wanted and found and wanted != found:
        raise ResultsError(
            f"{path} was rewritten by a `snakemake` with other settings while this workflow was running; run this one "
            "again, and use another clone for the other settings"
        )
    return plan
