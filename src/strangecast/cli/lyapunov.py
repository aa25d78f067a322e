"""The verb that measures systems: lyapunov."""

from __future__ import annotations

import argparse
from pathlib import Path

from strangecast.core.errors import ConfigError


def add_verbs(verb) -> None:
    """Register the verb."""
    p = verb("lyapunov", "Lyapunov exponents of catalogued systems, by two methods, beside those of dysts", _lyapunov)
    p.add_argument("systems", nargs="*", metavar="SYSTEM", help="names of the catalogue; none means all")
    p.add_argument("--periods", type=float, default=1000.0, metavar="N", help="length of the averages; default: 1000")
    p.add_argument(
        "--initial-conditions", type=int, default=16, metavar="N", help="to average over; default: 16 (delay flows: 4)"
    )
    p.add_argument("--table", type=Path, metavar="FILE", help="show this table (.parquet) instead of measuring")
    p.add_argument(
        "--out", type=Path, action="append", default=[], metavar="FILE",
        help="write the table (.parquet) or the page made of it (.md); may be repeated",
    )  # fmt: skip


def _lyapunov(options: argparse.Namespace) -> None:
    from strangecast.core.atomic import write_text
    from strangecast.core.progress import Progress
    from strangecast.core.schemas import LYAPUNOV
    from strangecast.core.tables import read_parquet, write_parquet
    from strangecast.paper.tables.lyapunov import lines, page
    from strangecast.systems.lyapunov_table import lyapunov_table

    for path in options.out:
        if path.suffix not in (".parquet", ".md"):
            raise ConfigError(f"--out {path} must end with .parquet (the table) or .md (the page)")
    if options.table is not None:
        if options.systems:
            raise ConfigError("name systems to measure or a table to show, not both")
        table = read_parquet(options.table, LYAPUNOV)
    else:
        with Progress("systems") as progress:
            table = lyapunov_table(
                options.systems or None,
                periods=options.periods,
                initial_conditions=options.initial_conditions,
                progress=progress,
            )
    for path in options.out:
        if path.suffix == ".parquet":
            write_parquet(path, table, LYAPUNOV)
        else:
            write_text(path, page(table.to_pylist()))
        print(f"wrote {path}")
    if not options.out:
        print("\n".join(lines(table.to_pylist())))
