"""What the files of a dataset say about how they were made.

A label holds the hash of its own step and the label of what the step read, so a file made from other inputs has another
label even where its own step is the same. Plans without hashes give labels of an empty hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from strangecast.core.hashing import digest

MADE, FILTERED, SPLIT_BY, RULE = "made", "filtered", "split_by", "rule"


def step_hash(plan: dict[str, Any], step: str) -> str:
    """Hash of the settings and code of ``make``, ``filter`` or ``split`` in a dataset plan."""
    return plan.get("hash", {}).get(step, "")


def made_labels(plan: dict[str, Any], rule: str) -> dict[str, str]:
    """Labels of a shard that ``rule`` (generate or import) makes."""
    return {MADE: step_hash(plan, "make"), RULE: rule}


def filtered_label(plan: dict[str, Any], made: Iterable[str | None]) -> str:
    """Label of a manifest made from shards with the labels ``made``."""
    return digest(step_hash(plan, "filter"), sorted({m or "" for m in made}))


def split_label(plan: dict[str, Any], filtered: str | None) -> str:
    """Label of splits made from a manifest with the label ``filtered``."""
    return digest(step_hash(plan, "split"), filtered or "")
