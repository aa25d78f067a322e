"""Is a dataset what it says? Its files against their seals, its rows against each other, its trajectories by kind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from strangecast.core.errors import DataError, StrangecastError, unknown
from strangecast.core.schemas import MANIFEST, SPLITS
from strangecast.core.seal import seal_problem
from strangecast.core.tables import read_parquet
from strangecast.data.shards import Shard
from strangecast.data.stale import stale_files
from strangecast.systems.validity.kind import LEAST, kind
from strangecast.systems.validity.record import Record

Row = dict[str, Any]


@dataclass
class Examination:
    """What was found in the folder of a dataset.

    Attributes:
        problems: sentences, each a fault of a file or row; none where all is well.
        other: files that are absent or that other settings or code made than its plan, with the rule that makes them.
        whole, damaged: names of the files that are there.
        rows: of the manifest, those of the system looked at.
        splits: rows of ``splits.parquet``, likewise.
        kinds: of attractor, by system, of its first accepted trajectory.
    """

    problems: list[str] = field(default_factory=list)
    other: dict[str, str] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    splits: list[Row] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)

    @property
    def systems(self) -> list[str]:
        """Names, in the order of the manifest."""
        return list(dict.fromkeys(r["system"] for r in self.rows))

    @property
    def accepted(self) -> list[Row]:
        """Rows of accepted trajectories."""
        return [r for r in self.rows if r["accepted"]]

    @property
    def reasons(self) -> Counter[str]:
        """How many rows each test rejected."""
        return Counter(reason for r in self.rows for reason in r["reasons"])


def examine(plan: dict[str, Any], root: Path, system: str | None = None) -> Examination:
    """Read every file of a dataset that is there, and every trajectory of the system looked at.

    Lengths are held against the plan only where the plan's own settings made the shards.

    Args:
        plan: dataset plan.
        root: ``results/<scale>``.
        system: look at this one's trajectories alone; at all by default.

    Raises:
        DataError: the dataset has no such system.
    """
    folder, found = root / plan["folder"], Examination()
    found.other = stale_files(plan, root)
    for file in [*sorted(folder.glob("shard-*.arrow")), folder / "manifest.parquet", folder / "splits.parquet"]:
        problem = seal_problem(file) if file.exists() else None
        if problem:
            found.damaged.append(file.name)
            found.problems.append(f"{file.name}: {problem}")
        elif file.exists():
            found.whole.append(file.name)
    found.rows = _rows(folder / "manifest.parquet", MANIFEST, found)
    found.splits = _rows(folder / "splits.parquet", SPLITS, found)
    if system is not None:
        if found.rows and system not in found.systems:
            raise DataError(f"{folder}: {unknown('system', system, found.systems)}")
        found.rows = [r for r in found.rows if r["system"] == system]
        found.splits = [r for r in found.splits if r["system"] == system]
    length = (plan["config"].get("sampling") or {}).get("length")
    if not set(plan["shards"]).isdisjoint(found.other):
        length = None
    opened: dict[str, Shard] = {}
    for row in found.rows:
        found.problems += _faults(row, folder, opened, length, found.kinds)
    found.problems += _strays(found)
    return found


def _rows(path: Path, schema: pa.Schema, found: Examination) -> list[Row]:
    if not path.exists():
        return []
    try:
        return read_parquet(path, schema).to_pylist()
    except StrangecastError as e:
        found.problems.append(f"{path.name}: {e}")
        return []


def _faults(
    row: Row, folder: Path, opened: dict[str, Shard], length: int | None, kinds: dict[str, str]
) -> Iterator[str]:
    """What is wrong with a row of the manifest, and the kind of its system where it is the first accepted one."""
    name = f"manifest.parquet, {row['trajectory_id']}"
    failed = {t for t, v in json.loads(row["verdicts"] or "{}").items() if not v["passed"]}
    if set(row["reasons"]) != failed or row["accepted"] == bool(failed):
        yield f"{name}: its reasons {row['reasons']} are not those of its verdicts"
    try:
        if row["shard"] not in opened:
            opened[row["shard"]] = Shard(folder / row["shard"])
        shard = opened[row["shard"]]
        if row["row"] >= len(shard) or shard.get("trajectory_id", row["row"]) != row["trajectory_id"]:
            yield f"{name}: row {row['row']} of {row['shard']} is another trajectory"
            return
        values = shard.values(row["row"], row["sha256"])
    except StrangecastError as e:
        yield f"{name}: {e}"
        return
    if values.shape[:2] != (row["length"], row["channels"]):
        yield f"{name}: it has shape {list(values.shape)}, not {row['length']} samples of {row['channels']} channels"
    if not row["accepted"]:
        return
    if not np.isfinite(values).all():
        yield f"{name}: it is accepted and not finite"
    elif length is not None and len(values) != length:
        yield f"{name}: it is accepted with {len(values)} of {length} samples"
    elif row["system"] not in kinds and len(values) >= LEAST:
        known = row["lyapunov"] is not None
        exponents = [row["lyapunov"]] if known else []
        errors = [row["lyapunov_standard_error"] or 0.0] if known else []
        kinds[row["system"]] = kind(Record(values), exponents, errors).name


def _strays(found: Examination) -> Iterator[str]:
    """Pieces of the split that no accepted trajectory has."""
    held = {r["trajectory_id"]: r for r in found.accepted}
    for piece in found.splits:
        row = held.get(piece["trajectory_id"])
        name = f"splits.parquet, {piece['trajectory_id']}"
        if row is None:
            yield f"{name}: it is split and not accepted"
        elif row["sha256"] != piece["sha256"]:
            yield f"{name}: it was split from other values than the manifest's"
        elif not 0 <= piece["start"] < piece["stop"] <= row["length"]:
            yield f"{name}: samples {piece['start']} to {piece['stop']} of {row['length']}"
