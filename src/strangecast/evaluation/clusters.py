"""Which scores count as one draw of nature: those on one system of one dataset.

Statistics draw systems with replacement and test over systems, however many of them a dataset holds. A cluster has the
name of its dataset where a suite takes one system of it, else the names of both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core.errors import ResultsError
from strangecast.core.tables import read_parquet

_WHERE = ["suite", "dataset", "trajectory_id"]


def clusters_of(plan: dict[str, Any], root: Path) -> pd.DataFrame:
    """The cluster of every trajectory of a study's suites: columns ``suite, dataset, trajectory_id, cluster``.

    Args:
        plan: study plan.
        root: ``results/<scale>``.

    Raises:
        ResultsError: windows are missing or damaged.
    """
    parts = [pd.DataFrame(columns=[*_WHERE, "cluster"], dtype=object)]
    for suite, about in plan["suites"].items():
        table = read_parquet(root / about["folder"] / "windows.parquet", columns=["dataset", "system", "trajectory_id"])
        frame = table.to_pandas().astype(object).drop_duplicates(ignore_index=True)
        systems = frame["dataset"].map(frame.groupby("dataset")["system"].nunique())
        both = frame["dataset"] + "/" + frame["system"]
        frame = frame.assign(suite=suite, cluster=frame["dataset"].where(systems < 2, both))
        parts.append(frame[parts[0].columns])
    return pd.concat(parts, ignore_index=True)


def with_clusters(scores: pd.DataFrame, clusters: pd.DataFrame | None) -> pd.DataFrame:
    """Scores with a column ``cluster``.

    Args:
        scores: columns ``suite, dataset, trajectory_id``; a column ``cluster`` that is there is kept.
        clusters: of :func:`clusters_of`; None where every dataset is one system.

    Raises:
        ResultsError: scores of trajectories that no window of their suite shows.
    """
    if "cluster" in scores:
        return scores
    if clusters is None:
        return scores.assign(cluster=scores["dataset"])
    found = scores.merge(clusters, on=_WHERE, how="left", validate="many_to_one").set_index(scores.index)
    if found["cluster"].isna().any():
        lost = found[found["cluster"].isna()].iloc[0]
        raise ResultsError(
            f"suite '{lost['suite']}' has no window of {lost['trajectory_id']}, of which there are scores; run the rules "
            "forecast and score again"
        )
    return found
