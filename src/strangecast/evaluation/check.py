"""Tests of the results themselves: is everything there that was planned, is it fresh, and can it be true?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core.atomic import write_text
from strangecast.core.errors import ResultsError
from strangecast.core.plans import scored_on
from strangecast.core.schemas import CLAIMS, COMPARISONS, RUNS, SCORES
from strangecast.core.tables import read_parquet
from strangecast.evaluation.metric_option import higher_is_better
from strangecast.evaluation.score import scores_frame
from strangecast.evaluation.stale import stale_keys

STATUSES = ("done", "diverged", "weights absent")
_ROW = ["run_id", "suite", "dataset", "trajectory_id", "window", "horizon", "metric"]
_SMAPE = "strangecast.metrics.smape.smape"
_VPT = "strangecast.metrics.valid_prediction_time.valid_prediction_time"
_MEAN_FORECAST = "climatology"


def check_results(plans: list[dict[str, Any]], root: Path) -> list[str]:
    """Everything that is wrong with the results of some studies.

    Args:
        plans: study plans.
        root: ``results/<scale>``.

    Returns:
        Sentences, one per kind of fault and place, none where all is well.
    """
    problems: list[str] = []
    for plan in plans:
        frames, unreadable = _tables(plan, root)
        problems += unreadable
        if not unreadable:
            problems += _runs(plan, frames["runs"])
            problems += _scores(plan, frames["scores"], frames["runs"])
            problems += _sanity(plan, frames["scores"])
            problems += _oracle(plan, frames["comparisons"])
        problems += stale_keys(plan, root, frames.get("scores"))
    return list(dict.fromkeys(problems))


def write_checked(plans: list[dict[str, Any]], out: Path) -> None:
    """Write the file that says that nothing is wrong with the results of these studies."""
    runs = sum(len(p["runs"]) for p in plans)
    write_text(out, f"{runs} runs of {len(plans)} studies checked: nothing wrong\n")


def _tables(plan: dict[str, Any], root: Path) -> tuple[dict[str, pd.DataFrame], list[str]]:
    frames, problems = {}, []
    for name, schema in (("runs", RUNS), ("scores", SCORES), ("comparisons", COMPARISONS), ("claims", CLAIMS)):
        try:
            table = read_parquet(root / plan["name"] / f"{name}.parquet", schema)
        except ResultsError as e:
            problems.append(f"study '{plan['name']}': {e}")
            continue
        frames[name] = scores_frame(table) if name == "scores" else table.to_pandas()
    return frames, problems


def _runs(plan: dict[str, Any], runs: pd.DataFrame) -> list[str]:
    problems, where = [], f"study '{plan['name']}', runs.parquet"
    for run_id, n in runs["run_id"].value_counts().items():
        if n > 1:
            problems.append(f"{where}: run {run_id} stands there {n} times")
    status = dict(zip(runs["run_id"], runs["status"].astype(object), strict=True))
    planned = [r["run_id"] for r in plan["runs"]]
    absent = [r for r in planned if r not in status]
    if absent:
        problems.append(f"{where}: {len(absent)} planned runs are not there, the first is {absent[0]}")
    foreign = [r for r in status if r not in set(planned)]
    if foreign:
        problems.append(f"{where}: {len(foreign)} runs are not planned, the first is {foreign[0]}; run compare again")
    for run_id, found in status.items():
        if found not in STATUSES:
            problems.append(f"{where}: run {run_id} has status '{found}' (allowed: {', '.join(STATUSES)})")
    return problems


def _scores(plan: dict[str, Any], scores: pd.DataFrame, runs: pd.DataFrame) -> list[str]:
    problems, where = [], f"study '{plan['name']}', scores.parquet"
    twice = scores[scores.duplicated(_ROW)]
    if len(twice):
        problems.append(f"{where}: {len(twice)} rows stand there more than once, the first is {_name(twice)}")
    undeclared = scores[scores["value"].isna() & scores["diverged_at"].isna()]
    if len(undeclared):
        problems.append(
            f"{where}: {len(undeclared)} values are NaN though nothing diverged, the first is {_name(undeclared)}"
        )
    asked = {(r["run_id"], s) for r in plan["runs"] for s in plan["suites"] if scored_on(r, s)}
    pairs = scores[["run_id", "suite"]].drop_duplicates().itertuples(index=False, name=None)
    foreign = sorted(set(pairs) - asked)
    if foreign:
        run_id, suite = foreign[0]
        problems.append(
            f"{where}: {len(foreign)} pairs of run and suite are scored and not asked for, the first is run {run_id} on "
            f"{suite}; run compare again"
        )
    unasked = {r["run_id"] for r in plan["runs"]} - {run_id for run_id, _ in asked}
    finished = runs["run_id"][runs["status"].isin(["done", "diverged"]) & ~runs["run_id"].isin(unasked)]
    unscored = [r for r in finished if r not in set(scores["run_id"])]
    if unscored:
        problems.append(f"{where}: {len(unscored)} finished runs have no scores, the first is {unscored[0]}")
    # Every run of a dataset is scored on the same windows and horizons.
    counts = scores.groupby(["suite", "dataset", "metric", "run_id"], observed=True).size()
    for (suite, dataset, metric), n in counts.groupby(["suite", "dataset", "metric"]):
        if n.nunique() > 1:
            least = n.idxmin()[-1]
            problems.append(
                f"{where}: run {least} has {n.min()} scores of {metric} on {dataset} of suite {suite}, others have "
                f"{n.max()}"
            )
    return problems


def _sanity(plan: dict[str, Any], scores: pd.DataFrame) -> list[str]:
    problems, where = [], f"study '{plan['name']}', scores.parquet"
    mean_runs = {r["run_id"] for r in plan["runs"] if r["emulator"] == _MEAN_FORECAST and r["data"] == "none"}
    for metric, config in plan["metrics"].items():
        own = scores[scores["metric"] == metric]
        if config.get("_target_") == _SMAPE and config.get("space") == "normalised":
            mean = own[own["run_id"].isin(mean_runs)]
            off = mean[(mean["value"] - 100).abs() > 1e-6]
            if len(off):
                value = off["value"].iloc[0]
                problems.append(
                    f"{where}: predicting the context mean scores {metric} {value}, not 100, in {_name(off)}"
                )
        if config.get("_target_") == _VPT:
            inside = (own["value"] >= 0) & (own["value"] <= own["horizon_lyapunov"])
            outside = own[~inside & own["value"].notna()]
            if len(outside):
                value = outside["value"].iloc[0]
                problems.append(f"{where}: {metric} is {value}, outside 0 to the horizon, in {_name(outside)}")
    return problems


def _oracle(plan: dict[str, Any], comparisons: pd.DataFrame) -> list[str]:
    """Nothing may beat an emulator that is given the full state and the equations, beyond its interval."""
    knows = {n for n, e in plan["emulators"].items() if "state" in ((e.get("can") or {}).get("needs") or [])}
    oracles = {r["label"] for r in plan["runs"] if r["emulator"] in knows}
    pairs = comparisons[comparisons["peer"].isin(oracles) & ~comparisons["label"].isin(oracles)]
    problems = []
    for row in pairs.itertuples():
        higher = higher_is_better(row.metric, plan["metrics"][row.metric])
        if (row.low > 0) if higher else (row.high < 0):
            problems.append(
                f"study '{plan['name']}', comparisons.parquet: {row.label} beats the oracle {row.peer} in {row.metric} "
                f"at horizon {row.horizon} of suite {row.suite} ({row.low:g} to {row.high:g})"
            )
    return problems


def _name(rows: pd.DataFrame) -> str:
    row = rows.iloc[0]
    return (
        f"run {row['run_id']}, suite {row['suite']}, trajectory {row['trajectory_id']}, window {row['window']}, "
        f"horizon {row['horizon']}, {row['metric']}"
    )
