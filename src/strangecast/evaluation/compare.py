"""The tables of a study: its runs, its scores, and every label alone and against every other.

A label is what figures and tables print; its runs differ in seed and dataset only. Statistics are over all scores of a
label (systems x windows x seeds), systems being clusters: a dataset of many systems counts as many. A forecast that diverged counts with the metric's worst value instead of being
dropped; means over such scores may be infinite. A run whose training diverged stands in the study's scores like one
whose every forecast diverges at its first sample, so that whoever reads them counts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.plans import block_plan, scored_on, suite_plan
from strangecast.core.schemas import COMPARISONS, RUNS, SCORES
from strangecast.core.tables import read_parquet, write_parquet
from strangecast.data.windows import Windows
from strangecast.evaluation.bootstrap import Layout, interval_of_medians, median
from strangecast.evaluation.clusters import clusters_of, with_clusters
from strangecast.evaluation.keys import forecast_keys, lost, run_records
from strangecast.evaluation.metric_option import higher_is_better, worst_value
from strangecast.evaluation.paired import difference, holm, superiority, wilcoxon_over_systems
from strangecast.evaluation.runs_table import runs_table
from strangecast.evaluation.score import ORDER, horizons_of, lost_scores, scores_frame


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
    table = COMPARISONS.empty_table()
    if len(scores):
        known = with_clusters(scores, clusters_of(plan, root))
        table = pa.Table.from_pandas(comparisons(known, runs.to_pandas(), plan["metrics"]), preserve_index=False)
    write_parquet(folder / "comparisons.parquet", table, COMPARISONS)


def _study_scores(plan: dict[str, Any], root: Path) -> pd.DataFrame:
    """Scores of the study's runs on the suites they list, sorted; runs whose training diverged among them."""
    parts = []
    for folder in plan["blocks"]:
        block = block_plan(root, folder)
        records = run_records(block, root)
        for suite, use in block["suites"].items():
            if suite not in plan["suites"]:
                continue
            parts.append(scores_frame(read_parquet(root / use["forecast_folder"] / "scores.parquet", SCORES)))
            if lost(records):
                windows = Windows.open(root, use["folder"])
                keys = forecast_keys(block, records, suite, windows.contents, lost(records))
                horizons = horizons_of(suite_plan(root, suite), windows.table)
                parts.append(lost_scores(windows, suite, use, keys, horizons))
    if not parts:
        return scores_frame(SCORES.empty_table())
    frame = pd.concat(parts, ignore_index=True)
    asked = {s: [r["run_id"] for r in plan["runs"] if scored_on(r, s)] for s in plan["suites"]}
    chosen = frame["metric"].isin(plan["metrics"])
    chosen &= np.logical_or.reduce([(frame["suite"] == s) & frame["run_id"].isin(ids) for s, ids in asked.items()])
    return frame[chosen].sort_values(["suite", *ORDER], kind="stable", ignore_index=True)


@dataclass(frozen=True)
class _Cell:
    """Scores of one label.

    Attributes:
        values: [D, W, K], NaN where there is no score.
        clusters: names on axis 0, sorted (see ``clusters.py``).
        layout: nesting of ``values``.
        diverged: number of scores that count as worst or that include a sample of divergence.
    """

    values: np.ndarray
    clusters: list[str]
    layout: Layout
    diverged: int


