"""The page on exponents, and its verb."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from strangecast.cli.main import main
from strangecast.core.schemas import LYAPUNOV
from strangecast.core.tables import read_parquet, write_parquet
from strangecast.paper.tables import lyapunov as page_of
from strangecast.paper.tables.lyapunov_remarks import REMARKS
from strangecast.systems import catalogue


def row(**changes):
    found = {
        "system": "Lorenz", "kind": "flow", "dim": 3, "period": 0.65, "method": "tangent", "initial_conditions": 4,
        "time": 650.0, "exponents": [0.9051, 0.0004, -14.57], "errors": [0.0031, 0.001, 0.003],
        "each": [0.9, 0.91, 0.9, 0.91], "neutral": 4, "chaotic": 4, "dimension": 2.0622, "dimension_error": 0.0002, "divergence": -13.6645,
        "early": 0.9, "early_error": 0.01, "pair": 0.91, "pair_error": 0.004, "shipped": 0.45, "verdict": "chaotic",
    }  # fmt: skip
    return found | changes


def test_numbers_show_two_digits_of_their_errors():
    assert page_of.measured(0.90512, 0.0031) == "0.9051 ± 0.0031"
    assert page_of.measured(-5103.4, 5.9) == "−5103.4 ± 5.9"
    assert page_of.measured(12.34, 25.0) == "12 ± 25"
    assert page_of.measured(None, None) == page_of.measured(math.nan, math.nan) == "–"
    assert page_of.measured(-math.inf, 0.0) == "−∞"


def test_agreement_is_by_tenths_or_by_errors():
    assert page_of.agree(row(pair=0.98))
    assert not page_of.agree(row(pair=1.01))
    assert page_of.agree(row(pair=1.01, pair_error=0.04))
    assert not page_of.agree(row(pair=None))


def test_checks_of_a_row():
    assert page_of.has_neutral(row())
    assert not page_of.has_neutral(row(neutral=3))
    assert page_of.mismatch(row()) == pytest.approx(abs(-13.6645 + 13.6645), abs=1e-4)
    assert page_of.mismatch(row(divergence=-13.0)) > 0.04
    assert page_of.mismatch(row(divergence=None)) is None
    assert page_of.mismatch(row(exponents=[0.0, -0.1, -math.inf])) is None
    assert page_of.ratio(row()) == pytest.approx(0.45 / 0.9051)
    assert page_of.ratio(row(verdict="neutral")) is None


def test_the_page_says_what_the_rows_say():
    odd = row(system="Odd", exponents=[0.5, 0.1, -1.0], pair=0.9, each=[1.0, 0.0], shipped=None,
              divergence=-0.4, verdict="mixed", chaotic=1, initial_conditions=2)  # fmt: skip
    text = page_of.page([odd, row()])
    assert "| Lorenz | 0.9051 ± 0.0031 |" in text
    assert "0.50 |" in text
    assert "(!)" in next(line for line in text.splitlines() if line.startswith("| Odd"))
    assert "Chaotic from 1 of 2 initial conditions." in text
    assert "they disagree on Odd" in text
    assert text.index("| Lorenz") < text.index("| Odd")
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert len(widths) == 1
    assert not any(mark in text for mark in ("{", "}", "nan", "None"))


def test_remarks_are_on_systems_that_exist():
    assert set(REMARKS) <= set(catalogue.entries())


def test_the_verb(tmp_path, capsys):
    write_parquet(tmp_path / "known.parquet", pa.Table.from_pylist([row()], schema=LYAPUNOV), LYAPUNOV)
    assert main(["lyapunov", "--table", str(tmp_path / "known.parquet")]) == 0
    assert "Lorenz  " in capsys.readouterr().out
    assert main(["lyapunov", "--table", str(tmp_path / "known.parquet"), "--out", str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page_of.page([row()])
    measure = ["lyapunov", "Rossler", "--periods", "20", "--initial-conditions", "2"]
    assert main([*measure, "--out", str(tmp_path / "new.parquet")]) == 0
    assert read_parquet(tmp_path / "new.parquet", LYAPUNOV)["system"].to_pylist() == ["Rossler"]


def test_what_the_verb_refuses(tmp_path, capsys):
    assert main(["lyapunov", "Lorens"]) == 2
    assert "did you mean 'Lorenz'" in capsys.readouterr().err
    assert main(["lyapunov", "Lorenz", "--out", "exponents.csv"]) == 2
    assert ".parquet" in capsys.readouterr().err
    assert main(["lyapunov", "Lorenz", "--table", str(tmp_path / "none.parquet")]) == 2
    assert "not both" in capsys.readouterr().err
