"""From members of a block to a problem that the loop can train: emulator, methodology, data, systems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from strangecast.core.errors import ConfigError, StrangecastError
from strangecast.core.streams import stream
from strangecast.core.targets import AUGMENTED, STREAMING, load_system
from strangecast.core.targets import locate as locate_target
from strangecast.data.pooled_batches import PooledData
from strangecast.data.prefetch import Prefetched
from strangecast.data.training_batches import Batch, TrainingData, TrainingWindows
from strangecast.emulators.base import Emulator
from strangecast.emulators.build import build, locate, with_members
from strangecast.training.base import Training
from strangecast.training.engine import Problem
from strangecast.training.members import Member


def prepare(plan: dict[str, Any], chunk: list[Member], device: torch.device) -> tuple[Problem, list[Batch]]:
    """The problem of members side by side, and its validation batches; a lone member is padded to two.

    Raises:
        ConfigError, DataError: the emulator, the training and the data do not go together.
    """
    cls = locate(plan["emulator"]["config"]["_target_"], Emulator)
    side = [*chunk, chunk[0]] if len(chunk) == 1 and cls.side_by_side else chunk
    emulator = build(plan["emulator"]["config"], [m.spec for m in side], [m.plan["emulator"] for m in side])
    weights = plan["emulator"].get("weights")
    if weights:  # before anything asks for its window: the folder may say how large the emulator is
        emulator.load_pretrained(Path(weights["folder"]))
    training = make_training(plan["training"]["config"], [m.plan.get("training") or {} for m in side])
    training.check(emulator)
    needs = {*training.needs, *emulator.can.needs}
    context, horizon = training.window(emulator)
    augmentation = plan["training"]["config"].get("augmentation")
    settings = emulator.dtype, "state" in needs, augmentation
    data = _data(side, context, horizon, *settings)
    validation = _data(side, context, training.validation["steps"], *settings).validation(training.validation["count"])
    emulator.fit_normaliser([data.series(s) for s in range(len(side))])
    if not weights:
        emulator.initialise([stream("initialise", m.plan["stream_key"]) for m in side])
    if side[0].parent is not None:
        states = [m.parent for m in side]
        take = tuple(plan["init"].get("take") or ())
        emulator.load_stacked_state({k: torch.stack([s[k] for s in states]) for k in states[0]}, take)
    emulator.to(device)
    training.prepare(emulator, data.series)
    streams = np.array([m.plan["stream_key"] for m in side], np.uint64)
    systems = _systems(needs - {"state"}, side)
    if ahead := _ahead(data, training.batch_size, device):
        data = Prefetched(data, ahead)
    return Problem(emulator, training, data, streams, device, systems), validation


def _data(
    side: list[Member], context: int, horizon: int, dtype: torch.dtype, state: bool, augmentation: dict[str, Any] | None
) -> TrainingWindows:
    first = side[0]
    if augmentation and not first.pooled:
        raise ConfigError(f"augmentations change the channels of {first.datasets[0].name}, which one system keeps")
    if first.stream:
        if state:
            raise ConfigError(f"the state at origins is needed, which the stream {first.stream['name']} does not keep")
        made = locate_target(f"{STREAMING}.StreamedData", "stream")
        about = first.stream["name"], first.stream["config"], list(first.datasets)
        return made(*about, context, horizon, augmentation, dtype)
    if augmentation:
        made = locate_target(f"{AUGMENTED}.AugmentedData", "augmentation")
        return made(list(first.datasets), context, horizon, augmentation, dtype=dtype)
    if first.pooled:
        return PooledData(list(first.datasets), context, horizon, dtype=dtype)
    return TrainingData([m.datasets[0] for m in side], context, horizon, dtype=dtype, state=state)


def _ahead(data: TrainingWindows, batch_size: int, device: torch.device) -> int:
    """How many batches a thread of its own makes in advance: none where the job has but one thread, on the CPU."""
    ahead = getattr(data, "ahead", None)
    if ahead is None or (device.type == "cpu" and torch.get_num_threads() == 1):
        return 0
    return ahead(batch_size)


def _systems(needs: set[str], side: list[Member]) -> tuple[Any, ...] | None:
    """The members' systems where a training or an emulator needs something of them (the state comes with the data)."""
    if not needs:
        return None
    if side[0].pooled:
        raise ConfigError(f"{' and '.join(sorted(needs))} of the system is needed, which pooled systems do not have")
    for m in side:
        if not m.spec.system:
            raise ConfigError(
                f"dataset {m.datasets[0].name} is of no known system; its {' and '.join(sorted(needs))} is needed"
            )
    systems = {name: load_system(name) for name in sorted({m.spec.system for m in side})}
    for name, system in systems.items():
        if missing := needs - system.offers:
            raise ConfigError(f"system {name} has no {' and no '.join(sorted(missing))}, which is needed here")
    return tuple(systems[m.spec.system] for m in side)


def make_training(config: dict[str, Any], values: list[dict[str, Any]] | None = None) -> Training:
    """Instantiate a training.

    Args:
        config: ``_target_`` and hyper-parameters; nested targets such as the optimiser are made by hydra.
        values: per member the values in which it differs, as in :func:`build`.

    Raises:
        ConfigError: the target is no training, or refuses its hyper-parameters.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    locate(config.get("_target_"), Training)
    own = {k: v for k, v in config.items() if k != "augmentation"}  # of the data
    try:
        return instantiate(with_members(own, values or []), _convert_="all")
    except InstantiationException as e:
        cause = e.__cause__
        while cause is not None and not isinstance(cause, StrangecastError):
            cause = cause.__cause__
        raise cause or ConfigError(f"{config['_target_']} does not take its configuration: {e}") from e
