"""A dataset as later rooms see it: a Spec, segments of the splits, and trajectories mapped from their shards.

A dataset holds one system or many. What differs between trajectories (system, parents, channels, interval, exponent)
stands in the split table, so that it is known without opening a shard.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from strangecast.core.errors import DataError, unknown
from strangecast.core.schemas import SPLITS
from strangecast.core.spec import Spec
from strangecast.core.streams import stream
from strangecast.core.tables import read_labels, read_parquet
from strangecast.data.parts import PARTS
from strangecast.data.shards import Shard


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
        spec: what an emulator may know; of many systems what they have in common, and no system.
        content: digest of everything a training or scoring job reads.
        noise: standard deviation of the observation noise of training data, in units of a channel's.
    """

    def __init__(self, folder: Path, spec: Spec, content: str, noise: float, rows: list[dict]) -> None:
        self.folder = folder
        self.spec = spec
        self.content = content
        self.noise = noise
        self._rows = rows
        self._first = {}
        for r in rows:
            self._first.setdefault(r["trajectory_id"], r)
        self._shards: dict[str, Shard] = {}
        self._climates: dict[str, tuple[np.ndarray, np.ndarray]] = {}

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

    @property
    def many(self) -> bool:
        """Whether it holds several systems; its Spec then says what they have in common."""
        return not self.spec.system

    def segments(self, split: str) -> list[Segment]:
        """Contiguous pieces of a split, in key order.

        Raises:
            DataError: no such split.
        """
        if split not in PARTS:
            raise DataError(unknown("split", split, PARTS))
        return [Segment(r["trajectory_id"], r["start"], r["stop"]) for r in self._rows if r["split"] == split]

    @property
    def systems(self) -> list[str]:
        """Names of its systems, in key order."""
        return list(dict.fromkeys(r["system"] for r in self._rows))

    def system(self, trajectory_id: str) -> str:
        """Name of a trajectory's system."""
        return self._find(trajectory_id)["system"]

    def parents(self, trajectory_id: str) -> tuple[str, ...]:
        """Driver and response of a skew product; () of other systems."""
        return tuple(self._find(trajectory_id)["parents"] or ())

    def channels(self, trajectory_id: str) -> int:
        """C of a trajectory."""
        return self._find(trajectory_id)["channels"]

    def dt(self, trajectory_id: str) -> float | None:
        """Sampling interval of a trajectory, None where it is irregular."""
        return self._find(trajectory_id)["dt"]

    def lyapunov(self, trajectory_id: str) -> float | None:
        """Largest exponent per time unit of a trajectory's parameters, None where unknown."""
        return self._find(trajectory_id)["lyapunov"]

    def spec_of(self, trajectory_id: str) -> Spec:
        """What an emulator may know of one trajectory: channels, parameters and interval of its own system."""
        if not self.many:
            return replace(self.spec, dt=self.dt(trajectory_id), lyapunov=self.lyapunov(trajectory_id))
        shard, row, _ = self._locate(trajectory_id)
        return replace(shard.spec_of(row), context_range=self.spec.context_range)

    def values(self, trajectory_id: str) -> np.ndarray:
        """[T, C, *grid]; the digest is checked when a trajectory is first read.

        Raises:
            DataError: unknown trajectory, or a damaged shard.
        """
        shard, row, sha256 = self._locate(trajectory_id)
        return shard.values(row, sha256)

    def times(self, trajectory_id: str) -> np.ndarray:
        """[T] physical times, float64; 0 at the first sample where sampling is even."""
        dt = self.dt(trajectory_id)
        if dt is not None:
            return np.arange(len(self.values(trajectory_id))) * dt
        shard, row, _ = self._locate(trajectory_id)
        return shard.times(row)

    def state(self, trajectory_id: str) -> np.ndarray:
        """[T, D], the full state at every sample."""
        shard, row, _ = self._locate(trajectory_id)
        return shard.state(row)

    def parameters(self, trajectory_id: str) -> np.ndarray:
        """[P], in the order of ``spec_of(trajectory_id).parameters``."""
        shard, row, _ = self._locate(trajectory_id)
        return np.array(shard.get("parameters", row), np.float64)

    def sha256(self, trajectory_id: str) -> str:
        """Digest of a trajectory's values."""
        return self._find(trajectory_id)["sha256"]

    @property
    def climate(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation [C] of the clean training split, over time and grid.

        Raises:
            DataError: the dataset has no training split, or many systems (ask :meth:`climate_of`).
        """
        systems = self.systems
        if self.many or len(systems) != 1:
            raise DataError(f"{self.folder} holds {len(systems)} systems, each with a climate of its own")
        if not any(r["split"] == "train" for r in self._rows):
            raise DataError(f"{self.folder} has no training split")
        return self.climate_of(systems[0])

    def climate_of(self, system: str) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation [C] of one system's clean signal, over time, grid and trajectories.

        Of its training split where it has one; a held-out system has none, then of all its segments.

        Raises:
            DataError: no such system.
        """
        if system not in self._climates:
            own = [r for r in self._rows if r["system"] == system]
            if not own:
                raise DataError(f"{self.folder}: {unknown('system', system, self.systems)}")
            own = [r for r in own if r["split"] == "train"] or own
            parts = [self.values(r["trajectory_id"])[r["start"] : r["stop"]] for r in own]
            pooled = np.concatenate([np.moveaxis(p, 1, -1).reshape(-1, p.shape[1]) for p in parts])
            self._climates[system] = pooled.mean(axis=0), pooled.std(axis=0)
        return self._climates[system]

    def observed(self, segment: Segment, noise: float) -> np.ndarray:
        """[stop - start, C, *grid]: a segment as a noisy instrument would record it.

        Adds independent normal noise of ``noise`` climate standard deviations to every sample. The numbers are keyed by
        system and trajectory and drawn for the whole trajectory, so a sample carries the same noise in every window,
        epoch and run. The clean values are returned as they are where ``noise`` is 0.
        """
        clean = self.values(segment.trajectory_id)
        if not noise:
            return clean[segment.start : segment.stop]
        system = self.system(segment.trajectory_id)
        draws = stream("noise", system, segment.trajectory_id).standard_normal(clean.shape)
        std = self.climate_of(system)[1].reshape((1, -1) + (1,) * (clean.ndim - 2))
        return (clean + noise * std * draws)[segment.start : segment.stop]

    def _find(self, trajectory_id: str) -> dict:
        if trajectory_id not in self._first:
            raise DataError(f"{self.folder}: {unknown('trajectory', trajectory_id, self._first)}")
        return self._first[trajectory_id]

    def _locate(self, trajectory_id: str) -> tuple[Shard, int, str]:
        about = self._find(trajectory_id)
        name, row = about["shard"], about["row"]
        if name not in self._shards:
            self._shards[name] = Shard(self.folder / name)
        shard = self._shards[name]
        if row >= len(shard) or shard.get("trajectory_id", row) != trajectory_id:
            raise DataError(
                f"{shard.path} is not the file that was split: row {row} is not {trajectory_id}; split again"
            )
        return shard, row, about["sha256"]
