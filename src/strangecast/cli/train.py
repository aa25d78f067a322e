"""Verbs that use emulators: train, forecast."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from strangecast.cli.asked import add_asked, is_plan, plan_given
from strangecast.core.errors import ConfigError, unknown
from strangecast.workflow.by_hand import ByHand

DEVICES = ("auto", "cpu", "cuda", "rocm", "mps")
LOGGERS = ("csv", "wandb", "tensorboard", "none")


def add_verbs(verb) -> None:
    """Register the verbs."""
    p = verb("train", "train the members of a block whose key has changed", _train)
    add_asked(p)
    add_device(p)
    p.add_argument("--logger", choices=LOGGERS, default=os.environ.get("STRANGECAST_LOGGER", "csv"))
    p.add_argument("--checkpoint-seconds", type=float, default=20.0, help="least time between resume checkpoints")
    p = verb("forecast", "forecast every window of a suite with the members of a block", _forecast)
    add_asked(p)
    add_device(p)
    p.add_argument("--suite", help="one suite only")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device`` and ``--no-reuse``; the workflow sets their defaults in the environment."""
    device = os.environ.get("STRANGECAST_DEVICE", "auto")
    parser.add_argument("--device", choices=DEVICES, default=device, help="default: $STRANGECAST_DEVICE or auto")
    add_reuse(parser)


def add_reuse(parser: argparse.ArgumentParser) -> None:
    """Add ``--no-reuse``."""
    reuse = os.environ.get("STRANGECAST_REUSE", "1") != "0"
    parser.add_argument(
        "--no-reuse", dest="reuse", action="store_false", default=reuse, help="compute everything again"
    )


def block_asked(options: argparse.Namespace, suite: bool) -> tuple[dict[str, Any], Path]:
    """The block plan and its results folder, from a plan file or override strings."""
    if is_plan(options):
        return plan_given(options)
    asked = ByHand(options.asked, options.results)
    plan, block = asked.run_plan(suite)
    asked.write(plan)
    return block, asked.root


def suites_asked(block: dict[str, Any], asked: str | None) -> dict[str, dict[str, Any]]:
    """The block's suites, or the one of ``--suite``.

    Raises:
        ConfigError: the block is not scored on it.
    """
    if asked is None:
        return block["suites"]
    if asked not in block["suites"]:
        raise ConfigError(f"{block['folder']}: {unknown('suite', asked, block['suites'])}")
    return {asked: block["suites"][asked]}


def _train(options: argparse.Namespace) -> None:
    from strangecast.training.job import train_block

    block, root = block_asked(options, suite=False)
    train_block(
        block,
        root,
        device=options.device,
        reuse=options.reuse,
        logger=options.logger,
        checkpoint_seconds=options.checkpoint_seconds,
    )
    print(f"trained {root / block['folder']}")


def _forecast(options: argparse.Namespace) -> None:
    from strangecast.evaluation.forecast import forecast_block

    block, root = block_asked(options, suite=True)
    for suite, use in suites_asked(block, options.suite).items():
        forecast_block(block, root, suite, device=options.device, reuse=options.reuse)
        print(f"wrote {root / use['forecast_folder']}/forecasts.arrow")
