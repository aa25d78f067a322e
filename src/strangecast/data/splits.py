"""Which samples train, validate and test: decided before any window exists.

By initial condition: accepted trajectories in the order of their keys fill train, then validation, then test, whole;
what is left over stays unused. By time: each trajectory is cut into consecutive blocks with a gap of context + horizon
samples between them, so that no window of one block can touch, or directly continue, another.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError, DataError, unknown
from strangecast.core.hashing import digest
from strangecast.core.schemas import MANIFEST, SPLITS
from strangecast.core.spec import Spec
from strangecast.core.tables import read_labels, read_parquet, write_parquet
from strangecast.data.labels import FILTERED, SPLIT_BY, split_label
from strangecast.data.rows import table_of

PARTS = ("train", "validation", "test")


def split_dataset(plan: dict[str, Any], root: Path) -> None:
    """Write ``splits.parquet``.

    Its labels are ``spec``, ``noise``, ``split_by`` and ``content``: the digest of everything a training or scoring job
    reads of this dataset (digests of the trajectories, segments, Spec, exponent, noise). The context range in the Spec
    comes from ``config.window`` and is not part of ``content``, so that other windows alone train nothing again.

    Raises:
        ConfigError: an unknown way to split, or shares that cannot work.
        DataError: too few or too short trajectories.
    """
    config, folder = plan["config"], root / plan["folder"]
    manifest = read_parquet(folder / "manifest.parquet", MANIFEST)
    given = read_labels(folder / "manifest.parquet")
    about = json.loads(given["spec"])
    accepted = [r for r in manifest.to_pylist() if r["accepted"]]
    accepted.sort(key=lambda r: (r["parameter_index"], r["ic_index"]))
    window = config["window"]
    gap = window["context"] + window["horizon"]
    segments = assign([r["length"] for r in accepted], config["split"], gap, plan["name"])
    rows = [
        {k: accepted[i][k] for k in ("trajectory_id", "shard", "row", "sha256")}
        | {"split": part, "start": start, "stop": stop}
        for i, part, start, stop in segments
    ]
    noise = float(config.get("noise") or 0.0)
    if noise < 0:
        raise ConfigError(f"dataset '{plan['name']}': noise {noise} must not be negative")
    content = digest(
        [[r["trajectory_id"], r["sha256"], r["split"], r["start"], r["stop"]] for r in rows],
        about,
        noise,
        sorted({(r["dt"], r["lyapunov"]) for r in accepted}, key=str),
    )
    spec = replace(Spec.from_json(about), context_range=(1, int(window["context"])))
    labels = {
        "content": content,
        "spec": json.dumps(spec.to_json()),
        "noise": json.dumps(noise),
        SPLIT_BY: split_label(plan, given.get(FILTERED)),
    }
    write_parquet(folder / "splits.parquet", table_of(rows, SPLITS), SPLITS, labels)


def assign(lengths: list[int], split: dict[str, Any], gap: int, name: str) -> list[tuple[int, str, int, int]]:
    """Segments (trajectory, part, start, stop) for trajectories of the given lengths.

    Args:
        lengths: samples of each accepted trajectory, in key order.
        split: ``{by: initial_condition, train, validation, test}`` with counts, or ``{by: time, ...}`` with shares.
        gap: context + horizon, the distance between blocks when one trajectory is cut in time.
        name: of the dataset, for messages.
    """
    if split["by"] == "initial_condition":
        wanted = [int(split[p]) for p in PARTS]
        if min(wanted) < 0 or sum(wanted) > len(lengths):
            raise DataError(f"dataset '{name}': the split needs {sum(wanted)} trajectories, {len(lengths)} are valid")
        parts = [p for p, n in zip(PARTS, wanted, strict=True) for _ in range(n)]
        return [(i, part, 0, lengths[i]) for i, part in enumerate(parts)]
    if split["by"] != "time":
        ways = ["initial_condition", "time"]
        raise ConfigError(f"dataset '{name}': {unknown('way to split', str(split['by']), ways)}")
    shares = [float(split[p]) for p in PARTS]
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ConfigError(f"dataset '{name}': the shares of a split in time must add up to 1, found {shares}")
    segments = []
    for i, length in enumerate(lengths):
        segments += [(i, *block) for block in _blocks(length, shares, gap, name)]
    return segments


def _blocks(length: int, shares: list[float], gap: int, name: str) -> list[tuple[str, int, int]]:
    used = [k for k, share in enumerate(shares) if share > 0]
    usable = length - gap * (len(used) - 1)
    if shares[2] > 0 and shares[2] * usable < gap:
        needed = gap * (len(used) - 1) + int(gap / shares[2]) + 1
        raise DataError(
            f"dataset '{name}': a trajectory of {length} samples is too short to be split in time: the test block must "
            f"hold context + horizon = {gap} samples and the blocks keep that distance, so {needed} samples are needed"
        )
    if usable < len(used):
        raise DataError(f"dataset '{name}': {length} samples leave nothing beside gaps of {gap}")
    blocks, start, share = [], 0, 0.0
    for n, k in enumerate(used):
        share += shares[k]
        stop = length if k == used[-1] else int(usable * share) + gap * n
        blocks.append((PARTS[k], start, stop))
        start = stop + gap
    return blocks
