"""Keys in the files against those of the plan: what other code, configuration or data made, and what makes it again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from strangecast.core.errors import ResultsError
from strangecast.core.plans import block_plan, dataset_plan, suite_plan
from strangecast.core.schemas import SCORES, WINDOWS
from strangecast.core.tables import read_labels, read_parquet
from strangecast.data.forecasts import read_forecasts
from strangecast.data.stale import stale_dataset, stale_files
from strangecast.evaluation.keys import finished, forecast_keys, lost, run_records
from strangecast.evaluation.score import horizons_of, score_keys, scores_frame


class Stale(NamedTuple):
    """A file, relative to ``results/<scale>``, and one sentence what is wrong with it and which rule to run again."""

    file: str
    sentence: str


def stale_keys(plan: dict[str, Any], root: Path, scores: pd.DataFrame | None) -> list[str]:
    """What is stale in the datasets and blocks of a study, and in its table of scores.

    Args:
        plan: study plan.
        root: ``results/<scale>``.
        scores: the study's scores, or None where they cannot be read.

    Returns:
        One sentence per stale file, each with the rule to run again.
    """
    problems: list[str] = []
    current: set[str] = set()
    try:
        suites = [suite_plan(root, suite) for suite in plan["suites"]]
        names = [*(d for s in suites for d in s["datasets"]), *(plan.get("datasets") or [])]
        problems += [s.sentence for s in stale_data(dict.fromkeys(names), root)]
    except ResultsError as e:
        problems.append(str(e))
    for folder in plan["blocks"]:
        try:
            block = block_plan(root, folder)
            problems += [s.sentence for s in stale_runs(block, root)]
            for suite in block["suites"]:
                if suite in plan["suites"]:
                    found, keys = stale_suite(block, root, suite)
                    problems += [s.sentence for s in found]
                    current |= keys
        except ResultsError as e:
            problems.append(f"block {folder}: {e}")
    if scores is not None and not problems:
        problems += [s.sentence for s in stale_scores(plan, scores, current)]
    return problems


def stale_scores(plan: dict[str, Any], scores: pd.DataFrame, current: set[str]) -> list[Stale]:
    """Scores of a study that are not those of its blocks.

    Args:
        plan: study plan.
        scores: its table.
        current: keys of its blocks' scores (see :func:`stale_suite`).
    """
    old = int((~scores["key"].isin(current)).sum())
    file = f"{plan['name']}/scores.parquet"
    if not old:
        return []
    return [Stale(file, f"{file}: {old} scores are not those of its blocks; run the rule compare again")]


def stale_data(names: Iterable[str], root: Path) -> list[Stale]:
    """Files of datasets that other code or configuration than their plans made.

    Args:
        names: datasets.
        root: ``results/<scale>``.

    Raises:
        ResultsError: a dataset has no plan.
    """
    plans = [dataset_plan(root, name) for name in names]
    return [
        Stale(f"{plan['folder']}/{file}", sentence)
        for plan in plans
        for file, sentence in zip(stale_files(plan, root), stale_dataset(plan, root), strict=True)
    ]


def stale_runs(block: dict[str, Any], root: Path) -> list[Stale]:
    """Weights of other code or configuration than the block's plan.

    Raises:
        ResultsError: ``run.json`` is missing or damaged.
    """
    records = run_records(block, root)
    changed = [m["run_id"] for m in block["members"] if m["run_id"] in records and _differs(m, records[m["run_id"]])]
    absent = [m["run_id"] for m in block["members"] if m["run_id"] not in records]
    where = f"{block['folder']}/run.json"
    problems: list[str] = []
    if changed:
        problems.append(
            f"{where}: {len(changed)} runs were trained by other code or configuration, the first is {changed[0]}; run "
            "the rule train again"
        )
    if absent:
        problems.append(f"{where}: {len(absent)} runs are absent, the first is {absent[0]}; run the rule train again")
    return [Stale(where, p) for p in problems]


def _differs(member: dict[str, Any], record: dict[str, Any]) -> bool:
    return record.get("static_key") != member["static_key"]


def stale_suite(block: dict[str, Any], root: Path, suite: str) -> tuple[list[Stale], set[str]]:
    """Forecasts and scores of a block on a suite that are not those of the plan.

    Returns:
        What is stale, and the keys of all scores that a study gathers from here (lost runs included).

    Raises:
        ResultsError: a file is missing or damaged.
    """
    use = block["suites"][suite]
    records = run_records(block, root)
    windows = root / use["folder"] / "windows.parquet"
    contents = json.loads(read_labels(windows)["contents"])
    forecasts, scored = (f"{use['forecast_folder']}/{name}" for name in ("forecasts.arrow", "scores.parquet"))
    wanted, missed = (forecast_keys(block, records, contents, use["batch"], of(records)) for of in (finished, lost))
    table = read_forecasts(root / forecasts).table
    found = set(table[["run_id", "dataset", "key"]].drop_duplicates().itertuples(index=False, name=None))
    planned = {(run_id, dataset, key) for (run_id, dataset), key in wanted.items()}
    problems = []
    if found != planned:
        other = sorted({f"run {r} on {d}" for r, d, _ in found ^ planned})
        problems.append(
            Stale(
                forecasts,
                f"{forecasts}: forecasts of {len(other)} pairs of run and dataset are not those of the plan, the first "
                f"is {other[0]}; run the rule forecast again",
            )
        )
    horizons = horizons_of(suite_plan(root, suite), read_parquet(windows, WINDOWS, ["dataset", "horizon"]).to_pandas())
    keys = set(score_keys(wanted, use, horizons).values())
    scores = scores_frame(read_parquet(root / scored, SCORES))
    old = scores[~scores["key"].isin(keys)]
    if len(old):
        metrics = ", ".join(sorted(set(old["metric"])))
        problems.append(
            Stale(
                scored,
                f"{scored}: {len(old)} scores ({metrics}) are not those of the plan; run the rule score again",
            )
        )
    return problems, keys | set(score_keys(missed, use, horizons).values())
