"""Every label on one suite: how good, how often lost, how large, how dear."""

from __future__ import annotations

import pandas as pd

from strangecast.paper.frames import metric_words, need, one_suite
from strangecast.paper.tables.columns import Column, with_columns

WHAT = "table leaderboard"


def build(
    frames: dict[str, pd.DataFrame],
    *,
    metrics: list[str] | None = None,
    rank_by: str = "valid_prediction_time",
    suite: str | None = None,
) -> pd.DataFrame:
    """One row per label, best first: medians with intervals at the longest horizon, and what the label costs.

    Args:
        frames: ``comparisons``, ``runs``, ``scores``.
        metrics: metrics shown; by default ``rank_by``, ``smape`` and ``nrmse`` as far as they were scored, or all if
            none of them was.
        rank_by: metric that ranks (the first of those shown, where it was not scored).
        suite: the first by default.

    Returns:
        ``label, emulator, training``; per metric ``<metric>, <metric>_low, <metric>_high``; ``forecasts``, the share
        ``diverged`` of them, ``parameters`` and ``train_seconds`` of a run (medians), ``runs`` and ``lost_runs``.

    Raises:
        ResultsError: a table is missing or a metric was not scored.
    """
    table = need(frames, "comparisons", ["suite", "metric", "horizon", "label", "peer", "median", "low", "high"], WHAT)
    runs = need(frames, "runs", ["run_id", "label", "status", "n_parameters", "train_seconds"], WHAT)
    scores = need(frames, "scores", ["run_id", "suite", "dataset", "trajectory_id", "window", "diverged_at"], WHAT)
    alone = one_suite(table[table["peer"].isna()], suite, WHAT)
    scored = list(dict.fromkeys(alone["metric"]))
    shown = list(metrics or [m for m in (rank_by, "smape", "nrmse") if m in scored] or scored)
    for metric in shown:
        need({"comparisons": alone[alone["metric"] == metric]}, "comparisons", [], f"{WHAT}, metric '{metric}'")
    board = alone.drop_duplicates("label")[["label", "emulator", "training"]].reset_index(drop=True)
    for metric in shown:
        own = alone[alone["metric"] == metric]
        own = own[own["horizon"] == own["horizon"].max()].set_index("label")
        for column, name in (("median", ""), ("low", "_low"), ("high", "_high")):
            board[metric + name] = board["label"].map(own[column]).astype(float)
    board = board.merge(_diverged(one_suite(scores, suite, WHAT), runs), on="label", how="left")
    board = board.merge(_costs(runs), on="label", how="left")
    key = rank_by if rank_by in shown else shown[0]
    higher = metric_words(frames, key)[2]
    board = board.sort_values(key, ascending=not higher, kind="stable", na_position="last", ignore_index=True)
    return with_columns(board, _columns(frames, shown))


def _columns(frames: dict[str, pd.DataFrame], shown: list[str]) -> list[Column]:
    columns = [Column("Emulator", "label", kind="text")]
    for metric in shown:
        title, unit, _ = metric_words(frames, metric)
        heading = f"{title} ({unit})" if unit else title
        columns.append(Column(heading, metric, f"{metric}_low", f"{metric}_high"))
    return [
        *columns,
        Column("Diverged", "diverged", kind="share"),
        Column("Parameters", "parameters", kind="count"),
        Column("Training per run", "train_seconds", kind="seconds"),
    ]


def _diverged(scores: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Number of forecasts and share of them that diverged."""
    each = scores.drop_duplicates(["run_id", "dataset", "trajectory_id", "window"])
    each = each[["run_id"]].assign(
        gone=scores["diverged_at"].notna().groupby([scores[c] for c in ("run_id", "dataset", "trajectory_id", "window")])
        .transform("any").loc[each.index]
    )  # fmt: skip
    found = each.merge(runs[["run_id", "label"]], on="run_id").groupby("label")["gone"].agg(["size", "mean"])
    return found.rename(columns={"size": "forecasts", "mean": "diverged"}).reset_index()


def _costs(runs: pd.DataFrame) -> pd.DataFrame:
    groups = runs.groupby("label", sort=False)
    table = groups.agg(
        parameters=("n_parameters", "median"), train_seconds=("train_seconds", "median"), runs=("run_id", "size")
    )
    table["lost_runs"] = groups["status"].agg(lambda s: int((s != "done").sum()))
    # Nothing was trained: no cost to print, rather than a cost of nothing.
    table.loc[table["parameters"] == 0, "train_seconds"] = float("nan")
    return table.reset_index()
