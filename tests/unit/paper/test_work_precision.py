"""The work-precision diagram says what the benchmark's table says."""

from __future__ import annotations

import csv
from dataclasses import asdict, fields

import numpy as np
import pandas as pd
import pytest

from benchmarks.table import Row, row
from strangecast.cli.main import main
from strangecast.core.errors import ResultsError
from strangecast.paper.benchmark_job import draw_work_precision
from strangecast.paper.figures.work_precision import NAME, draw
from strangecast.paper.style import MARKERS, TRUTH, figure_style


def rows() -> list[Row]:
    found = []
    for case, peer, time, error in (("panda", "dysts Radau", 4000.0, 1e-12), ("dop853", "scipy DOP853", 240.0, 1e-10)):
        more = {"error_ours": error / 2, "error_theirs": error}
        found += [row(case, peer, 0.2, time, "ms", **more), row(f"{case}/Lorenz", peer, 0.1, time, "ms", **more)]
        found.append(row(f"{case}/Rossler", peer, 0.4, time, "ms", **more))
    found.append(row("skew", "dysts SkewProduct", 2.0, 1300.0, "ms"))  # without errors
    found.append(row("compile_first", "numba", 3.0, 0.5, "s", error_ours=1e-9, error_theirs=1e-9))
    return found


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "integrate.csv"
    with open(file, "w", newline="") as f:
        writer = csv.DictWriter(f, [c.name for c in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(r) for r in rows())
    return file


def test_points_and_ratios_are_those_of_the_table(table):
    figure = draw({NAME: pd.read_csv(table)})
    axis = figure.axes[0]
    names = [t.get_text() for t in figure.legends[0].get_texts()]
    assert names == ["dysts Radau: 20\u2009000×", "scipy DOP853: 1\u2009200×", "strangecast"]
    ours = [
        line
        for line in axis.lines
        if line.get_marker() == MARKERS[0] and line.get_color() == TRUTH and len(line.get_xdata())
    ]
    assert [(float(p.get_xdata()[0]), float(p.get_ydata()[0])) for p in ours] == [(0.2, 5e-13), (0.2, 5e-11)]
    pairs = [line.get_xdata() for line in axis.lines if len(line.get_xdata()) == 2 and line.get_marker() == "None"]
    assert sorted(float(p[0]) for p in pairs) == [0.1, 0.1, 0.2, 0.2, 0.4, 0.4]
    assert np.isfinite(figure.get_tightbbox().bounds).all()


def test_it_stays_on_its_page(table):
    figure = draw({NAME: pd.read_csv(table)})
    with figure_style() as plt:
        figure.canvas.draw()
        inked = figure.get_tightbbox()
        assert inked.x0 > -0.02
        assert inked.x1 < figure.get_figwidth() + 0.02
        plt.close(figure)


def test_equal_tables_give_equal_bytes(table, tmp_path):
    for name in ("a", "b"):
        draw_work_precision(table, tmp_path / name)
    for suffix in (".pdf", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_without_errors_it_says_so():
    frame = pd.DataFrame([asdict(r) for r in rows()[-2:]])
    figure = draw({NAME: frame})
    assert "No row of the benchmark" in figure.axes[0].texts[0].get_text().replace("\n", " ")


def test_what_is_missing_is_named(table, tmp_path, capsys):
    with pytest.raises(ResultsError, match=r"nowhere\.csv does not exist"):
        draw_work_precision(tmp_path / "nowhere.csv", tmp_path / "a")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(ResultsError, match="no benchmark's table"):
        draw_work_precision(empty, tmp_path / "a")
    empty.write_text("case,peer\nx,y\n")
    with pytest.raises(ResultsError, match="columns"):
        draw_work_precision(empty, tmp_path / "a")
    assert main(["work-precision", str(empty), "--out", str(tmp_path / "a.pdf")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert main(["work-precision", str(table), "--out", str(tmp_path / "c.pdf")]) == 0
    assert (tmp_path / "c.png").exists()
