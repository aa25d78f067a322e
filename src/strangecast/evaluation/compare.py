"""The tables of a study: its runs, its scores, and every label alone and against every other.

A label is what figures and tables print; its runs differ in seed and dataset only. Statistics are over all scores of a
label (datasets x windows x seeds). A forecast that diverged, and every window of a run whose training diverged, counts
with the metric's worst value instead of being dropped; means over such scores may be infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from strangecast.core.plans import block_plan
from strangecast.core.schemas import COMPARISONS, RUNS, SCORES
from strangecast.core.tables import read_parquet, write_parquet
from strangecast.evaluation.bootstrap import Layout, interval_of_medians, median
from strangecast.evaluation.metric_option import higher_is_better, worst_value
from strangecast.evaluation.paired import difference, holm, superiority, wilcoxon_over_datasets
from strangecast.evaluation.runs_table import runs_table
from strangecast.evaluation.score import ORDER, scores_frame


def compare_study(plan: dict[str, Any], root: Path) -> None:
    """Write ``runs``, ``scores`` and ``comparisons.parquet`` of a study.

    Args:
        plan: study plan.
        root: ``results/<scale>``.

    Raises:
        ResultsError: scores, run records or plans of its blocks are missing or damaged.
    """
    folder = root / plan["name"]
    runs = runs_table(plan, root)
    scores = _study_scores(plan, root)
    write_parquet(folder / "runs.parquet", runs, RUNS)
    write_parquet(folder / "scores.parquet", pa.Table.from_pandas(scores, preserve_index=False), SCORES)
    frame = comparisons(scores, runs.to_pandas(), plan["metrics"])
    write_parquet(folder / "comparisons.parquet", pa.Table.from_pandas(frame, preserve_index=False), COMPARISONS)


def _study_scores(plan: dict[str, Any], root: Path) -> pd.DataFrame:
    """Scores of the study's runs, suites and metrics, sorted."""
    parts = []
    for folder in plan["blocks"]:
        for suite, use in block_plan(root, folder)["suites"].items():
            if suite in plan["suites"]:
                parts.append(scores_frame(read_parquet(root / use["forecast_folder"] / "scores.parquet", SCORES)))
    frame = pd.concat(parts, ignore_index=True)
    chosen = frame["run_id"].isin([r["run_id"] for r in plan["runs"]]) & frame["metric"].isin(plan["metrics"])
    return frame[chosen].sort_values(["suite", *ORDER], kind="stable", ignore_index=True)


@dataclass(frozen=True)
class _Cell:
    """Scores of one label.

    Attributes:
        values: [D, W, K], NaN where there is no score.
        datasets: names on axis 0, sorted.
        layout: nesting of ``values``.
        diverged: number of scores that count as worst or that include a sample of divergence.
    """

    values: np.ndarray
    datasets: list[str]
    layout: Layout
    diverged: int


