"""Tables: numbers in the CSV, the same numbers readable in Markdown and LaTeX."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.paper.table_job import build_table, escape, latex, make_table, markdown
from strangecast.paper.tables.columns import Column, duration, estimate, fixed, number, setting, with_columns
from tests.unit.paper.conftest import CASES


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["leaderboard", "per_system"])
def test_every_table_is_written_in_three_formats(studies, case, name):
    study = studies(case)
    make_table(study.plan, study.root, name)
    folder = study.root / study.name / "tables"
    csv = pd.read_csv(folder / f"{name}.csv")
    md, tex = ((folder / f"{name}.{suffix}").read_text(encoding="utf-8") for suffix in ("md", "tex"))
    assert sum(line.startswith("|") for line in md.splitlines()) == len(csv) + 2
    assert tex.count("\\\\\n") == len(csv) + 1
    bodies = [line for line in tex.splitlines() if line.endswith("\\\\")]
    assert len({line.replace("\\&", "").count("&") for line in bodies}) == 1
    for rule in ("\\toprule", "\\midrule", "\\bottomrule"):
        assert tex.count(rule) == 1
    before = (folder / f"{name}.csv").read_bytes()
    make_table(study.plan, study.root, name)
    assert (folder / f"{name}.csv").read_bytes() == before


def test_the_leaderboard_says_what_the_comparisons_say(studies):
    study = studies("plain")
    board = build_table(study.plan, study.root, "leaderboard")[1].set_index("label")
    table = study.frames()["comparisons"]
    table = table[table["peer"].isna() & (table["metric"] == "nrmse") & (table["horizon"] == 64)].set_index("label")
    pd.testing.assert_series_equal(board["nrmse_high"], table["high"].reindex(board.index), check_names=False)
    assert board["valid_prediction_time"].is_monotonic_decreasing
    assert math.isnan(board.loc["Persistence", "train_seconds"])
    assert board.loc["MLP, 1-step", ["runs", "lost_runs", "diverged", "forecasts"]].tolist() == [6, 0, 0, 24]


def test_a_lost_run_and_lost_forecasts_are_counted(studies):
    study = studies("lost")
    board = build_table(study.plan, study.root, "leaderboard")[1].set_index("label")
    # Of 6 runs with 4 windows one is lost whole; of the other 5, one window each diverges.
    scores = study.scores[study.scores["run_id"].str.startswith("MLP, 4-step")]
    gone = scores.assign(gone=scores["diverged_at"].notna())
    windows = gone.groupby(["run_id", "dataset", "trajectory_id", "window"])["gone"].any()
    assert board.loc["MLP, 4-step", "diverged"] == (5 + 4) / 24 == windows.mean()
    assert board.loc["MLP, 4-step", "lost_runs"] == 1
    assert board.loc["MLP, 1-step", "diverged"] == 0


def test_per_system_medians(studies):
    study = studies("plain")
    table = build_table(study.plan, study.root, "per_system")[1].set_index("dataset")
    scores = study.scores[
        (study.scores["metric"] == "valid_prediction_time") & (study.scores["dataset"] == "chaos-Lorenz")
    ]
    own = scores[scores["run_id"].str.startswith("MLP, 1-step")]["value"]
    assert table.loc["chaos-Lorenz", "MLP, 1-step"] == own.median()
    assert table.loc["chaos-Lorenz", "windows"] == 4


def test_tables_refuse_what_they_do_not_know(studies, tmp_path):
    study = studies("plain")
    with pytest.raises(ConfigError, match="did you mean 'leaderboard'"):
        make_table(study.plan, study.root, "leaderbord")
    with pytest.raises(ResultsError, match="does not exist"):
        make_table(study.plan, tmp_path, "leaderboard")
    for change, message in (
        ({"metrics": ["msee"]}, "'msee'"),
        ({"sort": "x"}, "unexpected keyword argument 'sort'"),
        ({"_target_": "strangecast.paper.tables.board.build"}, "cannot be imported"),
        ({"suite": "fields"}, "no suite with results 'fields'"),
    ):
        plan = study.plan | {"tables": {"leaderboard": study.plan["tables"]["leaderboard"] | change}}
        with pytest.raises((ConfigError, ResultsError), match=message):
            make_table(plan, study.root, "leaderboard")


def test_latex_is_escaped():
    assert escape("50 % & $x_1$ #2 {a}~b^c\\d <e>") == (
        r"50 \% \& \$x\_1\$ \#2 \{a\}\textasciitilde{}b\textasciicircum{}c\textbackslash{}d \textless{}e\textgreater{}"
    )
    assert escape("−1.5×10⁻⁵ ∞ –") == r"$-$1.5$\times$10$^{-5}$ $\infty$ --"
    frame = with_columns(
        pd.DataFrame({"a": ["x|y_z"], "b": [0.5]}), [Column("A&B", "a", kind="text"), Column("c", "b")]
    )
    assert "x\\|y_z" in markdown(frame, "T", "C")
    assert "A\\&B & c" in latex(frame, "100 %", "tab:x")
    assert "\\caption{100 \\%}" in latex(frame, "100 %", "tab:x")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((1.2345, 1.10, 1.41), "1.23 [1.10, 1.41]"),
        ((2.4576, 1.97908, 3.03352), "2.46 [1.98, 3.03]"),
        ((23.5, 12.2683, 27.6426), "23.5 [12.3, 27.6]"),
        ((123.4, 100.2, 177.7), "123 [100, 178]"),
        ((99.99999999999991, 99.9999999999999, 100.0000000000001), "100 [100, 100]"),
        ((0.0, 0.0, 0.0), "0 [0, 0]"),
        ((0.0010, 0.0004, 0.033), "0.0010 [0.0004, 0.0330]"),
        ((1.18e-5, 1e-6, 6.87e-5), "1.18×10⁻⁵ [1.00×10⁻⁶, 6.87×10⁻⁵]"),
        ((10.5, 4.5, math.inf), "10.5 [4.5, ∞]"),
        ((-0.04, -0.56, 1.34), "−0.040 [−0.560, 1.340]"),
        ((math.inf, math.inf, math.inf), "∞ [∞, ∞]"),
        ((1.5, None, None), "1.50"),
        ((float("nan"), 0.0, 1.0), "–"),
    ],
)
def test_digits_follow_the_interval(given, text):
    assert estimate(*given) == text


def test_single_numbers():
    assert [number(x) for x in (4547, 12345, 0.5, 12.34, 0, -1.5, None)] == [
        "4547",
        "12\u2009345",
        "0.500",
        "12.3",
        "0",
        "−1.50",
        "–",
    ]
    assert [setting(x) for x in (1e-9, 0.4, 20000, 0.003, 1e6)] == ["10⁻⁹", "0.4", "20\u2009000", "0.003", "10⁶"]
    assert fixed(-0.001, 2) == "0.00"
    assert [duration(x) for x in (12.3, 600.0, 7200.0, float("nan"))] == ["12.3\u00a0s", "10\u00a0min", "2\u00a0h", "–"]
