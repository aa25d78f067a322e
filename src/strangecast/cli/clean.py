"""The verb that removes data: clean."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from strangecast.cli.named import Named
from strangecast.core.errors import ConfigError, ResultsError

if TYPE_CHECKING:
    from strangecast.data.cleaning import Cleaning

NAMED = 6  # files and neighbours that are named one by one


def add_verbs(verb) -> None:
    """Register the verb."""
    p = verb("clean", "remove a dataset, or the shards of it that hold a system or a split; asks first", _clean)
    p.add_argument("words", nargs="+", metavar="dataset=NAME | system=NAME | split=NAME | scale=NAME")
    p.add_argument("--results", type=Path, default=Path("results"), help="folder that holds the scales")
    p.add_argument("--yes", action="store_true", help="do not ask")


def _clean(options: argparse.Namespace) -> int:
    from strangecast.data.cleaning import remove, to_clean

    named = Named(options.words, options.results)
    if named.bare or named.dataset is None:
        raise ConfigError(
            "say what to clean as dataset=NAME, with system=NAME, split=NAME and scale=NAME where only a part shall go"
        )
    found = named.made(named.dataset, None)
    scale = found[0][0] if found else named.scales[0]
    cleaning = to_clean(named.plan(named.dataset, scale), options.results / scale, named.system, named.split)
    print("\n".join(_told(cleaning)))
    if not options.yes and not _agreed():
        print("nothing was removed")
        return 1
    remove(cleaning.files)
    print(f"removed {len(cleaning.files)} files; make them again with `strangecast generate dataset={named.dataset} "
          f"scale={scale}` or `snakemake {cleaning.folder / 'splits.parquet'}`")  # fmt: skip
    return 0


def _told(cleaning: Cleaning) -> list[str]:
    """What would go, and what makes it again."""
    asked = f"{cleaning.trajectories} {'trajectory' if cleaning.trajectories == 1 else 'trajectories'} asked for"
    lines = [f"in {cleaning.folder}, {cleaning.size / 1e6:.3g} MB, {asked}:"]
    files = list(cleaning.files.items())
    lines += [f"  {file.name:24s} made again by rule {rule}" for file, rule in files[:NAMED]]
    if len(files) > NAMED:
        lines.append(f"  and {len(files) - NAMED} more shards, made again by rule {files[-1][1]}")
    if cleaning.neighbours:
        shown = ", ".join(cleaning.neighbours[:NAMED])
        more = len(cleaning.neighbours) - NAMED
        lines.append(
            f"  the same shards hold trajectories of {shown}" + (f" and {more} more systems" if more > 0 else "")
        )
    lines.append(
        "windows, runs and scores stay: they carry digests of the data, and hold while these come out the same"
    )
    return lines


def _agreed() -> bool:
    """The answer of whoever sits at the terminal.

    Raises:
        ResultsError: nobody does.
    """
    if not sys.stdin.isatty():
        raise ResultsError("nobody can be asked here; say --yes to remove these files")
    return input("remove these files? [y/N] ").strip().lower() in ("y", "yes")
