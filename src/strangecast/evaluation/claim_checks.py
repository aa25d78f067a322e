"""Is a claim well put? What can be said without any result, so that a misspelt one fails before training starts."""

from __future__ import annotations

import inspect
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.targets import locate

KEYS = (
    "statement", "source", "published", "anchor", "unit", "tolerance", "direction", "reference", "compute", "missing",
)  # fmt: skip
ANCHORS = ("own", "published")
DIRECTIONS = ("positive", "negative", "equal")
NUMBERS = ("published", "tolerance", "reference")


def claims_problems(plan: dict[str, Any]) -> list[str]:
    """What is wrong with the claims of a study plan, one sentence each; none where all can be judged.

    Args:
        plan: study plan; its ``runs``, ``suites``, ``metrics`` and ``analyses`` are what a claim may name.
    """
    allowed = {
        "suite": list(plan["suites"]),
        "metric": list(plan["metrics"]),
        "label": list(dict.fromkeys(r["label"] for r in plan["runs"])),
        "analysis": list(plan["analyses"]),
    }
    allowed["peer"] = allowed["label"]
    problems = []
    for name, claim in plan["claims"].items():
        found = claim_problem(name, claim)
        problems += [found] if found else _unknown_names(name, claim.get("compute") or {}, allowed)
    return problems


def claim_problem(name: str, claim: Any) -> str | None:
    """The first thing wrong with how a claim is written, as a sentence, or None."""
    if not isinstance(claim, dict):
        return f"claim '{name}' is no table of keys"
    for key in claim:
        if key not in KEYS:
            return f"claim '{name}': {unknown('key', str(key), KEYS)}"
    for key in ("statement", "source", "anchor"):
        if not claim.get(key):
            return f"claim '{name}' does not say its {key}"
    if claim["anchor"] not in ANCHORS:
        return f"claim '{name}': {unknown('anchor', str(claim['anchor']), ANCHORS)}"
    for key in NUMBERS:
        value = claim.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            return f"claim '{name}': {key} is {value!r}; it is a number"
    if claim.get("direction") is not None and claim["direction"] not in DIRECTIONS:
        return f"claim '{name}': {unknown('direction', str(claim['direction']), DIRECTIONS)}"
    if claim.get("published") is not None:
        if claim["anchor"] == "own":
            return f"claim '{name}' has a published value and anchor 'own'; a number of ours is never published"
        if claim.get("tolerance") is None and not claim.get("missing"):
            return f"claim '{name}' has a published value and no tolerance"
    if not claim.get("compute"):
        return (
            None
            if claim.get("missing")
            else f"claim '{name}' says neither how to compute it nor what is missing to do so"
        )
    return _computation_problem(name, claim["compute"])


def named_labels(config: dict[str, Any]) -> list[str]:
    """Labels and peers that a computation names, also in the conditions on rows of an analysis."""
    found = []
    for key, value in config.items():
        if isinstance(value, dict):
            found += named_labels(value)
        elif key in ("label", "peer") and isinstance(value, str):
            found.append(value)
    return found


def _computation_problem(name: str, config: Any) -> str | None:
    if not isinstance(config, dict):
        return f"claim '{name}': compute is no table with a _target_"
    try:
        function = locate(config.get("_target_"), f"claim '{name}'")
        inspect.signature(function).bind({}, **{k: v for k, v in config.items() if k != "_target_"})
    except ConfigError as e:
        return str(e)
    except TypeError as e:
        return f"claim '{name}': {function.__name__} does not take its parameters: {e}"
    return None


def _unknown_names(name: str, config: dict[str, Any], allowed: dict[str, list[str]]) -> list[str]:
    return [
        f"claim '{name}': {unknown(key, str(config[key]), names)}"
        for key, names in allowed.items()
        if config.get(key) is not None and config[key] not in names
    ]
