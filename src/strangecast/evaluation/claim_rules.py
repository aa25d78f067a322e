"""What a claim is judged by: functions from a study's tables to a value and its interval.

A claim names one under ``compute: {_target_: strangecast.evaluation.claim_rules.<function>, ...}``. Each takes the
tables (``runs``, ``scores``, ``comparisons``, ``metrics``, ``clusters``, ``analysis/<name>``) and returns (value, low,
high).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.proportions import wilson

if TYPE_CHECKING:
    import pandas as pd

    Frames = Mapping[str, pd.DataFrame]

Judged = tuple[float, float, float]


def median_of(frames: Frames, *, suite: str, metric: str, label: str, horizon: int | None = None) -> Judged:
    """Median of a label and its bootstrap interval, at the longest horizon unless one is named."""
    table = frames["comparisons"]
    row = _row(table[table["peer"].isna()], suite, metric, horizon, label=label)
    return float(row["median"]), float(row["low"]), float(row["high"])


def paired_difference(
    frames: Frames, *, suite: str, metric: str, label: str, peer: str, horizon: int | None = None
) -> Judged:
    """Median of label minus peer, window by window, and its bootstrap interval."""
    row = _row(frames["comparisons"], suite, metric, horizon, label=label, peer=peer)
    return float(row["median"]), float(row["low"]), float(row["high"])


def mean_paired_difference(
    frames: Frames, *, suite: str, metric: str, label: str, peer: str, horizon: int | None = None
) -> Judged:
    """Mean of label minus peer, window by window, and its bootstrap interval.

    For scores that are censored: where both labels reach the horizon on most windows they tie there, and the median
    difference is 0 whatever they do on the others. An unbounded metric with divergence has no finite mean.
    """
    from strangecast.evaluation.bootstrap import interval_of_mean
    from strangecast.evaluation.compare import paired_differences

    values, layout = paired_differences(frames, suite, metric, label, peer, horizon)
    low, high = interval_of_mean(values, layout, suite)
    return float(values[layout.present].mean()), low, high


def fraction_of_datasets(
    frames: Frames, *, suite: str, metric: str, label: str, peer: str, horizon: int | None = None
) -> Judged:
    """Fraction of datasets on which the label's median score is better than its peer's (ties count half).

    A dataset of many systems counts as many, one for each. The interval is Wilson's for a proportion (JASA 22, 209, 1927), 95 %.
    """
    from strangecast.evaluation.clusters import with_clusters

    scores = frames["scores"].merge(frames["runs"][["run_id", "label"]], on="run_id")
    scores = scores[(scores["suite"] == suite) & (scores["metric"] == metric)]
    scores = with_clusters(scores, frames.get("clusters"))
    horizon = scores["horizon"].max() if horizon is None else horizon
    better = frames["metrics"].set_index("metric")["better"].get(metric, "lower")
    worst = -np.inf if better == "higher" else np.inf
    scores = scores[scores["horizon"] == horizon].assign(value=lambda f: f["value"].fillna(worst))
    medians = scores.groupby(["label", "cluster"], observed=True)["value"].median().unstack("cluster")
    for name in (label, peer):
        if name not in medians.index:
            raise ConfigError(unknown("label with such scores", name, map(str, medians.index)))
    a, b = medians.loc[label], medians.loc[peer]
    both = a.notna() & b.notna()
    wins = (a > b if better == "higher" else a < b) + 0.5 * (a == b)
    return wilson(float(wins[both].sum()), int(both.sum()))


def superiority_over(
    frames: Frames, *, suite: str, metric: str, label: str, peer: str, horizon: int | None = None
) -> Judged:
    """Probability that the label is better than its peer on a window; Wilson's interval with systems as trials."""
    row = _row(frames["comparisons"], suite, metric, horizon, label=label, peer=peer)
    return wilson(float(row["superiority"]) * int(row["n_datasets"]), int(row["n_datasets"]))


def analysis_value(
    frames: Frames, *, analysis: str, where: dict[str, Any], value: str, low: str | None = None, high: str | None = None
) -> Judged:
    """One cell of an analysis table, and the cells of its interval (the value itself where none are named).

    Args:
        analysis: name of the analysis.
        where: values of columns that single out one row.
        value, low, high: columns.
    """
    table = frames[f"analysis/{analysis}"]
    for column, wanted in where.items():
        table = table[table[column] == wanted]
    if len(table) != 1:
        raise ConfigError(f"{len(table)} rows of analysis '{analysis}' have {where}, a claim needs one")
    row = table.iloc[0]
    return float(row[value]), float(row[low or value]), float(row[high or value])


def difference_of_values(
    frames: Frames, *, analysis: str, where: dict[str, Any], minus: dict[str, Any], value: str, low: str, high: str
) -> Judged:
    """Difference of two cells of an analysis table that are estimated from different samples.

    The interval is made of theirs as the hybrid score interval for a difference of proportions is made of Wilson's
    (Newcombe, Statistics in Medicine 17, 873, 1998).

    Args:
        analysis: name of the analysis.
        where, minus: values of columns that single out the first row and the row that is subtracted.
        value, low, high: columns.
    """
    a, a_low, a_high = analysis_value(frames, analysis=analysis, where=where, value=value, low=low, high=high)
    b, b_low, b_high = analysis_value(frames, analysis=analysis, where=minus, value=value, low=low, high=high)
    return a - b, a - b - float(np.hypot(a - a_low, b_high - b)), a - b + float(np.hypot(a_high - a, b - b_low))


def _row(table: pd.DataFrame, suite: str, metric: str, horizon: int | None, **named: str) -> pd.Series:
    for column, wanted in {"suite": suite, "metric": metric, **named}.items():
        found = table[table[column] == wanted]
        if found.empty:
            raise ConfigError(f"claims: {unknown(column, wanted, sorted({str(v) for v in table[column].dropna()}))}")
        table = found
    horizon = table["horizon"].max() if horizon is None else horizon
    chosen = table[table["horizon"] == horizon]
    if chosen.empty:
        raise ConfigError(f"claims: {unknown('horizon', str(horizon), sorted({str(h) for h in table['horizon']}))}")
    return chosen.iloc[0]
