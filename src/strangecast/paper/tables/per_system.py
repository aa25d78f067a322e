"""Every label on every system: medians of one metric."""

from __future__ import annotations

import pandas as pd

from strangecast.paper.frames import labelled_scores, ordered_labels
from strangecast.paper.tables.columns import Column, with_columns

WHAT = "table per_system"


def build(
    frames: dict[str, pd.DataFrame], *, metric: str = "valid_prediction_time", suite: str | None = None
) -> pd.DataFrame:
    """One row per system: how long its horizon is, and each label's median over windows and seeds with its quartiles.

    Args:
        frames: ``scores``, ``runs`` and, for names of systems, ``windows``.
        metric: metric shown, at its longest horizon.
        suite: the first by default.

    Returns:
        ``system, dataset, windows, horizon_lyapunov``; per label ``<label>, <label> q25, <label> q75``.

    Raises:
        ResultsError: a table is missing or the metric is none of the study's.
    """
    scores = labelled_scores(frames, metric, WHAT, suite=suite)
    labels = ordered_labels(frames, scores["label"])
    table = scores.groupby(["system", "dataset"], as_index=False).agg(horizon_lyapunov=("horizon_lyapunov", "median"))
    windows = scores[["dataset", "trajectory_id", "window"]].drop_duplicates().groupby("dataset").size()
    table.insert(2, "windows", table["dataset"].map(windows))
    columns = [
        Column("System", "system", kind="text"),
        Column("Windows", "windows", kind="count"),
        Column("Horizon (Lyapunov times)", "horizon_lyapunov"),
    ]
    values = scores.groupby(["dataset", "label"])["value"]
    for label in labels:
        for share, name in ((0.5, ""), (0.25, " q25"), (0.75, " q75")):
            own = values.quantile(share, interpolation="nearest" if share != 0.5 else "linear").unstack("label")
            table[label + name] = table["dataset"].map(own[label])
        columns.append(Column(label, label))
    return with_columns(table, columns)
