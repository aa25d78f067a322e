"""A dataset as later rooms see it: a Spec, segments of the splits, and trajectories mapped from their shards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from strangecast.core.errors import DataError, unknown
from strangecast.core.schemas import SPLITS
from strangecast.core.spec import Spec
from strangecast.core.streams import stream
from strangecast.core.tables import read_labels, read_parquet
from strangecast.data.shards import Shard
from strangecast.data.splits import PARTS


@dataclass(frozen=True)
class Segment:
    """Samples ``start`` .. ``stop - 1`` of one trajectory."""

    trajectory_id: str
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


class Dataset:
    """A split dataset; use :meth:`open`. Values are the clean signal, float64, read-only views of the mapped files.

    Attributes:
        folder: where its files are.
        spec: what an emulator may know.
        content: digest of everything a training or scoring job reads.
        noise: standard deviation of the observation noise of training data, in units of a channel's.
    """

    def __init__(self, folder: Path, spec: Spec, content: str, noise: float, rows: list[dict]) -> None:
        self.folder = folder
        self.spec = spec
        self.content = content
        self.noise = noise
        self._rows = rows
        self._where = {r["trajectory_id"]: (r["shard"], r["row"], r["sha256"]) for r in rows}
        self._shards: dict[str, Shard] = {}

    @classmethod
    def open(cls, folder: Path | str) -> Dataset:
        """Open ``ROOT/data/<name>``; shards are mapped when first needed.

        Raises:
            ResultsError: ``splits.parquet`` is missing or damaged.
        """
        path = Path(folder) / "splits.parquet"
        rows = read_parquet(path, SPLITS).to_pylist()
        labels = read_labels(path)
        spec = Spec.from_json(json.loads(labels["spec"]))
        return cls(Path(folder), spec, labels["content"], float(json.loads(labels["noise"])), rows)

    @property
    def name(self) -> str:
        """Name of the dataset's folder."""
        return self.folder.name

    def segments(self, split: str) -> list[Segment]:
        """Contiguous pieces of a split, in key order.

        Raises:
            DataError: no such split.
        """
        if split not in PARTS:
            raise DataError(unknown("split", split, PARTS))
        return [Segment(r["trajectory_id"], r["start"], r["stop"]) for r in self._rows if r["split"] == split]

    def values(self, trajectory_id: str) -> np.ndarray:
        """[T, C, *grid]; the digest is checked when a trajectory is first read.

        Raises:
            DataError: unknown trajectory, or a damaged shard.
        """
        shard, row, sha256 = self._locate(trajectory_id)
        return shard.values(row, sha256)

    def times(self, trajectory_id: str) -> np.ndarray:
        """[T] physical times, float64; 0 at the first sample where sampling is even."""
        if self.spec.dt is not None:
            return np.arange(len(self.values(trajectory_id))) * self.spec.dt
        shard, row, _ = self._locate(trajectory_id)
        return shard.times(row)

    def state(self, trajectory_id: str) -> np.ndarray:
        """[T, D], the full state at every sample."""
        shard, row, _ = self._locate(trajectory_id)
        return shard.state(row)

    def parameters(self, trajectory_id: str) -> np.ndarray:
        """[P], in the order of ``spec.parameters``."""
        shard, row, _ = self._locate(trajectory_id)
        return np.array(shard.get("parameters", row), np.float64)

    def sha256(self, trajectory_id: str) -> str:
        """Digest of a trajectory's values."""
        return self._find(trajectory_id)[2]

    @cached_property
    def climate(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation [C] of the clean training split, over time and grid."""
        parts = [self.values(s.trajectory_id)[s.start : s.stop] for s in self.segments("train")]
        if not parts:
            raise DataError(f"{self.folder} has no training split")
        pooled = np.concatenate([np.moveaxis(p, 1, -1).reshape(-1, self.spec.C) for p in parts])
        return pooled.mean(axis=0), pooled.std(axis=0)

    def observed(self, segment: Segment, noise: float) -> np.ndarray:
        """[stop - start, C, *grid]: a segment as a noisy instrument would record it.

        Adds independent normal noise of ``noise`` climate standard deviations to every sample. The numbers are keyed by
        system and trajectory and drawn for the whole trajectory, so a sample carries the same noise in every window,
        epoch and run. The clean values are returned as they are where ``noise`` is 0.
        """
        clean = self.values(segment.trajectory_id)
        if not noise:
            return clean[segment.start : segment.stop]
        draws = stream("noise", self.spec.system, segment.trajectory_id).standard_normal(clean.shape)
        std = self.climate[1].reshape((1, -1) + (1,) * (clean.ndim - 2))
        return (clean + noise * std * draws)[segment.start : segment.stop]

    def _find(self, trajectory_id: str) -> tuple[str, int, str]:
        if trajectory_id not in self._where:
            raise DataError(f"{self.folder}: {unknown('trajectory', trajectory_id, self._where)}")
        return self._where[trajectory_id]

    def _locate(self, trajectory_id: str) -> tuple[Shard, int, str]:
        name, row, sha256 = self._find(trajectory_id)
        if name not in self._shards:
            self._shards[name] = Shard(self.folder / name)
        shard = self._shards[name]
        if row >= len(shard) or shard.get("trajectory_id", row) != trajectory_id:
            raise DataError(
                f"{shard.path} is not the file that was split: row {row} is not {trajectory_id}; split again"
            )
        return shard, row, sha256
