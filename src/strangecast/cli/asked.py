"""What a command was given: a plan file, or override strings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError
from strangecast.core.plans import read_plan


def add_asked(parser: argparse.ArgumentParser) -> None:
    """Add the positional arguments: one plan file, or override strings."""
    parser.add_argument("asked", nargs="+", metavar="PLAN.json | key=value")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder that holds the scales")


def is_plan(options: argparse.Namespace) -> bool:
    """Whether plan files were given."""
    return all(a.endswith(".json") and "=" not in a for a in options.asked)


def plan_given(options: argparse.Namespace) -> tuple[dict[str, Any], Path]:
    """The plan file and its results folder.

    Raises:
        ConfigError: more than one was given.
    """
    if len(options.asked) != 1:
        raise ConfigError(f"one plan file is expected, {len(options.asked)} were given")
    return read_plan(Path(options.asked[0]))
