"""Verbs of the data chapter: generate, import, filter, split, windows."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from strangecast.cli.asked import add_asked, is_plan, plan_given
from strangecast.workflow.by_hand import ByHand


def add_verbs(verb) -> None:
    """Register the verbs."""
    p = verb("generate", "integrate a dataset's trajectories; by hand also filter and split them", _generate)
    add_asked(p)
    p.add_argument("--shard", type=int, help="one shard only")
    _add_force(p)
    p = verb("import", "read a user's own trajectories into the store", _import)
    add_asked(p)
    _add_force(p)
    add_asked(verb("filter", "give every trajectory a verdict per validity test", _filter))
    add_asked(verb("split", "divide accepted trajectories into training, validation and test parts", _split))
    add_asked(verb("windows", "fix the forecast origins of a suite", _windows))


def _add_force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="by hand: replace data made by other settings or code")


def _dataset(options: argparse.Namespace) -> tuple[dict[str, Any], Path]:
    if is_plan(options):
        return plan_given(options)
    asked = ByHand(options.asked, options.results)
    return asked.dataset_plan(), asked.root


def _to_make(options: argparse.Namespace) -> tuple[dict[str, Any], Path]:
    """The dataset asked for; by hand, one that other settings or code made is not replaced without ``--force``."""
    plan, root = _dataset(options)
    if not is_plan(options) and not options.force:
        from strangecast.data.stale import refuse_to_replace

        refuse_to_replace(plan, root)
    return plan, root


def _generate(options: argparse.Namespace) -> None:
    plan, root = _to_make(options)
    if plan["made_by"] == "import":
        _import(options)
    else:
        _generate_shards(plan, root, range(len(plan["shards"])) if options.shard is None else [options.shard])
    if not is_plan(options) and options.shard is None:
        finish_dataset(plan, root)


def _generate_shards(plan: dict[str, Any], root: Path, shards: Sequence[int]) -> None:
    """Make some shards of a dataset, telling how many of their trajectories are done and when all will be."""
    from strangecast.core.progress import Progress
    from strangecast.data.generate import generate_shard
    from strangecast.systems.roster import Roster

    roster = Roster.from_config(plan["config"], (plan["config"].get("restart") or {}).get("first_ic", 0))
    sizes = {shard: len(roster.shard(shard, plan["config"]["shard_size"])) for shard in shards}
    done = 0
    with Progress("trajectories") as progress:
        for shard, size in sizes.items():
            generate_shard(plan, root, shard)
            done += size
            progress(done, sum(sizes.values()))
    for shard in shards:
        print(f"generated {root / plan['folder'] / plan['shards'][shard]}")


def finish_dataset(plan: dict[str, Any], root: Path) -> None:
    """Filter and split a dataset whose shards are complete."""
    from strangecast.data.filtering import filter_dataset
    from strangecast.data.splits import split_dataset

    filter_dataset(plan, root)
    split_dataset(plan, root)
    print(f"filtered and split {root / plan['folder']}")


def _import(options: argparse.Namespace) -> None:
    from strangecast.data.importing import import_dataset

    plan, root = _to_make(options)
    import_dataset(plan, root)
    print(f"imported {plan['config']['source']['path']}")
    if not is_plan(options) and options.verb == "import":
        finish_dataset(plan, root)


def _filter(options: argparse.Namespace) -> None:
    from strangecast.data.filtering import filter_dataset

    filter_dataset(*_dataset(options))


def _split(options: argparse.Namespace) -> None:
    from strangecast.data.splits import split_dataset

    split_dataset(*_dataset(options))


def _windows(options: argparse.Namespace) -> None:
    from strangecast.data.windows import build_windows

    if is_plan(options):
        build_windows(*plan_given(options))
        return
    asked = ByHand(options.asked, options.results)
    for suite in asked.suite_plans().values():
        build_windows(suite, asked.root)
        print(f"fixed the windows of {asked.root / suite['folder']}")
