"""Keys in the files against those of the plan: what other code, configuration or data made, and what makes it again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from strangecast.core.errors import ResultsError
from strangecast.core.plans import block_plan, dataset_plan, suite_plan
from strangecast.core.run_file import run_key
from strangecast.core.schemas import SCORES, WINDOWS
from strangecast.core.tables import read_labels, read_parquet
from strangecast.data.forecasts import read_forecasts
from strangecast.data.labels import MADE
from strangecast.data.stale import stale_dataset, stale_files
from strangecast.evaluation.keys import finished, forecast_keys, lost, run_records, trained
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
    names: dict[str, None] = dict.fromkeys(plan.get("datasets") or [])
    for suite in plan["suites"]:
        try:
            about = suite_plan(root, suite)
            names |= dict.fromkeys(about["datasets"])
            problems += [s.sentence for s in stale_windows(about, root)]
        except ResultsError as e:
            problems.append(str(e))
    for folder in plan["blocks"]:
        try:
            block = block_plan(root, folder)
            names |= dict.fromkeys(block["datasets"])
            problems += [s.sentence for s in stale_runs(block, root)]
            for suite in block["suites"]:
                if suite in plan["suites"]:
                    found, keys = stale_suite(block, root, suite)
                    problems += [s.sentence for s in found]
                    current |= keys
        except ResultsError as e:
            problems.append(f"block {folder}: {e}")
    for name in names:
        try:
            problems += [s.sentence for s in stale_data([name], root)]
        except ResultsError as e:
            problems.append(str(e))
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


def stale_windows(suite: dict[str, Any], root: Path) -> list[Stale]:
    """Windows of other settings, code or data than the plan of their suite has; a plan without a hash tells nothing.

    Raises:
        ResultsError: the windows are missing or damaged.
    """
    if not suite.get("hash"):
        return []
    file = f"{suite['folder']}/windows.parquet"
    labels = read_labels(root / file)
    contents = {name: _content(root / about["folder"]) for name, about in suite["datasets"].items()}
    read = json.loads(labels.get("splits", "{}"))
    other = [name for name, content in contents.items() if content is not None and read.get(name) != content]
    if labels.get(MADE) != suite["hash"]:
        return [Stale(file, f"{file}: it was made by other settings or code; run the rule windows again")]
    if other:
        return [Stale(file, f"{file}: it was made from other data of '{other[0]}'; run the rule windows again")]
    return []


def _content(folder: Path) -> str | None:
    """What a dataset holds, or None where it is not there (which :func:`stale_data` says).

    Raises:
        ResultsError: its split is damaged.
    """
    splits = folder / "splits.parquet"
    return read_labels(splits).get("content") if splits.exists() else None


def stale_runs(block: dict[str, Any], root: Path) -> list[Stale]:
    """Weights of other code, configuration, data or weights to start from than the block's plan has here.

    Where the data are not there, only code and configuration are compared.

    Raises:
        ResultsError: ``run.json`` of the block or of the one it starts from is missing or damaged, or a split is.
    """
    records = run_records(block, root)
    planned = _planned_keys(block, root)
    held = [m for m in block["members"] if m["run_id"] in records]
    changed = [m["run_id"] for m in held if _differs(m, records[m["run_id"]], planned)]
    absent = [m["run_id"] for m in block["members"] if m["run_id"] not in records]
    where = f"{block['folder']}/run.json"
    problems: list[str] = []
    if changed:
        problems.append(
            f"{where}: {len(changed)} runs were trained by other code, configuration or data, the first is "
            f"{changed[0]}; run the rule train again"
        )
    if absent:
        problems.append(f"{where}: {len(absent)} runs are absent, the first is {absent[0]}; run the rule train again")
    return [Stale(where, p) for p in problems]


def _planned_keys(block: dict[str, Any], root: Path) -> dict[str, str]:
    """Keys that the members of a trained block would get from the data that are there, by run_id."""
    if block["training"] is None:
        return {}
    contents = {name: _content(root / about["folder"]) for name, about in block["datasets"].items()}
    parents = {}
    if block["init"]:
        parents = {run_id: record["key"] for run_id, record in trained(block["init"]["folder"], root).items()}
    keys = {}
    for m in block["members"]:
        own = [c for c in (contents[name] for name in m["datasets"]) if c is not None]
        if len(own) == len(m["datasets"]):
            keys[m["run_id"]] = run_key(m["static_key"], own, parents.get(m["init"]))
    return keys


def _differs(member: dict[str, Any], record: dict[str, Any], planned: dict[str, str]) -> bool:
    key = planned.get(member["run_id"])
    return record.get("static_key") != member["static_key"] or (key is not None and record.get("key") != key)


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
    wanted, missed = (forecast_keys(block, records, suite, contents, of(records)) for of in (finished, lost))
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
