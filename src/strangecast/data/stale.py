"""Are the files of a dataset those of its plan? Their labels tell; no values are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from strangecast.core.errors import ResultsError
from strangecast.core.tables import read_labels
from strangecast.data.labels import FILTERED, MADE, SPLIT_BY, filtered_label, split_label, step_hash


def stale_dataset(plan: dict[str, Any], root: Path) -> list[str]:
    """What is absent, or was made by other settings or code than the plan's.

    Args:
        plan: dataset plan.
        root: ``results/<scale>``.

    Returns:
        One sentence per file, each with the rule to run again, in the order of the rules.
    """
    return [
        f"{plan['folder']}/{file}: it is absent, or was made by other settings or code; run the rule {rule} again"
        for file, rule in stale_files(plan, root).items()
    ]


def stale_files(plan: dict[str, Any], root: Path) -> dict[str, str]:
    """Rule (generate or import, filter, split) by name of each stale file in the dataset's folder."""
    made = step_hash(plan, "make")
    filtered = filtered_label(plan, [made])
    expected = [(name, plan.get("made_by", "generate"), MADE, made) for name in plan["shards"]]
    expected.append(("manifest.parquet", "filter", FILTERED, filtered))
    expected.append(("splits.parquet", "split", SPLIT_BY, split_label(plan, filtered)))
    folder = root / plan["folder"]
    stale = {}
    for name, rule, label, value in expected:
        found = _labels(folder / name)
        if found is None or found.get(label, "") != value:
            stale[name] = rule
    return stale


def refuse_to_replace(plan: dict[str, Any], root: Path) -> None:
    """Keep trajectories made by other settings or code from being overwritten unasked.

    Raises:
        ResultsError: a shard of the plan exists, can be read, and was not made as the plan says.
    """
    folder = root / plan["folder"]
    found = [labels for labels in (_labels(folder / name) for name in plan["shards"]) if labels is not None]
    if any(labels.get(MADE, "") != step_hash(plan, "make") for labels in found):
        raise ResultsError(
            f"{folder} holds data made by other settings or code; choose another results folder (--results, results=), "
            "or replace them with --force (force=True)"
        )


def _labels(path: Path) -> dict[str, str] | None:
    """Labels of a file, or None where it is absent or damaged."""
    try:
        return read_labels(path)
    except (ResultsError, ValueError):
        return None