def comparisons(scores: pd.DataFrame, runs: pd.DataFrame, metrics: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Rows of ``schemas.COMPARISONS``.

    One row per (suite, metric, horizon, label) with the median, its 95 % hierarchical bootstrap interval and the mean;
    and one per ordered pair of labels with the same of their paired differences (label minus peer; run k of one against
    run k of the other on the same window), the probability that the label is better, and the p-value of Wilcoxon's
    signed-rank test over systems, Holm-corrected for all pairs of that metric and horizon.

    Args:
        scores: columns of ``schemas.SCORES``, and ``cluster`` (the dataset where there is no such column).
        runs: columns ``run_id, label, emulator, training, seed``, in the order labels are to have.
        metrics: resolved metric YAMLs by name.
    """
    labels = runs.drop_duplicates("label").set_index("label")[["emulator", "training"]]
    worst = scores["metric"].map({name: worst_value(name, config) for name, config in metrics.items()})
    frame = scores.assign(lost=scores["value"].isna(), value=scores["value"].fillna(worst))
    frame = with_clusters(frame, None).merge(runs[["run_id", "label", "seed"]], on="run_id")
    groups = {key: group for key, group in frame.groupby(["suite", "metric", "horizon"], sort=True)}
    cells = {
        (*key, label): _cell(group[group["label"] == label])
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


def paired_differences(
    frames: Mapping[str, pd.DataFrame], suite: str, metric: str, label: str, peer: str, horizon: int | None = None
) -> tuple[np.ndarray, Layout]:
    """Scores of label minus those of peer on the same windows, as in :func:`comparisons`.

    Args:
        frames: ``scores``, ``runs``, ``metrics`` (``metric``, ``worst``), and ``clusters`` unless datasets are systems.
        suite, metric, label, peer: names.
        horizon: in samples, the longest by default.

    Returns:
        [D, W, K], NaN where there is no pair, and its nesting.

    Raises:
        ConfigError: one of the two has no such scores, or they share no system.
    """
    scores = frames["scores"]
    scores = scores[(scores["suite"] == suite) & (scores["metric"] == metric)]
    scores = scores[scores["horizon"] == (scores["horizon"].max() if horizon is None else horizon)]
    worst = frames["metrics"].set_index("metric")["worst"].get(metric, np.nan)
    scores = scores.assign(lost=scores["value"].isna(), value=scores["value"].fillna(worst))
    scores = with_clusters(scores, frames.get("clusters"))
    scores = scores.merge(frames["runs"][["run_id", "label", "seed"]], on="run_id")
    for name in (label, peer):
        if name not in set(scores["label"]):
            raise ConfigError(f"claims: {unknown('label with such scores', name, set(scores['label']))}")
    a, b = _common(*(_cell(scores[scores["label"] == name]) for name in (label, peer)))
    if not a.clusters:
        raise ConfigError(f"claims: '{label}' and '{peer}' have no scores of {metric} on the same system")
    return _difference(a, b)


def _cell(frame: pd.DataFrame) -> _Cell:
    frame = frame.sort_values(["cluster", "trajectory_id", "window", "seed", "run_id"])
    clusters = sorted(frame["cluster"].unique())
    d = pd.Categorical(frame["cluster"], categories=clusters).codes
    place = frame["trajectory_id"] + "\0" + frame["window"].astype(str).str.zfill(9)
    w = place.groupby(frame["cluster"]).transform(lambda x: pd.factorize(x)[0])
    order = frame["seed"].astype(str).str.zfill(9) + frame["run_id"]
    k = order.groupby(frame["cluster"]).transform(lambda x: pd.factorize(x, sort=True)[0])
    values = np.full((len(clusters), int(w.max()) + 1, int(k.max()) + 1), np.nan)
    values[d, w.to_numpy(int), k.to_numpy(int)] = frame["value"]
    per_cluster = frame.groupby("cluster", sort=True)["run_id"].nunique()
    layout = Layout(
        windows=tuple(int(n) + 1 for n in w.groupby(frame["cluster"]).max()),
        seeds=tuple(int(n) for n in per_cluster),
        crossed=bool(len(clusters) > 1 and frame["run_id"].nunique() < per_cluster.sum()),
    )
    at = frame["diverged_at"].fillna(2**30).astype(np.int64)
    return _Cell(values, clusters, layout, int((frame["lost"] | (at < frame["horizon"])).sum()))


def _alone(suite: str, metric: str, horizon: int, label: str, cell: _Cell) -> dict[str, Any]:
    present = cell.values[~np.isnan(cell.values)]
    return {
        "suite": suite,
        "metric": metric,
        "horizon": horizon,
        "label": label,
        "peer": None,
        "n_datasets": len(cell.clusters),
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
            if not a.clusters:
                continue
            d, layout = _difference(a, b)
            there = _alone(*key, label, _Cell(d, a.clusters, layout, a.diverged)) | {"peer": peer}
            back = there | {"label": peer, "peer": label, "diverged": b.diverged, "_values": 0 - d}
            better = superiority(d, higher)
            rows.append(there | {"superiority": better})
            rows.append(back | {"median": 0 - there["median"], "mean": 0 - there["mean"], "superiority": 1 - better})
            p_values.append(wilcoxon_over_systems(d))
    for row, p in zip(rows, np.repeat(holm(np.array(p_values)), 2), strict=True):
        row["p_value"] = float(p)
    return rows


def _difference(a: _Cell, b: _Cell) -> tuple[np.ndarray, Layout]:
    """a - b on the same systems, [D, W, K], and its nesting."""
    layout = Layout(
        windows=a.layout.windows,
        seeds=tuple(max(x, y) for x, y in zip(a.layout.seeds, b.layout.seeds, strict=True)),
        crossed=any(c.layout.crossed and max(c.layout.seeds) > 1 for c in (a, b)),
    )
    return np.where(layout.present, difference(a.values, b.values), np.nan), layout


def _common(a: _Cell, b: _Cell) -> tuple[_Cell, _Cell]:
    """Both on the systems that both were scored on (their windows are those of the suite)."""
    there = set(b.clusters)
    shared = [c for c in a.clusters if c in there]
    return _on(a, shared), _on(b, shared)


def _on(cell: _Cell, clusters: list[str]) -> _Cell:
    if clusters == cell.clusters:
        return cell
    place = {c: i for i, c in enumerate(cell.clusters)}
    rows = [place[c] for c in clusters]
    layout = Layout(
        tuple(cell.layout.windows[i] for i in rows), tuple(cell.layout.seeds[i] for i in rows), cell.layout.crossed
    )
    return _Cell(cell.values[rows], clusters, layout, cell.diverged)


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
