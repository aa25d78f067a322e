"""What a study of data found, as facts that text can be chosen by: acceptance, reasons of rejection, lengths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.evaluation.frames import read_frame
from strangecast.paper.tables.columns import estimate, missing, number
from strangecast.paper.tables.pass_rates import ALL, chosen_groups

# How a group of trajectories is spoken of.
WORDS = {
    "all": "",
    "default parameters": "at catalogued parameters",
    "perturbed parameters": "at perturbed parameters",
    "additive coupling": "of skew products with additive coupling",
    "activated coupling": "of skew products with activated coupling",
}


def survey(plan: dict[str, Any], root: Path) -> dict[str, Any]:
    """Facts about the datasets of a study, JSON-ready; lists are empty where the study lacks the analysis.

    Args:
        plan: study plan.
        root: ``results/<scale>``.

    Returns:
        ``names`` of the datasets; ``groups`` of trajectories (words, number, accepted, share with interval, first
        reasons of rejection by frequency); ``systems`` at catalogued parameters of which a trajectory was accepted;
        ``lengths`` per dataset (parameter sets, those with a positive exponent, median and quartiles of the length in
        Lyapunov times).

    Raises:
        ResultsError: a table is missing or damaged.
    """
    folder = root / plan["name"] / "analysis"
    held = {a: read_frame(folder / f"{a}.parquet") for a in ("pass_rates", "sampling") if a in plan["analyses"]}
    rates = held.get("pass_rates", pd.DataFrame())
    return {
        "names": list(plan.get("datasets") or []),
        "groups": _groups(rates) if len(rates) else [],
        "systems": _systems(rates) if len(rates) else None,
        "lengths": _lengths(held["sampling"]) if "sampling" in held else [],
    }


def _groups(rates: pd.DataFrame) -> list[dict[str, Any]]:
    groups = []
    for group, own in chosen_groups({"analysis/pass_rates": rates}, "the paper").items():
        total = own[own["name"] == ALL].iloc[0]
        tests = own[(own["what"] == "test") & (own["failed_first"] > 0)]
        reasons = tests.sort_values("failed_first", ascending=False, kind="stable")
        groups.append(
            {
                "group": group,
                "words": WORDS[group],
                "dataset": str(total["dataset"]),
                "trajectories": amount(total["of"]),
                "accepted": amount(total["count"]),
                "share": share(total),
                "reasons": [
                    {"reason": r["name"].replace("_", " "), "trajectories": number(r["failed_first"])}
                    for r in reasons.to_dict("records")
                ],
            }
        )
    return groups


def _systems(rates: pd.DataFrame) -> dict[str, Any] | None:
    """Systems at catalogued parameters: how many, and of how many a trajectory was accepted."""
    own = rates[(rates["group"] == "default parameters") & (rates["what"] == "accepted") & (rates["name"] == "systems")]
    if own.empty:
        return None
    row = own.iloc[0]
    return {
        "dataset": str(row["dataset"]),
        "all": amount(row["of"]),
        "accepted": amount(row["count"]),
        "share": share(row),
    }


def _lengths(sampling: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for dataset, own in sampling[sampling["accepted"] > 0].groupby("dataset", sort=False):
        known = own["length_lyapunov"].dropna()
        low, middle, high = known.quantile([0.25, 0.5, 0.75])
        rows.append(
            {
                "dataset": str(dataset),
                "sets": amount(len(own)),
                "positive": amount(len(known)),
                "median": number(middle),
                "quartiles": [number(low), number(high)],
            }
        )
    return rows


def share(row: pd.Series) -> str:
    """A proportion with its interval, in per cent."""
    return f"{estimate(*(100 * float(row[c]) for c in ('rate', 'low', 'high')))}\u00a0%"


def amount(value: Any) -> dict[str, Any]:
    """A number: ``value`` to compare (None where there is none, or an infinite one) and ``text`` to print."""
    known = not missing(value)
    finite = known and abs(float(value)) != float("inf")
    return {"value": float(value) if finite else None, "text": number(float(value) if known else None)}
