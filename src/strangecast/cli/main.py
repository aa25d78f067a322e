"""The ``strangecast`` command: one verb per step of the workflow.

Verbs on data and runs (generate to score) take either a plan file, as the rules give it, or override strings
(``strangecast train emulator=mlp training=supervised dataset=lorenz63 seed=3``); verbs on whole studies (compare to
paper) take plan files alone. Verbs import what they need when they run, so that ``strangecast --help`` costs nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from strangecast.core.errors import StrangecastError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns:
        0; 1 where results were checked and found wanting; 2 for what a user can mend, said in one sentence.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.run(options) or 0
    except StrangecastError as e:
        print(f"strangecast {options.verb}: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"strangecast {options.verb}: interrupted; finished files are intact", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0


class _Version(argparse.Action):
    """Looks the version up when asked for it: a rule's environment knows the package by its source alone."""

    def __call__(self, parser: argparse.ArgumentParser, *_) -> None:
        from strangecast.core.provenance import versions

        print(versions().get("strangecast", "not installed, run from its source"))
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    from strangecast.cli import clean, data, evaluate, export, inspect, inspect_data, lyapunov, paper, results, train

    parser = argparse.ArgumentParser(prog="strangecast", description=__doc__.splitlines()[0])
    parser.add_argument("--version", action=_Version, nargs=0, help="print the installed version")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, text: str, run: Callable[[argparse.Namespace], int | None]) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    for chapter in (data, inspect_data, clean, export, lyapunov, train, evaluate, paper, inspect, results):
        chapter.add_verbs(verb)
    return parser
