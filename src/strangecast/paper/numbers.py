"""What the manuscript may say: every number of every study, read from plans and result tables and formatted once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core.schemas import CLAIMS, COMPARISONS, RUNS, SCORES, WINDOWS
from strangecast.evaluation.bootstrap import LEVEL, REPLICATES
from strangecast.evaluation.frames import read_frame
from strangecast.evaluation.windows_scored import RUNAWAY
from strangecast.paper.findings import findings
from strangecast.paper.frames import label_frame
from strangecast.paper.settings import data_settings, label_settings, system_rows
from strangecast.paper.survey import amount, survey
from strangecast.paper.table_job import build_table
from strangecast.paper.tables.columns import duration, estimate, missing, number, printed, setting

_METRIC_WORDS = ("title", "unit", "better", "space", "horizons")
_METRIC_META = ("_target_", "symbol", "worst", "kind", "shortest", "defined", "of", *_METRIC_WORDS)


def paper_numbers(plans: list[dict[str, Any]], root: Path) -> dict[str, Any]:
    """Everything the manuscript reads, as JSON: no NaN, and beside every number the text to print.

    Args:
        plans: study plans.
        root: ``results/<scale>``.

    Raises:
        ResultsError: a table or plan is missing or damaged.
    """
    studies = [study_numbers(plan, Path(root)) for plan in plans]
    versions: dict[str, str] = {}
    for study in studies:
        versions |= study.pop("versions")
    return {
        "scale": plans[0]["scale"],
        "studies": studies,
        "versions": versions,
        "runaway": amount(RUNAWAY),
        "bootstrap": {"replicates": amount(REPLICATES), "level": amount(100 * LEVEL)},
    }


def study_numbers(plan: dict[str, Any], root: Path) -> dict[str, Any]:
    """One study: counts, settings, findings, tables, claims and figures."""
    folder = root / plan["name"]
    runs = read_frame(folder / "runs.parquet", RUNS)
    scores = read_frame(folder / "scores.parquet", SCORES)
    comparisons = read_frame(folder / "comparisons.parquet", COMPARISONS)
    claims = read_frame(folder / "claims.parquet", CLAIMS)
    suites = {
        name: read_frame(root / suite["folder"] / "windows.parquet", WINDOWS) for name, suite in plan["suites"].items()
    }
    windows = pd.concat(suites.values(), ignore_index=True) if suites else pd.DataFrame(columns=WINDOWS.names)
    return {
        "name": plan["name"],
        "title": plan["config"].get("title") or plan["name"],
        "question": plan["config"].get("question") or "",
        "counts": _counts(runs, scores, windows),
        "trained_on_system": _all_on_system(runs),
        "data": data_settings(plan, root),
        "systems": system_rows(windows, root),
        "metrics": {name: _metric(config) for name, config in plan["metrics"].items()},
        "labels": _labels(plan, root, runs),
        "survey": survey(plan, root) if plan.get("datasets") else None,
        "suites": [findings(plan, name, comparisons, scores, runs) for name in plan["suites"]],
        "horizons": _by_horizon(plan, comparisons),
        "tables": [_table(plan, root, name) for name in plan.get("tables") or {}],
        "claims": [_claim(row) for row in claims.to_dict("records")],
        "figures": [
            {
                "name": name,
                "title": config.get("title") or name,
                "caption": config.get("caption") or "",
                "width": config.get("width") or "column",
                "file": f"{plan['name']}-{name}.pdf",
            }
            for name, config in plan["figures"].items()
        ],
        "versions": _versions(runs),
    }


def _all_on_system(runs: pd.DataFrame) -> bool:
    trained = runs.loc[runs["training"] != "none", "trained_on_system"]
    return bool(len(trained) and trained.all())


def _counts(runs: pd.DataFrame, scores: pd.DataFrame, windows: pd.DataFrame) -> dict[str, Any]:
    made = scores[scores["run_id"].isin(runs["run_id"][runs["status"] == "done"])]
    forecasts = made[["run_id", "suite", "dataset", "trajectory_id", "window"]].drop_duplicates()
    trained = runs[runs["training"] != "none"]
    return {
        "labels": amount(runs["label"].nunique()),
        "learned": amount(trained["label"].nunique()),
        "runs": amount(len(runs)),
        "trained": amount(len(trained)),
        "lost": amount((runs["status"] != "done").sum()),
        "seeds": amount(runs.groupby(["label", "data"])["seed"].nunique().max()),
        "systems": amount(windows["system"].nunique()),
        "windows": amount(len(windows)),
        "trajectories": amount(windows[["dataset", "trajectory_id"]].drop_duplicates().shape[0]),
        "forecasts": amount(len(forecasts)),
        "train_time": duration(float(trained["train_seconds"].sum())),
        "forecast_time": duration(float(runs["forecast_seconds"].sum())),
        "devices": sorted({str(d) for d in runs["device"].dropna()}),
    }


def _labels(plan: dict[str, Any], root: Path, runs: pd.DataFrame) -> list[dict[str, Any]]:
    settings = label_settings(plan, root)
    rows = []
    for label in label_frame(plan).to_dict("records"):
        own = runs[runs["label"] == label["label"]]
        learned = label["training"] != "none"
        rows.append(
            {
                "label": label["label"],
                "emulator": label["emulator"],
                "title": label["title"],
                "training": label["training"],
                "learned": learned,
                "runs": amount(len(own)),
                "parameters": amount(own["n_parameters"].median()) if learned else amount(None),
                "train_seconds": duration(float(own["train_seconds"].median())) if learned else number(None),
                "settings": settings.get(label["label"], []),
            }
        )
    return rows


def _metric(config: dict[str, Any]) -> dict[str, Any]:
    words = {k: config.get(k) or "" for k in _METRIC_WORDS}
    return words | {"params": {k: _setting(v) for k, v in config.items() if k not in _METRIC_META}}


def _setting(value: Any) -> str:
    return setting(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _by_horizon(plan: dict[str, Any], comparisons: pd.DataFrame) -> list[dict[str, Any]]:
    """Per metric with several horizons: medians of every label at each of them, on the first suite."""
    tables: list[dict[str, Any]] = []
    if not plan["suites"]:
        return tables
    alone = comparisons[comparisons["peer"].isna() & (comparisons["suite"] == next(iter(plan["suites"])))]
    for metric, config in plan["metrics"].items():
        own = alone[alone["metric"] == metric]
        horizons = sorted(set(own["horizon"]))
        if len(horizons) < 2:
            continue
        cells = own.set_index(["label", "horizon"])[["median", "low", "high"]]
        rows = [
            [
                label,
                *(estimate(*cells.loc[(label, h)]) if (label, h) in cells.index else number(None) for h in horizons),
            ]
            for label in dict.fromkeys(own["label"])
        ]
        tables.append(
            {
                "metric": metric,
                "title": config.get("title") or metric,
                "unit": config.get("unit") or "",
                "horizons": [number(h) for h in horizons],
                "rows": rows,
            }
        )
    return tables


def _table(plan: dict[str, Any], root: Path, name: str) -> dict[str, Any]:
    config, frame = build_table(plan, root, name)
    columns, rows = printed(frame)
    return {
        "name": name,
        "title": config.get("title") or name,
        "caption": config.get("caption") or "",
        "heads": [c.title for c in columns],
        "align": [c.align for c in columns],
        "rows": rows,
    }


def _claim(row: dict[str, Any]) -> dict[str, Any]:
    words = {k: row[k] or "" for k in ("claim", "statement", "source", "anchor", "unit", "verdict", "note")}
    ours = estimate(*(None if missing(row[k]) else float(row[k]) for k in ("ours", "low", "high")))
    return words | {
        "published": amount(row["published"]),
        "ours": {"value": amount(row["ours"])["value"], "text": ours},
    }


def _versions(runs: pd.DataFrame) -> dict[str, str]:
    versions: dict[str, str] = {}
    for text in runs["versions"].dropna().unique():
        versions |= json.loads(text or "{}")
    return versions
