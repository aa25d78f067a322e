"""Which files of a dataset must go so that a part of it is made again, and their removal.

A shard is made as a whole, so the least that can be removed is the shards that hold a system or a split. What was made
from them goes with them, and goes first: an interruption at any moment leaves files whose sources are all there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strangecast.core.errors import DataError, ResultsError, unknown
from strangecast.core.schemas import MANIFEST, SPLITS
from strangecast.core.tables import read_parquet
from strangecast.data.parts import PARTS


@dataclass(frozen=True)
class Cleaning:
    """What is to be removed.

    Attributes:
        folder: of the dataset.
        files: to remove, in this order, with the rule that makes each again.
        trajectories: that go, of the system and split asked for.
        neighbours: other systems that have trajectories in the same shards.
    """

    folder: Path
    files: dict[Path, str]
    trajectories: int
    neighbours: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(f.stat().st_size for f in self.files if f.exists())


def to_clean(plan: dict[str, Any], root: Path, system: str | None = None, split: str | None = None) -> Cleaning:
    """What has to go of a dataset; all of it by default.

    Args:
        plan: dataset plan.
        root: ``results/<scale>``.
        system: only shards that hold trajectories of this system.
        split: only shards that hold trajectories of this split (of that system, where one is named).

    Raises:
        DataError: there is no such dataset, system or split.
        ResultsError: a part is asked for, and the table that says where it lies is missing or damaged.
    """
    folder, rule = root / plan["folder"], plan.get("made_by", "generate")
    present = sorted(folder.glob("shard-*.arrow"))
    derived = {folder / "splits.parquet": "split", folder / "manifest.parquet": "filter"}
    derived = {file: rule for file, rule in derived.items() if file.exists()}
    if not present and not derived:
        raise DataError(f"there is nothing to clean: {folder} holds no files of dataset '{plan['name']}'")
    if split is not None and split not in PARTS:
        raise DataError(unknown("split", split, PARTS))
    rows, held = _rows(folder, plan["name"], system, split)
    if held is None:
        return Cleaning(folder, derived | dict.fromkeys(present, rule), len(rows), ())
    chosen = [folder / name for name in sorted({r["shard"] for r in held})]
    there = {r["system"] for r in rows if folder / r["shard"] in chosen}
    neighbours = tuple(sorted(there - {r["system"] for r in held}))
    return Cleaning(folder, derived | {f: rule for f in chosen if f.exists()}, len(held), neighbours)


def _rows(
    folder: Path, name: str, system: str | None, split: str | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None]:
    """Rows of the manifest, and those asked for (None: all). A damaged table is no obstacle to removing everything."""
    asked = system is not None or split is not None
    columns = ["trajectory_id", "shard", "system"]
    try:
        rows = read_parquet(folder / "manifest.parquet", MANIFEST).select(columns).to_pylist()
        if not asked:
            return rows, None
        held = rows
        if split is not None:
            pieces = read_parquet(folder / "splits.parquet", SPLITS).select([*columns, "split"]).to_pylist()
            held = list({p["trajectory_id"]: p for p in pieces if p["split"] == split}.values())
    except ResultsError as e:
        if not asked:
            return [], None
        raise ResultsError(f"{e}; without it nobody knows in which shards a part lies: clean the whole dataset") from e
    if system is not None:
        if system not in {r["system"] for r in rows}:
            raise DataError(f"dataset '{name}': {unknown('system', system, {r['system'] for r in rows})}")
        held = [r for r in held if r["system"] == system]
    if not held:
        of = f" of {system}" if system else ""
        raise DataError(f"dataset '{name}' has no trajectory{of} in split '{split}'")
    return rows, held


def remove(files: Iterable[Path]) -> None:
    """Remove files in the order given.

    Raises:
        ResultsError: one cannot be removed; those after it are untouched.
    """
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError as e:
            raise ResultsError(f"cannot remove {file}: {e.strerror}; what comes after it was left") from e
