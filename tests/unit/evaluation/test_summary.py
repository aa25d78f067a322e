"""The CSV files on top of the results."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from strangecast.evaluation.summary import leaderboard, leaderboard_text


def rows(suite="s", **medians):
    """Comparison rows of labels with (valid prediction time, smape)."""
    made = []
    for label, (vpt, smape) in medians.items():
        for metric, horizon, value in (("valid_prediction_time", 24, vpt), ("smape", 8, 1.0), ("smape", 24, smape)):
            if value is not None:
                made.append(
                    {
                        "suite": suite, "metric": metric, "horizon": horizon, "label": label, "emulator": "e",
                        "training": "t", "peer": None, "n_datasets": 2, "n_windows": 8, "n_seeds": 1, "median": value,
                        "low": value - 1, "high": value + 1, "diverged": 0,
                    }
                )  # fmt: skip
    return pd.DataFrame(made)


PLAN = {"name": "study", "metrics": {"smape": {"better": "lower"}, "valid_prediction_time": {"better": "higher"}}}


def test_ranks_by_valid_prediction_time_then_by_the_next_metric():
    board = leaderboard(PLAN, rows(a=(1.0, 50.0), b=(2.0, 70.0), c=(1.0, 40.0), d=(1.0, 50.0)))
    assert board["label"].tolist() == ["b", "c", "a", "d"]
    assert board["rank"].tolist() == [1, 2, 3, 3]
    assert board.loc[1, ["valid_prediction_time", "valid_prediction_time_low", "smape"]].tolist() == [1.0, 0.0, 40.0]


def test_labels_without_a_valid_prediction_time_come_last():
    board = leaderboard(PLAN, rows(a=(None, 10.0), b=(0.1, 70.0), c=(None, 5.0)))
    assert board["label"].tolist() == ["b", "c", "a"]
    assert board["rank"].tolist() == [1, 2, 3]


def test_suites_are_ranked_apart():
    both = pd.concat([rows("s", a=(1.0, 1.0), b=(2.0, 1.0)), rows("t", a=(3.0, 1.0), b=(2.0, 1.0))])
    board = leaderboard(PLAN, both)
    assert board.groupby("suite")["label"].first().to_dict() == {"s": "b", "t": "a"}


def test_files_on_top(built):
    board = pd.read_csv(built.root / "leaderboard.csv")
    assert board["label"].tolist()[0] == "Ridge"
    assert board["rank"].tolist() == sorted(board["rank"])
    assert (board["valid_prediction_time_low"] <= board["valid_prediction_time"]).all()
    assert board.set_index("label").loc["Climatology", "smape"] == pytest.approx(100)
    claims = pd.read_csv(built.root / "claims.csv")
    assert claims["claim"].tolist() == ["ridge_beats_persistence", "oceans"]
    empty = pd.read_csv(io.StringIO(leaderboard_text([], built.root)))
    assert list(empty) == ["suite", "study", "rank", "label"]
