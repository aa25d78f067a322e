"""Is every result file the one that was written? Reads all bytes, names damaged files and the rules that make them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from strangecast.core.errors import ResultsError, StrangecastError
from strangecast.core.hashing import file_digest
from strangecast.core.schemas import SPLITS
from strangecast.core.seal import seal_problem
from strangecast.core.tables import read_arrow, read_parquet
from strangecast.data.shards import Shard
from strangecast.data.windows import Windows
from strangecast.evaluation.summary import CLAIMS_FILE, LEADERBOARD_FILE, claims_text, leaderboard_text

Damage = tuple[str, str, str]

# Sealed files by the rule that makes them; the first pattern that fits counts.
_SEALED = (
    ("data/*/shard-*.arrow", "generate"),
    ("data/*/manifest.parquet", "filter"),
    ("data/*/splits.parquet", "split"),
    ("suites/*/windows.parquet", "windows"),
    ("runs/*/*/*/*/run.json", "train"),
    ("runs/*/*/*/*/history.parquet", "train"),
    ("runs/*/*/*/*/*/forecasts.arrow", "forecast"),
    ("runs/*/*/*/*/*/scores.parquet", "score"),
    ("*/analysis/*.parquet", "analyse"),
    ("*/claims.parquet", "claims"),
    ("*/runs.parquet", "compare"),
    ("*/scores.parquet", "compare"),
    ("*/comparisons.parquet", "compare"),
    ("lyapunov.parquet", "exponents"),
)


def verify_results(root: Path) -> list[Damage]:
    """Read every file that jobs read or write under ``root`` (not logs, plans, or what is drawn from tables).

    Args:
        root: ``results/<scale>``.

    Returns:
        (file relative to ``root``, what is wrong, rule that makes it), in the order of the DAG; none where all is well.

    Raises:
        ResultsError: there is no such folder.
    """
    if not root.is_dir():
        raise ResultsError(f"there is no folder {root}")
    damaged: dict[str, Damage] = {}
    for file, rule in _files(root):
        name = file.relative_to(root).as_posix()
        problem = seal_problem(file) or _unreadable(file)
        if problem:
            damaged[name] = (name, problem, rule)
    for file, problem, rule in (*_shards(root), *_splits(root), *_windows(root), *_weights(root), *_summaries(root)):
        damaged.setdefault(file, (file, problem, rule))
    return list(damaged.values())


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    for pattern, rule in _SEALED:
        for file in sorted(root.glob(pattern)):
            yield file, _maker(root, file) if rule == "generate" else rule


def _maker(root: Path, shard: Path) -> str:
    """The rule that made a shard: ``generate``, or ``import`` for own data."""
    plan = root / "plan" / "dataset" / f"{shard.parent.name}.json"
    try:
        return json.loads(plan.read_text(encoding="utf-8")).get("made_by", "generate")
    except (OSError, ValueError):
        return "generate"


def _unreadable(file: Path) -> str | None:
    try:
        if file.suffix == ".parquet":
            read_parquet(file)
        elif file.suffix == ".arrow":
            read_arrow(file).validate(full=True)
        else:
            json.loads(file.read_text(encoding="utf-8"))
    except (StrangecastError, ValueError, pa.ArrowException) as e:
        return f"it cannot be read ({str(e).splitlines()[0]})"
    return None


def _shards(root: Path) -> Iterator[Damage]:
    """Trajectories that do not have the digest in their row."""
    for path in sorted(root.glob("data/*/shard-*.arrow")):
        try:
            shard = Shard(path)
            for row in range(len(shard)):
                shard.values(row)
        except (StrangecastError, pa.ArrowException) as e:
            yield path.relative_to(root).as_posix(), str(e), _maker(root, path)


def _splits(root: Path) -> Iterator[Damage]:
    """Splits made from other trajectories than the shards hold."""
    for path in sorted(root.glob("data/*/splits.parquet")):
        try:
            rows = read_parquet(path, SPLITS).to_pylist()
            shards = {name: Shard(path.parent / name) for name in {r["shard"] for r in rows}}
            for row in rows:
                shard = shards[row["shard"]]
                if row["row"] >= len(shard) or shard.get("sha256", row["row"]) != row["sha256"]:
                    name = path.relative_to(root).as_posix()
                    yield name, f"it was made from another {row['trajectory_id']} than {row['shard']} holds", "split"
                    break
        except (StrangecastError, pa.ArrowException):
            continue  # a damaged file has been named already


def _windows(root: Path) -> Iterator[Damage]:
    """Windows made from other data than the splits hold."""
    for path in sorted(root.glob("suites/*/windows.parquet")):
        try:
            Windows.open(root, path.parent.relative_to(root))
        except (StrangecastError, KeyError, ValueError, pa.ArrowException) as e:
            yield path.relative_to(root).as_posix(), str(e), "windows"


def _weights(root: Path) -> Iterator[Damage]:
    """Files whose digests ``run.json`` holds."""
    for path in sorted(root.glob("runs/*/*/*/*/run.json")):
        try:
            files: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["files"]
        except (OSError, ValueError, KeyError):
            continue  # named already
        for name, digest in files.items():
            file = path.parent / name
            if not file.exists():
                yield file.relative_to(root).as_posix(), "it does not exist", "train"
            elif file_digest(file) != digest:
                yield file.relative_to(root).as_posix(), "its bytes are not those that run.json says", "train"


def _summaries(root: Path) -> Iterator[Damage]:
    """The CSV files on top, which can hold no digest, made again from the tables they come from."""
    texts: tuple[tuple[str, Callable[..., str]], ...] = (
        (CLAIMS_FILE, claims_text),
        (LEADERBOARD_FILE, leaderboard_text),
    )
    for name, make in texts:
        file = root / name
        if file.exists():
            try:
                text = file.read_text(encoding="utf-8")
                studies = dict.fromkeys(row["study"] for row in csv.DictReader(io.StringIO(text)))
                plans = [
                    json.loads((root / "plan" / "study" / f"{s}.json").read_text(encoding="utf-8")) for s in studies
                ]
                same = make(plans, root) == text
            except (OSError, ValueError, KeyError, TypeError, StrangecastError):
                same = False
            if not same:
                yield name, "it is not what the tables of its studies give", "summarise"
