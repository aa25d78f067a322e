"""Runs grouped into blocks: what one job trains side by side.

A block has one emulator, one training, one shape of weights and one parent block. Its place follows from declared
orders alone (position of the dataset in its home corpus, seed number), never from a device or the length of a list, so
that a new seed or system leaves the other blocks as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from strangecast.core.hashing import digest
from strangecast.workflow.compose import Registry
from strangecast.workflow.datasets import Datasets
from strangecast.workflow.runs import Run


@dataclass
class Block:
    """Runs of one job, in the order of the member axis.

    Attributes:
        folder: ``runs/<data>/<emulator>/<training>/<block>``, relative to ``results/<scale>``.
        point: the sweep values common to all members.
        parent: folder of the block its members start from, or None.
        take: prefixes of the tensors they take over from there; all where empty.
        runs: its members.
    """

    folder: str
    data: str
    emulator: str
    training: str
    point: tuple[tuple[str, str], ...]
    parent: str | None
    take: tuple[str, ...] = ()
    runs: list[Run] = field(default_factory=list)


def group(runs: Iterable[Run], registry: Registry, datasets: Datasets) -> dict[str, Block]:
    """Blocks by folder; parents come before the blocks that start from them.

    Args:
        runs: distinct runs, each parent before its children.
        registry: says which values may differ between members and how many seeds a block holds.
        datasets: says where a dataset stands in its home corpus and how many channels it has.
    """
    blocks: dict[str, Block] = {}
    folder_of: dict[str, str] = {}
    members: dict[tuple[str, str], set[str]] = {}
    seeds_per_block: dict[str, int] = {}
    scale = datasets.scale
    order: dict[str, int] = {}
    for run in runs:
        pair = (run.emulator, run.training)
        if pair not in members:
            e = registry.option("emulator", run.emulator, scale)
            t = registry.option("training", run.training, scale) if run.training != "none" else {}
            members[pair] = {f"emulator.{k}" for k in e.get("members") or []}
            members[pair] |= {f"training.{k}" for k in t.get("members") or []}
            seeds_per_block[run.training] = t.get("seeds_per_block", 1)
        shared = tuple(p for p in run.point if p[0] not in members[pair])
        parent = folder_of[run.init] if run.init else None
        data, where, position = _place(run.data, datasets)
        n = seeds_per_block[run.training]
        first = run.seed // n * n
        part = [run.take] if run.take else []
        name = f"base-{where}" if not shared and not parent else f"{digest(shared, parent, *part, length=8)}-{where}"
        if run.training != "none":
            name += f"-s{first}.{first + n - 1}"
        folder = f"runs/{data}/{run.emulator}/{run.training}/{name}"
        block = blocks.setdefault(folder, Block(folder, data, run.emulator, run.training, shared, parent, run.take))
        block.runs.append(run)
        folder_of[run.run_id] = folder
        order[run.run_id] = position
    for block in blocks.values():
        block.runs.sort(key=lambda r: (order[r.run_id], r.data, r.point, r.seed))
    return blocks


def _place(data: str, datasets: Datasets) -> tuple[str, str, int]:
    """(folder of the data, part of the block name, position among its neighbours)."""
    if data == "none":
        return "none", "all", 0
    if data in datasets.registry.names("corpus"):
        return data, "pooled", 0
    info = datasets.info(data)
    if info.many:
        return data, "pooled", 0
    if info.home is None:
        return data, "own", 0
    corpus, position, size = info.home
    return corpus, f"{info.channels}c.{position // size}", position


def member_values(run: Run, block: Block) -> dict[str, dict[str, Any]]:
    """The values in which a member differs from its block, by group: ``{"emulator": {...}, "training": {...}}``."""
    own: dict[str, dict[str, Any]] = {"emulator": {}, "training": {}}
    shared = {k for k, _ in block.point}
    for key, value in run.values.items():
        if key not in shared:
            part, _, path = key.partition(".")
            own[part][path] = value
    return own
