"""What follows from a study's comparisons, as facts that text can be chosen by.

Nothing here knows which emulators exist. A difference is decided where the bootstrap interval of the paired difference
excludes zero; the p-value of the signed-rank test stands beside it and decides nothing, because with few systems it
cannot be small.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from strangecast.paper.frames import label_frame
from strangecast.paper.tables.columns import estimate, missing, number

HEADLINE = "valid_prediction_time"


def findings(
    plan: dict[str, Any], suite: str, comparisons: pd.DataFrame, scores: pd.DataFrame, runs: pd.DataFrame
) -> dict[str, Any]:
    """Facts about one suite of a study, JSON-ready.

    Args:
        plan: study plan.
        suite: name.
        comparisons, scores, runs: the study's tables.

    Returns:
        ``metric, title, unit, higher`` of the ranking (the valid prediction time where it was scored, else the study's
        first metric); ``ranked`` labels, best first; ``lead`` of the first over the second; ``over_baseline`` for each
        trained label against the best untrained one; ``effects`` of the training for labels of one emulator;
        ``pairs``, all of them, better label first; ``wins`` by system; ``orders`` under the other metrics; ``diverged``
        and ``censored`` forecasts by label; ``systems`` and the smallest p-value they allow.
    """
    table = comparisons[comparisons["suite"] == suite]
    table = table[table["horizon"] == table.groupby("metric")["horizon"].transform("max")]
    scored = [m for m in plan["metrics"] if m in set(table["metric"])]
    if not scored:
        return {"suite": suite, "metric": None, "ranked": [], "pairs": [], "orders": []}
    metric = HEADLINE if HEADLINE in scored else scored[0]
    higher = plan["metrics"][metric].get("better") == "higher"
    about = label_frame(plan).set_index("label")
    own = table[table["metric"] == metric]
    ranked = _ranked(own, higher)
    pairs = _Pairs(own[own["peer"].notna()], higher)
    trained = [r["label"] for r in ranked if about.loc[r["label"], "training"] != "none"]
    untrained = [r["label"] for r in ranked if r["label"] not in trained]
    for row in ranked:
        row["learned"] = row["label"] in trained
    systems = int(own["n_datasets"].max())
    mine = scores[(scores["suite"] == suite) & (scores["metric"] == metric)].merge(
        runs[["run_id", "label"]], on="run_id"
    )
    mine = mine[mine["horizon"] == mine["horizon"].max()]
    return {
        "suite": suite,
        "metric": metric,
        "title": plan["metrics"][metric].get("title") or metric,
        "unit": plan["metrics"][metric].get("unit") or "",
        "higher": higher,
        "ranked": ranked,
        "lead": pairs.of(ranked[0]["label"], ranked[1]["label"]) if len(ranked) > 1 else None,
        "over_baseline": [pairs.of(label, untrained[0]) for label in trained if untrained],
        "effects": _effects(pairs, trained, about),
        "pairs": [pairs.of(a["label"], b["label"]) for i, a in enumerate(ranked) for b in ranked[i + 1 :]],
        "wins": _wins(mine, higher),
        "orders": [_order(m, plan["metrics"][m], table, ranked) for m in scored if m != metric],
        "diverged": _diverged(own),
        "censored": _censored(mine) if metric == HEADLINE else [],
        "systems": {"value": systems, "text": number(systems)},
        "smallest_p": _p(2.0 ** (1 - systems)) if systems else _p(1.0),
    }


class _Pairs:
    """Paired differences by (label, peer)."""

    def __init__(self, rows: pd.DataFrame, higher: bool) -> None:
        self._rows = {(r["label"], r["peer"]): r for r in rows.to_dict("records")}
        self._sign = 1 if higher else -1

    def of(self, label: str, peer: str) -> dict[str, Any]:
        """The difference label minus peer and its verdict: better, worse, undecided, or absent."""
        row = self._rows.get((label, peer))
        if row is None:
            return {"label": label, "peer": peer, "verdict": "absent"}
        low, high = sorted((self._sign * row["low"], self._sign * row["high"]))
        verdict = "better" if low > 0 else "worse" if high < 0 else "undecided"
        return {
            "label": label,
            "peer": peer,
            "verdict": verdict,
            "difference": estimate(row["median"], row["low"], row["high"]),
            "superiority": number(row["superiority"]) if missing(row["superiority"]) else f"{row['superiority']:.2f}",
            "p": _p(row["p_value"]),
        }


def _ranked(own: pd.DataFrame, higher: bool) -> list[dict[str, Any]]:
    alone = own[own["peer"].isna()].sort_values("median", ascending=not higher, kind="stable", na_position="last")
    return [
        {
            "label": r["label"],
            "text": estimate(r["median"], r["low"], r["high"]),
            "value": float(r["median"]) if math.isfinite(r["median"]) else None,
        }
        for r in alone.to_dict("records")
    ]


def _effects(pairs: _Pairs, trained: list[str], about: pd.DataFrame) -> list[dict[str, Any]]:
    """Pairs of labels that share their emulator and its settings and differ in training, in the study's order."""
    found = []
    order = [label for label in about.index if label in trained]
    for i, peer in enumerate(order):
        for label in order[i + 1 :]:
            a, b = about.loc[label], about.loc[peer]
            if a["emulator"] != b["emulator"] or (a["data"] != b["data"] and a["training"] == "none"):
                continue
            if _of_emulator(a["point"]) == _of_emulator(b["point"]):
                found.append(pairs.of(label, peer) | {"emulator": a["title"]})
    return [f for f in found if f["verdict"] != "absent"]


def _of_emulator(point: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in point.items() if k.startswith("emulator.")}


def _wins(scores: pd.DataFrame, higher: bool) -> list[dict[str, Any]]:
    """On how many systems each label has the best median (all that share it)."""
    worst = -np.inf if higher else np.inf
    medians = (
        scores.assign(value=scores["value"].fillna(worst)).groupby(["dataset", "label"])["value"].median().unstack()
    )
    best = medians.max(axis=1) if higher else medians.min(axis=1)
    counts = medians.eq(best, axis=0).sum().sort_values(ascending=False, kind="stable")
    return [{"label": label, "systems": number(n)} for label, n in counts.items() if n]


def _order(metric: str, config: dict[str, Any], table: pd.DataFrame, ranked: list[dict[str, Any]]) -> dict[str, Any]:
    other = [r["label"] for r in _ranked(table[table["metric"] == metric], config.get("better") == "higher")]
    here = [r["label"] for r in ranked if r["label"] in other]
    other = [label for label in other if label in here]
    return {
        "metric": metric,
        "title": config.get("title") or metric,
        "first": other[0] if other else "",
        "same_first": bool(other) and other[0] == here[0],
        "same_order": other == here,
    }


def _diverged(own: pd.DataFrame) -> list[dict[str, Any]]:
    alone = own[own["peer"].isna() & (own["diverged"] > 0)]
    return [{"label": r["label"], "forecasts": number(r["diverged"])} for r in alone.to_dict("records")]


def _censored(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """Share of forecasts that are still valid at the horizon, where there are any."""
    at_end = scores["value"] >= scores["horizon_lyapunov"] * (1 - 1e-9)
    share = at_end.groupby(scores["label"], sort=False).mean()
    return [{"label": label, "share": f"{number(100 * s)}\u00a0%"} for label, s in share.items() if s > 0]


def _p(value: float) -> dict[str, Any]:
    if missing(value):
        return {"value": None, "text": "p undefined"}
    text = "p < 0.001" if value < 1e-3 else f"p = {min(1.0, value):.2g}"
    return {"value": float(value), "text": text}
