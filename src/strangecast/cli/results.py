"""Verbs that guard results: verify, adopt, leaderboard, unlock."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from strangecast.core.errors import ResultsError


def add_verbs(verb) -> None:
    """Register the verbs."""
    p = verb("verify", "read every result file and name the damaged ones", _verify)
    p.add_argument("root", type=Path, metavar="results/SCALE")
    p = verb("adopt", "verify results copied from elsewhere and make Snakemake accept them", _adopt)
    p.add_argument("root", type=Path, metavar="results/SCALE")
    p = verb("leaderboard", "print the leaderboard of a results folder", _leaderboard)
    p.add_argument("root", type=Path, metavar="results/SCALE")
    verb("unlock", "remove Snakemake's lock of this folder if no live process holds it", _unlock)


def _verify(options: argparse.Namespace) -> int:
    from strangecast.evaluation.verify import verify_results

    damaged = verify_results(options.root)
    for file, wrong, rule in damaged:
        print(f"{file}: {wrong}; made by rule {rule}")
    print(f"{len(damaged)} damaged files" if damaged else f"{options.root}: every file is whole")
    return 1 if damaged else 0


def _adopt(options: argparse.Namespace) -> int:
    from strangecast.evaluation.verify import verify_results
    from strangecast.workflow.adopt import adopt

    damaged = verify_results(options.root)
    if damaged:
        file, wrong, rule = damaged[0]
        raise ResultsError(
            f"{len(damaged)} damaged files, the first {file}: {wrong} (rule {rule}); nothing was adopted"
        )
    problems = adopt(options.root)
    for sentence in problems:
        print(sentence, file=sys.stderr)
    found = (
        f"; {len(problems)} stale or faulty parts, of which snakemake makes the stale ones again" if problems else ""
    )
    print(f"{options.root}: adopted{found}")
    return 0


def _leaderboard(options: argparse.Namespace) -> None:
    import pandas as pd

    file = options.root / "leaderboard.csv"
    if not file.exists():
        raise ResultsError(f"{file} does not exist; run `snakemake {file}`")
    with pd.option_context("display.width", 160, "display.max_columns", None, "display.max_rows", None):
        print(pd.read_csv(file).to_string(index=False))


def _unlock(options: argparse.Namespace) -> None:
    from strangecast.workflow.locks import unlock

    print(unlock(Path.cwd()).sentence)
