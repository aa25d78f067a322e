"""Every benchmark runs at tiny size and writes the table it promises; nothing here asserts a speed."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.line import environment

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = sorted(p.stem for p in (REPOSITORY / "benchmarks").glob("*.py") if p.stem not in ("__init__", "table"))
COLUMNS = ["case", "peer", "ours", "theirs", "unit", "ratio", "error_ours", "error_theirs", "note"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_writes_its_table(name, tmp_path):
    out = tmp_path / f"{name}.csv"
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--out", str(out)],
        cwd=REPOSITORY, env=environment(), text=True, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = list(csv.DictReader(out.open()))
    assert list(rows[0]) == COLUMNS
    for row in rows:
        assert float(row["ours"]) > 0
        assert float(row["ratio"]) == pytest.approx(float(row["theirs"]) / float(row["ours"]))
