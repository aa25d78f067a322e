"""The one table every benchmark prints and writes."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One case: ``ratio`` is theirs / ours, so above 1 is faster (or smaller) than the peer."""

    case: str
    peer: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    error_ours: float | str = ""
    error_theirs: float | str = ""
    note: str = ""


def row(case: str, peer: str, ours: float, theirs: float, unit: str, **more) -> Row:
    """A row with its ratio."""
    return Row(case, peer, ours, theirs, unit, theirs / ours if ours else float("nan"), **more)


def main(name: str, measure: Callable[[bool], list[Row]]) -> None:
    """Parse ``--quick`` and ``--out``, measure, print, and write ``results/benchmarks/<name>.csv``."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works")
    parser.add_argument("--out", type=Path, help="default: results/benchmarks/, for --quick its folder quick/")
    options = parser.parse_args()
    folder = Path("results/benchmarks/quick" if options.quick else "results/benchmarks")
    options.out = options.out or folder / f"{name}.csv"
    rows = measure(options.quick)
    for r in rows:
        print(
            f"{r.case:20s} ours {r.ours:10.4g} {r.unit:4s} {r.peer}: {r.theirs:10.4g}  ratio {r.ratio:8.3g}  {r.note}"
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with open(options.out, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, [c.name for c in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(r) for r in rows)
