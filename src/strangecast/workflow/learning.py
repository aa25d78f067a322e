"""What a run learns from, as its block's plan tells the job: stored datasets, a stream, an augmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.targets import AUGMENTED, STREAMING
from strangecast.workflow.compose import Registry
from strangecast.workflow.datasets import Datasets

STREAM_KEYS = ("validation", "systems", "trajectories", "windows")
# What a stream does not read of its YAML.
_UNREAD = ("window", "lyapunov", "shard_size", "restart_from", "initial_conditions")


@dataclass(frozen=True)
class LearnedFrom:
    """The data of a run.

    Attributes:
        stored: datasets whose files the job reads; of a stream those that select weights.
        lone: the dataset of its one system, None where it learns from several.
        stream: ``{name, many, config}`` where trajectories are made while it trains, else None.
    """

    stored: list[str]
    lone: str | None
    stream: dict[str, Any] | None

    @property
    def modules(self) -> list[str]:
        """Code that a job of it needs beside its training's."""
        return [STREAMING] if self.stream else []


def learned_from(data: str, datasets: Datasets) -> LearnedFrom:
    """What the name of a dataset or corpus means for a run that trains on it.

    Raises:
        ConfigError: there is none of this name, or a stream beside other data.
    """
    if data == "none":
        return LearnedFrom([], None, None)
    names, stored = datasets.expand(data), datasets.stored(data)
    streams = [n for n in names if datasets.info(n).streamed]
    if streams and len(names) > 1:
        raise ConfigError(f"corpus '{data}': {streams[0]} is a stream, which is trained on alone; name it as data:")
    one = data not in datasets.registry.names("corpus") and not datasets.info(data).many
    one |= bool(streams) and not datasets.info(streams[0]).many
    stream = None
    if streams:
        about = datasets.info(streams[0])
        for key in about.config["stream"]:
            if key not in STREAM_KEYS:
                raise ConfigError(f"stream '{streams[0]}': {unknown('stream setting', str(key), STREAM_KEYS)}")
        if not about.many and [datasets.info(d).system for d in stored] != [about.system]:
            raise ConfigError(
                f"stream '{streams[0]}' draws {about.system}; its validation must be one dataset of that system, and is "
                f"{', '.join(stored)}"
            )
        config = {k: v for k, v in about.config.items() if k not in _UNREAD}
        config["stream"] = {k: v for k, v in config["stream"].items() if k != "validation"}
        attempts = config.get("attempts") or {}
        config["attempts"] = {k: v for k, v in attempts.items() if k not in ("judge", "budget")}
        stream = {"name": streams[0], "many": about.many, "config": config}
    return LearnedFrom(stored, stored[0] if one and len(stored) == 1 else None, stream)


def with_augmentation(
    config: dict[str, Any], registry: Registry, scale: str, where: str, can: dict[str, Any], data: LearnedFrom
) -> tuple[dict[str, Any], list[str]]:
    """A training's configuration with what its ``augmentation`` names in the place of the name, and the code it needs.

    Args:
        config: of the training.
        registry: knows the options of conf/augmentation.
        scale: for which they are resolved.
        where: for messages.
        can: what the emulator can do.
        data: what it learns from.

    Raises:
        ConfigError: no such augmentation, or an emulator of one system, whose channels an augmentation would mix.
    """
    named = config.get("augmentation")
    if named is None:
        return {k: v for k, v in config.items() if k != "augmentation"}, []
    if not can.get("pooled"):
        raise ConfigError(
            f"{where}: augmentations change the channels of the data, which an emulator of one system cannot follow; say "
            "augmentation: null, or take an emulator with pooled: true"
        )
    if data.lone:
        raise ConfigError(f"{where}: augmentations are for data of many systems, and {data.lone} holds one")
    found = registry.option("augmentation", named, scale) if isinstance(named, str) else named
    return config | {"augmentation": found}, [AUGMENTED]
