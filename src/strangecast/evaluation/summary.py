"""What stands on top of the results: all claims, and a leaderboard of every suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core.atomic import write_text
from strangecast.core.schemas import CLAIMS, COMPARISONS
from strangecast.evaluation.frames import read_frame
from strangecast.evaluation.metric_option import higher_is_better

CLAIMS_FILE, LEADERBOARD_FILE = "claims.csv", "leaderboard.csv"
FIRST = "valid_prediction_time"


def write_summaries(plans: list[dict[str, Any]], root: Path) -> None:
    """Write ``claims.csv`` and ``leaderboard.csv``.

    Args:
        plans: study plans.
        root: ``results/<scale>``.

    Raises:
        ResultsError: comparisons or claims of a study are missing or damaged.
    """
    write_text(root / CLAIMS_FILE, claims_text(plans, root))
    write_text(root / LEADERBOARD_FILE, leaderboard_text(plans, root))


def claims_text(plans: list[dict[str, Any]], root: Path) -> str:
    """All claims of all studies as CSV."""
    parts = [read_frame(root / p["name"] / "claims.parquet", CLAIMS) for p in plans]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=CLAIMS.names)
    return frame.to_csv(index=False, lineterminator="\n", float_format="%.6g")


def leaderboard_text(plans: list[dict[str, Any]], root: Path) -> str:
    """The leaderboard as CSV: one row per suite and label, best first."""
    parts = [leaderboard(p, _comparisons(p, root)) for p in plans]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["suite", "study", "rank", "label"])
    frame = frame.sort_values(["suite", "study", "rank"], kind="stable")
    return frame.to_csv(index=False, lineterminator="\n", float_format="%.6g")


def leaderboard(plan: dict[str, Any], comparisons: pd.DataFrame) -> pd.DataFrame:
    """Labels of a study on each of its suites, ranked by their median at the longest horizon.

    The valid prediction time ranks, where it is defined, and then the study's other metrics in turn; labels with equal
    medians share a rank only if they agree in all of them.

    Args:
        plan: study plan.
        comparisons: columns of ``schemas.COMPARISONS``.

    Returns:
        ``suite, study, rank, label, emulator, training, n_datasets, n_windows, n_seeds`` and, per metric,
        ``<metric>, <metric>_low, <metric>_high, <metric>_diverged``.
    """
    alone = comparisons[comparisons["peer"].isna()]
    metrics = sorted(plan["metrics"], key=lambda m: m != FIRST)
    boards = []
    for _, part in alone.groupby("suite", sort=True):
        board = part.drop_duplicates("label")[
            ["suite", "label", "emulator", "training", "n_datasets", "n_windows", "n_seeds"]
        ]
        keys = []
        for metric in metrics:
            own = part[part["metric"] == metric]
            own = own[own["horizon"] == own["horizon"].max()].set_index("label")
            for column, name in (("median", ""), ("low", "_low"), ("high", "_high"), ("diverged", "_diverged")):
                board[metric + name] = board["label"].map(own[column])
            key = f"key {metric}"
            board[key] = -board[metric] if higher_is_better(metric, plan["metrics"][metric]) else board[metric]
            keys.append(key)
        board = board.sort_values(keys, kind="stable", na_position="last", ignore_index=True)
        board.insert(1, "study", plan["name"])
        same = (board[keys].shift().fillna(-1e308) == board[keys].fillna(-1e308)).all(axis=1)
        board.insert(2, "rank", pd.Series(range(1, len(board) + 1)).where(~same).ffill().astype(int))
        boards.append(board.drop(columns=keys))
    return pd.concat(boards, ignore_index=True) if boards else pd.DataFrame(columns=["suite", "study", "rank", "label"])


def _comparisons(plan: dict[str, Any], root: Path) -> pd.DataFrame:
    return read_frame(root / plan["name"] / "comparisons.parquet", COMPARISONS)
