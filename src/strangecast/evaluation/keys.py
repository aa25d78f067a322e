"""What a forecast and a score depend on, as digests that decide whether they are kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.hashing import digest
from strangecast.core.plans import scored_on
from strangecast.core.run_file import read_run


def forecast_key(run_key: str, windows_content: str, code: str, batch: int, samples: int | None = None) -> str:
    """Key of one run's forecasts of one dataset's windows.

    Args:
        run_key: of the weights (see :func:`run_records`).
        windows_content: digest of the dataset's windows.
        code: hash of the forecasting code.
        batch: of the suite; it decides how sums are grouped.
        samples: number of draws, None for one forecast without.
    """
    drawn = [] if samples is None else [samples]
    return digest("forecast", run_key, windows_content, code, batch, *drawn)


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
        ResultsError: ``run.json`` is missing, damaged or of another format version.
    """
    if plan["training"] is None:
        keys = {m["run_id"]: m["static_key"] for m in plan["members"]}
        return {r: {"key": key, "static_key": key, "status": "done"} for r, key in keys.items()}
    held = trained(plan["folder"], root)
    return {m["run_id"]: held[m["run_id"]] for m in plan["members"] if m["run_id"] in held}


def trained(folder: str, root: Path) -> dict[str, dict[str, Any]]:
    """Records of ``run.json`` of a block by run_id, planned or not.

    Args:
        folder: of the block, relative to ``root``.
        root: ``results/<scale>``.

    Raises:
        ResultsError: ``run.json`` is missing, damaged or of another format version.
    """
    run = read_run(root / folder)
    try:
        found = {m["run_id"]: {**m, "versions": run.get("versions", {})} for m in run["members"]}
        if all(isinstance(m["key"], str) for m in found.values()):
            return found
    except (KeyError, TypeError):
        pass
    raise ResultsError(f"{folder}/run.json is damaged; delete it and run the rule train again")


def forecast_keys(
    plan: dict[str, Any],
    records: dict[str, dict[str, Any]],
    suite: str,
    contents: dict[str, str],
    run_ids: Iterable[str],
) -> dict[tuple[str, str], str]:
    """Forecast keys of some members on a suite by (run_id, dataset), in the order of members and datasets.

    Args:
        plan: block plan.
        records: of :func:`run_records`.
        suite: name of one of the plan's suites.
        contents: digest of the windows of each of its datasets.
        run_ids: the members asked for (see :func:`finished` and :func:`lost`).

    Raises:
        ConfigError: as :func:`samples_of`.
    """
    asked, samples, batch = set(run_ids), samples_of(plan), plan["suites"][suite]["batch"]
    return {
        (m["run_id"], d): forecast_key(
            records[m["run_id"]]["key"], contents[d], plan["code"]["forecast"], batch, samples
        )
        for m in plan["members"]
        if m["run_id"] in asked
        for d in datasets_of(m, suite, list(contents))
    }


def samples_of(plan: dict[str, Any]) -> int | None:
    """How many samples a forecast of a block draws, None where it is one forecast without.

    Args:
        plan: block plan; ``emulator.samples`` is a number or absent.

    Raises:
        ConfigError: no number of samples, or an emulator that draws none.
    """
    about = plan["emulator"]
    samples = about.get("samples")
    if samples is None:
        return None
    if not isinstance(samples, int) or isinstance(samples, bool) or samples < 1:
        raise ConfigError(
            f"emulator '{about['name']}': samples is {samples}; it is a number of draws, at least 1, or null"
        )
    if not about["can"].get("probabilistic"):
        raise ConfigError(
            f"emulator '{about['name']}' is deterministic (can: probabilistic: false), so it draws no samples; "
            f"take samples: {samples} out of its YAML"
        )
    return samples


def finished(records: dict[str, dict[str, Any]]) -> list[str]:
    """Runs that forecast."""
    return [r for r, record in records.items() if record["status"] != "diverged"]


def lost(records: dict[str, dict[str, Any]]) -> list[str]:
    """Runs whose training diverged, which give no forecasts."""
    return [r for r, record in records.items() if record["status"] == "diverged"]


def datasets_of(member: dict[str, Any], suite: str, suite_datasets: list[str]) -> list[str]:
    """Datasets of a suite that a member forecasts.

    None where the member is not asked for the suite; its own where it is trained on one, else all.

    Args:
        member: of a block plan.
        suite: its name.
        suite_datasets: names.
    """
    return [d for d in suite_datasets if member["dataset"] in (None, d)] if scored_on(member, suite) else []
