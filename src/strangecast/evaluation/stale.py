"""Keys in the files against those of the plan: what other code, configuration or data made, and what makes it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core.errors import ResultsError
from strangecast.core.plans import block_plan, suite_plan
from strangecast.core.schemas import SCORES, WINDOWS
from strangecast.core.tables import read_labels, read_parquet
from strangecast.data.forecasts import read_forecasts
from strangecast.evaluation.keys import datasets_of, forecast_key, run_records
from strangecast.evaluation.score import horizons_of, scores_frame, wanted_keys


def stale_keys(plan: dict[str, Any], root: Path, scores: pd.DataFrame | None) -> list[str]:
    """What is stale in the blocks of a study, and in its table of scores.

    Args:
        plan: study plan.
        root: ``results/<scale>``.
        scores: the study's scores, or None where they cannot be read.

    Returns:
        One sentence per stale file, each with the rule to run again.
    """
    problems: list[str] = []
    current: set[str] = set()
    for folder in plan["blocks"]:
        try:
            block = block_plan(root, folder)
            problems += _stale_runs(block, root)
            for suite in block["suites"]:
                if suite in plan["suites"]:
                    found, keys = _stale_suite(block, root, suite)
                    problems += found
                    current |= keys
        except ResultsError as e:
            problems.append(f"block {folder}: {e}")
    if scores is not None and not problems:
        old = sorted(set(scores["key"]) - current)
        if old:
            problems.append(
                f"{plan['name']}/scores.parquet: {int(scores['key'].isin(old).sum())} scores are not those of its "
                "blocks; run the rule compare again"
            )
    return problems


def _stale_runs(block: dict[str, Any], root: Path) -> list[str]:
    records = run_records(block, root)
    changed = [m["run_id"] for m in block["members"] if m["run_id"] in records and _differs(m, records[m["run_id"]])]
    absent = [m["run_id"] for m in block["members"] if m["run_id"] not in records]
    where = f"{block['folder']}/run.json"
    problems = []
    if changed:
        problems.append(
            f"{where}: {len(changed)} runs were trained by other code or configuration, the first is {changed[0]}; run "
            "the rule train again"
        )
    if absent:
        problems.append(f"{where}: {len(absent)} runs are absent, the first is {absent[0]}; run the rule train again")
    return problems


def _differs(member: dict[str, Any], record: dict[str, Any]) -> bool:
    return record.get("static_key") != member["static_key"]


def _stale_suite(block: dict[str, Any], root: Path, suite: str) -> tuple[list[str], set[str]]:
    """Sentences, and the keys that scores of this block and suite should have."""
    use = block["suites"][suite]
    records = run_records(block, root)
    windows = root / use["folder"] / "windows.parquet"
    contents = json.loads(read_labels(windows)["contents"])
    table = read_forecasts(root / use["forecast_folder"] / "forecasts.arrow").table
    pairs = [
        (
            m["run_id"],
            d,
            forecast_key(records[m["run_id"]]["key"], contents[d], block["code"]["forecast"], use["batch"]),
        )
        for m in block["members"]
        if m["run_id"] in records and records[m["run_id"]]["status"] != "diverged"
        for d in datasets_of(m, list(contents))
    ]
    problems = []
    found = set(table[["run_id", "dataset", "key"]].drop_duplicates().itertuples(index=False, name=None))
    if found != set(pairs):
        other = sorted({f"run {r} on {d}" for r, d, _ in found ^ set(pairs)})
        problems.append(
            f"{use['forecast_folder']}/forecasts.arrow: forecasts of {len(other)} pairs of run and dataset are not "
            f"those of the plan, the first is {other[0]}; run the rule forecast again"
        )
    expected = pd.DataFrame(pairs, columns=["run_id", "dataset", "key"])
    horizons = horizons_of(suite_plan(root, suite), read_parquet(windows, WINDOWS, ["dataset", "horizon"]).to_pandas())
    wanted = set(wanted_keys(expected, use, horizons).values())
    scores = scores_frame(read_parquet(root / use["forecast_folder"] / "scores.parquet", SCORES))
    old = scores[~scores["key"].isin(wanted)]
    if len(old):
        metrics = ", ".join(sorted(set(old["metric"])))
        problems.append(
            f"{use['forecast_folder']}/scores.parquet: {len(old)} scores ({metrics}) are not those of the plan; run "
            "the rule score again"
        )
    return problems, wanted