def comparisons(scores: pd.DataFrame, runs: pd.DataFrame, metrics: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Rows of ``schemas.COMPARISONS``.

    One row per (suite, metric, horizon, label) with the median, its 95 % hierarchical bootstrap interval and the mean;
    and one per ordered pair of labels with the same of their paired differences (label minus peer; run k of one against
    run k of the other on the same window), the probability that the label is better, and the p-value of Wilcoxon's
    signed-rank test over datasets, Holm-corrected for all pairs of that metric and horizon.

    Args:
        scores: columns of ``schemas.SCORES``.
        runs: columns ``run_id, label, emulator, training, seed, status``, in the order labels are to have.
        metrics: resolved metric YAMLs by name.
    """
    labels = runs.drop_duplicates("label").set_index("label")[["emulator", "training"]]
    frame = _with_lost_runs(scores, runs, metrics).merge(runs[["run_id", "label", "seed"]], on="run_id")
    groups = {key: group for key, group in frame.groupby(["suite", "metric", "horizon"], sort=True)}
    cells = {
        (*key, label): _cell(group[group["label"] == label], metrics[key[1]])
        for key, group in groups.items()
        for label in labels.index
        if (group["label"] == label).any()
    }
    rows = [_alone(*key, cell) for key, cell in cells.items()]
    for key in groups:
        here = [label for label in labels.index if (*key, label) in cells]
        rows += _pairs(key, {label: cells[*key, label] for label in here}, higher_is_better(key[1], metrics[key[1]]))
    _add_intervals(rows)
    table = pd.DataFrame(
        [{k: v for k, v in r.items() if not k.startswith("_")} for r in rows], columns=COMPARISONS.names
    )
    table["emulator"] = table["label"].map(labels["emulator"])
    table["training"] = table["label"].map(labels["training"])
    position = {label: i for i, label in enumerate(labels.index)}
    order = pd.DataFrame(
        {
            **{c: table[c] for c in ("suite", "metric", "horizon")},
            "label": table["label"].map(position),
            "peer": table["peer"].map(position).astype("Int64").fillna(-1),
        }
    )
    return table.loc[order.sort_values(list(order)).index].reset_index(drop=True)


def _with_lost_runs(scores: pd.DataFrame, runs: pd.DataFrame, metrics: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Scores with every undefined value replaced by the worst, and rows for runs that diverged in training.

    Such a run gets the windows of another run on the same dataset.
    """
    scores = scores.assign(lost=scores["value"].isna())
    lost = runs[(runs["status"] == "diverged") & ~runs["run_id"].isin(scores["run_id"])]
    if len(lost):
        windows = ["suite", "dataset", "trajectory_id", "window", "horizon", "horizon_lyapunov", "metric"]
        grid = scores[windows].drop_duplicates()
        added = grid.merge(lost[["run_id", "data"]], how="cross")
        # A run on one dataset is scored there; one on a corpus everywhere.
        own = added["data"].isin(grid["dataset"])
        added = added[~own | (added["data"] == added["dataset"])].drop(columns="data")
        scores = pd.concat([scores, added.assign(value=np.nan, lost=True)], ignore_index=True)
    worst = scores["metric"].map({name: worst_value(name, config) for name, config in metrics.items()})
    return scores.assign(value=scores["value"].where(~scores["lost"], worst))


def _cell(frame: pd.DataFrame, metric: dict[str, Any]) -> _Cell:
    frame = frame.sort_values(["dataset", "trajectory_id", "window", "seed", "run_id"])
    datasets = sorted(frame["dataset"].unique())
    d = pd.Categorical(frame["dataset"], categories=datasets).codes
    place = frame["trajectory_id"] + "\0" + frame["window"].astype(str).str.zfill(9)
    w = place.groupby(frame["dataset"]).transform(lambda x: pd.factorize(x)[0])
    order = frame["seed"].astype(str).str.zfill(9) + frame["run_id"]
    k = order.groupby(frame["dataset"]).transform(lambda x: pd.factorize(x, sort=True)[0])
    values = np.full((len(datasets), int(w.max()) + 1, int(k.max()) + 1), np.nan)
    values[d, w.to_numpy(int), k.to_numpy(int)] = frame["value"]
    per_dataset = frame.groupby("dataset", sort=True)["run_id"].nunique()
    layout = Layout(
        windows=tuple(int(n) + 1 for n in w.groupby(frame["dataset"]).max()),
        seeds=tuple(int(n) for n in per_dataset),
        crossed=bool(len(datasets) > 1 and frame["run_id"].nunique() < per_dataset.sum()),
    )
    at = frame["diverged_at"].fillna(2**30).astype(np.int64)
    return _Cell(values, datasets, layout, int((frame["lost"] | (at < frame["horizon"])).sum()))


def _alone(suite: str, metric: str, horizon: int, label: str, cell: _Cell) -> dict[str, Any]:
    present = cell.values[~np.isnan(cell.values)]
    return {
        "suite": suite,
        "metric": metric,
        "horizon": horizon,
        "label": label,
        "peer": None,
        "n_datasets": len(cell.datasets),
        "n_windows": sum(cell.layout.windows),
        "n_seeds": max(cell.layout.seeds),
        "median": median(present),
        "mean": _mean(present),
        "diverged": cell.diverged,
        "_values": cell.values,
        "_layout": cell.layout,
    }


def _mean(values: np.ndarray) -> float:
    """Mean of numbers that may be infinite; NaN where both infinities occur."""
    with np.errstate(invalid="ignore"):
        return float(values.mean())


def _pairs(key: tuple[str, str, int], cells: dict[str, _Cell], higher: bool) -> list[dict[str, Any]]:
    """Rows of all ordered pairs; each unordered pair is computed once and mirrored."""
    rows, p_values = [], []
    labels = list(cells)
    for i, label in enumerate(labels):
        for peer in labels[i + 1 :]:
            a, b = _common(cells[label], cells[peer])
            if not a.datasets:
                continue
            d = difference(a.values, b.values)
            layout = Layout(
                windows=a.layout.windows,
                seeds=tuple(max(x, y) for x, y in zip(a.layout.seeds, b.layout.seeds, strict=True)),
                crossed=any(c.layout.crossed and max(c.layout.seeds) > 1 for c in (a, b)),
            )
            d = np.where(layout.present, d, np.nan)
            there = _alone(*key, label, _Cell(d, a.datasets, layout, a.diverged)) | {"peer": peer}
            back = there | {"label": peer, "peer": label, "diverged": b.diverged, "_values": 0 - d}
            better = superiority(d, higher)
            rows.append(there | {"superiority": better})
            rows.append(back | {"median": 0 - there["median"], "mean": 0 - there["mean"], "superiority": 1 - better})
            p_values.append(wilcoxon_over_datasets(d))
    for row, p in zip(rows, np.repeat(holm(np.array(p_values)), 2), strict=True):
        row["p_value"] = float(p)
    return rows


def _common(a: _Cell, b: _Cell) -> tuple[_Cell, _Cell]:
    """Both on the datasets that both were scored on (their windows are those of the suite)."""
    shared = [d for d in a.datasets if d in b.datasets]
    return _on(a, shared), _on(b, shared)


def _on(cell: _Cell, datasets: list[str]) -> _Cell:
    if datasets == cell.datasets:
        return cell
    rows = [cell.datasets.index(d) for d in datasets]
    layout = Layout(
        tuple(cell.layout.windows[i] for i in rows), tuple(cell.layout.seeds[i] for i in rows), cell.layout.crossed
    )
    return _Cell(cell.values[rows], datasets, layout, cell.diverged)


def _add_intervals(rows: list[dict[str, Any]]) -> None:
    """Fill ``low`` and ``high``; rows of one suite and layout share their draws."""
    groups: dict[tuple[str, Layout], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["suite"], row["_layout"]), []).append(row)
    for (suite, layout), members in groups.items():
        D, W, K = layout.shape
        values = [row["_values"][:D, :W, :K] for row in members]
        for row, (low, high) in zip(members, interval_of_medians(values, layout, suite), strict=True):
            row["low"], row["high"] = float(low), float(high)
