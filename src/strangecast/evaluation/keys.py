"""What a forecast and a score depend on, as digests that decide whether they are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from strangecast.core.errors import ResultsError
from strangecast.core.hashing import digest


def forecast_key(run_key: str, windows_content: str, code: str, batch: int) -> str:
    """Key of one run's forecasts of one dataset's windows.

    Args:
        run_key: of the weights (see :func:`run_records`).
        windows_content: digest of the dataset's windows.
        code: hash of the forecasting code.
        batch: of the suite; it decides how sums are grouped.
    """
    return digest("forecast", run_key, windows_content, code, batch)


def score_key(forecast: str, metric: str, normalisation: str, horizons: list[int]) -> str:
    """Key of one metric's scores of one run on one dataset.

    Args:
        forecast: the forecasts' key.
        metric: static key of the metric: its configuration and code.
        normalisation: of the suite.
        horizons: prefixes scored, in samples.
    """
    return digest("score", forecast, metric, normalisation, horizons)


def run_records(plan: dict[str, Any], root: Path) -> dict[str, dict[str, Any]]:
    """What is known of each member of a block: its record in ``run.json``, or its plan where nothing is trained.

    Args:
        plan: block plan.
        root: ``results/<scale>``.

    Returns:
        By run_id a dict with at least ``key`` and ``status``; members that ``run.json`` does not hold are left out.

    Raises:
        ResultsError: ``run.json`` is missing or cannot be read.
    """
    if plan["training"] is None:
        keys = {m["run_id"]: m["static_key"] for m in plan["members"]}
        return {r: {"key": key, "static_key": key, "status": "done"} for r, key in keys.items()}
    path = root / plan["folder"] / "run.json"
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        held = {m["run_id"]: {**m, "versions": run.get("versions", {})} for m in run["members"]}
    except FileNotFoundError as e:
        raise ResultsError(f"{path} does not exist; run the rule train first") from e
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise ResultsError(f"{path} is damaged; delete it and run the rule train again") from e
    return {m["run_id"]: held[m["run_id"]] for m in plan["members"] if m["run_id"] in held}


def datasets_of(member: dict[str, Any], suite_datasets: list[str]) -> list[str]:
    """Datasets of a suite that a member forecasts: its own where it is trained on one, else all."""
    return [d for d in suite_datasets if member["dataset"] in (None, d)]
