"""What the manuscript may say: every number of every study, read from result tables and formatted once."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core.schemas import CLAIMS, COMPARISONS, RUNS, WINDOWS
from strangecast.core.tables import read_parquet
from strangecast.paper.frames import plain


def paper_numbers(plans: list[dict[str, Any]], root: Path) -> dict[str, Any]:
    """Everything the manuscript reads, JSON-ready: no NaN, infinities as text.

    Args:
        plans: study plans.
        root: ``results/<scale>``.

    Raises:
        ResultsError: a table is missing or damaged.
    """
    studies = [study_numbers(plan, root) for plan in plans]
    versions: dict[str, str] = {}
    for study in studies:
        versions |= study.pop("versions")
    return {"scale": plans[0]["scale"], "studies": studies, "versions": versions}


def study_numbers(plan: dict[str, Any], root: Path) -> dict[str, Any]:
    """One study: counts, settings, a row per label, paired differences, claims."""
    folder = root / plan["name"]
    runs = plain(read_parquet(folder / "runs.parquet", RUNS).to_pandas())
    table = plain(read_parquet(folder / "comparisons.parquet", COMPARISONS).to_pandas())
    claims = plain(read_parquet(folder / "claims.parquet", CLAIMS).to_pandas())
    windows = pd.concat(
        [plain(read_parquet(root / s["folder"] / "windows.parquet", WINDOWS).to_pandas()) for s in plan["suites"].values()]
    )
    labels = list(dict.fromkeys(r["label"] for r in plan["runs"]))
    last = table[table["horizon"] == table.groupby(["suite", "metric"])["horizon"].transform("max")]
    versions: dict[str, str] = {}
    for text in runs["versions"].dropna():
        versions |= json.loads(text or "{}")
    return {
        "name": plan["name"],
        "title": plan["config"]["title"],
        "question": plan["config"]["question"],
        "runs": len(runs),
        "done": int((runs["status"] == "done").sum()),
        "seeds": int(runs.groupby("label")["seed"].nunique().max()),
        "systems": sorted(windows["system"].unique().tolist()),
        "windows": len(windows),
        "context": shown(windows["context"].max()),
        "horizon": shown(windows["horizon"].max()),
        "lyapunov": [
            {"system": s, "value": number(part["lyapunov"].iloc[0]), "dt": number(part["dt"].iloc[0])}
            for s, part in windows.groupby("system")
        ],
        "metrics": {m: {k: c.get(k) for k in ("title", "unit", "better")} for m, c in plan["metrics"].items()},
        "labels": [_label(label, plan, runs, last) for label in labels],
        "pairs": [_pair(row) for row in last[last["peer"].notna()].to_dict("records")],
        "claims": [_claim(row) for row in claims.to_dict("records")],
        "figures": {n: {k: c.get(k) for k in ("title", "caption", "width")} for n, c in plan["figures"].items()},
        "versions": versions,
    }


def _label(label: str, plan: dict[str, Any], runs: pd.DataFrame, table: pd.DataFrame) -> dict[str, Any]:
    own = runs[runs["label"] == label]
    alone = table[(table["label"] == label) & table["peer"].isna()]
    seconds = own["train_seconds"].sum() if own["train_seconds"].notna().any() else None
    return {
        "label": label,
        "emulator": own["emulator"].iloc[0],
        "training": own["training"].iloc[0],
        "runs": len(own),
        "parameters": number(own["n_parameters"].max(), 0),
        "train_seconds": number(seconds),
        "scores": {row["metric"]: _interval(row) for row in alone.to_dict("records")},
    }


def _interval(row: dict[str, Any]) -> dict[str, Any]:
    return {k: number(row[k]) for k in ("median", "low", "high", "mean")} | {"diverged": int(row["diverged"] or 0)}


def _pair(row: dict[str, Any]) -> dict[str, Any]:
    return {k: row[k] for k in ("suite", "metric", "label", "peer")} | {
        k: number(row[k]) for k in ("median", "low", "high", "superiority", "p_value")
    }


def _claim(row: dict[str, Any]) -> dict[str, Any]:
    words = {k: row[k] for k in ("claim", "statement", "source", "anchor", "unit", "verdict", "note")}
    return words | {k: number(row[k]) for k in ("published", "ours", "low", "high")}


def number(value: Any, digits: int | None = None) -> dict[str, Any]:
    """A number for the manuscript: ``value`` for comparisons (None where there is none), ``text`` for print."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return {"value": None, "text": "–"}
    return {"value": float(value) if math.isfinite(value) else None, "text": shown(value, digits)}


def shown(value: Any, digits: int | None = None) -> str:
    """Three significant digits (or ``digits`` after the point), a proper minus, infinity as a sign."""
    value = float(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if digits is not None or (value == int(value) and abs(value) < 1e5):
        text = f"{value:,.{digits or 0}f}".replace(",", " ")
    elif value and not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.1e}".split("e")
        text = f"{mantissa} × 10^{int(exponent)}"
    else:
        text = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return text.replace("-", "−")
