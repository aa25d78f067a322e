"""Suites: tables of forecast origins, the same for every emulator.

A window is an origin: the context is samples origin - context .. origin - 1, the truth origin .. origin + horizon - 1.
In each segment of the suite's split, ``count`` origins are spaced evenly from ``start + context`` to
``stop - horizon`` (both possible; fewer where the segment has fewer). Values are the clean signal. Each row carries what
scores are measured in: interval and exponent of its trajectory, and the climate of its system (mean and standard
deviation of the clean training split, or, for a system held out from training, of all its trajectories).
"""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from strangecast.core.errors import ConfigError, DataError, ResultsError, unknown
from strangecast.core.hashing import digest
from strangecast.core.schemas import WINDOWS
from strangecast.core.spec import Spec
from strangecast.core.tables import read_labels, read_parquet, write_parquet
from strangecast.data.labels import MADE
from strangecast.data.rows import table_of
from strangecast.data.store import Dataset, Segment


def build_windows(plan: dict[str, Any], root: Path) -> None:
    """Write ``windows.parquet`` of a suite plan.

    Labels: ``content`` (digest of all windows), ``contents`` (JSON, one digest per dataset, so that a job about one
    dataset need not notice another), ``datasets`` (JSON, name to folder relative to the suite's folder), ``splits``
    (JSON, content of each dataset read) and ``made`` (the plan's hash of settings and code, where it has one).

    Raises:
        ConfigError: numbers that cannot work.
        DataError: no segment of a dataset is long enough; the message says how long it must be.
    """
    folder = root / plan["folder"]
    part = plan["config"].get("split", "test")
    rows: list[dict[str, Any]] = []
    contents: dict[str, str] = {}
    splits: dict[str, str] = {}
    for name, about in plan["datasets"].items():
        dataset = Dataset.open(root / about["folder"])
        found = _dataset_rows(plan["name"], name, dataset, part, about["window"], plan["config"].get("systems"))
        identity = [{k: v for k, v in row.items() if k != "suite"} for row in found]
        contents[name] = digest(identity, dataset.spec.to_json())
        splits[name] = dataset.content
        rows += found
    labels = {
        "content": digest(contents),
        "contents": json.dumps(contents, sort_keys=True),
        "datasets": json.dumps(
            {n: Path(os.path.relpath(root / d["folder"], folder)).as_posix() for n, d in plan["datasets"].items()}
        ),
        "splits": json.dumps(splits, sort_keys=True),
    }
    if plan.get("hash"):
        labels[MADE] = plan["hash"]
    write_parquet(folder / "windows.parquet", table_of(rows, WINDOWS), WINDOWS, labels)


def origins(start: int, stop: int, context: int, horizon: int, count: int) -> np.ndarray:
    """Evenly spaced origins in samples start .. stop - 1, at most ``count``, none where the segment is too short."""
    first, last = start + context, stop - horizon
    if last < first or count < 1:
        return np.zeros(0, np.int64)
    return np.unique(np.linspace(first, last, count).astype(np.int64)) if count > 1 else np.array([first])


def _dataset_rows(
    suite: str, name: str, dataset: Dataset, part: str, window: dict[str, Any], systems: list[str] | None
) -> list[dict[str, Any]]:
    context, horizon, count = int(window["context"]), int(window["horizon"]), int(window["count"])
    if min(context, horizon, count) < 1:
        raise ConfigError(f"dataset '{name}': window context, horizon and count must be at least 1, found {window}")
    prefixes = window.get("prefixes") or []
    if prefixes and max(prefixes) > horizon:
        raise ConfigError(f"dataset '{name}': prefix {max(prefixes)} is beyond the horizon {horizon}")
    segments = _of_systems(suite, dataset, dataset.segments(part), systems)
    if not dataset.many and not dataset.segments("train"):
        raise DataError(f"{dataset.folder} has no training split")
    rows = []
    counters: dict[str, int] = {}
    for segment in segments:
        for origin in origins(segment.start, segment.stop, context, horizon, count):
            number = counters.get(segment.trajectory_id, 0)
            counters[segment.trajectory_id] = number + 1
            rows.append(_row(suite, name, dataset, segment, number, int(origin), context, horizon))
    if not rows:
        longest = max((len(s) for s in segments), default=0)
        raise DataError(
            f"suite '{suite}' gets no window from dataset '{name}': a {part} segment must hold context + horizon = "
            f"{context} + {horizon} = {context + horizon} samples, the longest holds {longest}"
        )
    return rows


def _of_systems(suite: str, dataset: Dataset, segments: list[Segment], systems: list[str] | None) -> list[Segment]:
    """Segments of the systems that the suite lists, all where it lists none."""
    if systems is None:
        return segments
    there = {dataset.system(s.trajectory_id) for s in segments}
    for system in systems:
        if system not in there:
            raise ConfigError(f"suite '{suite}', dataset '{dataset.name}': {unknown('system', str(system), there)}")
    return [s for s in segments if dataset.system(s.trajectory_id) in systems]


def _row(
    suite: str, name: str, dataset: Dataset, segment: Segment, number: int, origin: int, context: int, horizon: int
) -> dict[str, Any]:
    system = dataset.system(segment.trajectory_id)
    mean, std = dataset.climate_of(system)
    return {
        "suite": suite,
        "dataset": name,
        "system": system,
        "trajectory_id": segment.trajectory_id,
        "window": number,
        "origin": origin,
        "context": context,
        "horizon": horizon,
        "dt": dataset.dt(segment.trajectory_id),
        "lyapunov": dataset.lyapunov(segment.trajectory_id),
        "climate_mean": mean,
        "climate_std": std,
        "sha256": dataset.sha256(segment.trajectory_id),
    }


class Windows:
    """The windows of a suite; use :meth:`open`.

    Row numbers refer to :attr:`table`. A call takes rows of equal C, grid and horizon, of one dataset or several.

    Attributes:
        content: digest of all windows.
        contents: digest of each dataset's windows by name.
        datasets: the opened datasets by name, in the suite's order.
    """

    def __init__(self, table: pa.Table, labels: dict[str, str], folder: Path) -> None:
        self._table = table
        self.content = labels["content"]
        self.contents: dict[str, str] = json.loads(labels["contents"])
        self.datasets: dict[str, Dataset] = {
            name: Dataset.open((folder / where).resolve()) for name, where in json.loads(labels["datasets"]).items()
        }
        self._dataset = table.column("dataset").to_pylist()
        self._trajectory = table.column("trajectory_id").to_pylist()
        self._origin = table.column("origin").to_numpy()
        self._context = table.column("context").to_numpy()
        self._horizon = table.column("horizon").to_numpy()
        origin_of = set(zip(self._dataset, self._trajectory, table["sha256"].to_pylist(), strict=True))
        for name, trajectory, sha in sorted(origin_of):
            if self.datasets[name].sha256(trajectory) != sha:
                raise ResultsError(f"{folder} holds windows of other data of '{name}'; run `windows` again")

    @classmethod
    def open(cls, root: Path, folder: Path | str) -> Windows:
        """Open ``ROOT/suites/<name>``.

        Args:
            root: ``results/<scale>``.
            folder: the suite's folder, relative to ``root``.

        Raises:
            ResultsError: a file is missing, damaged or made from other data.
        """
        path = Path(root) / folder / "windows.parquet"
        table = read_parquet(path, WINDOWS)
        return cls(table, read_labels(path), path.parent)

    def __len__(self) -> int:
        return self._table.num_rows

    @cached_property
    def table(self):
        """The windows as a pandas frame with the columns of ``schemas.WINDOWS``."""
        return self._table.to_pandas()

    def spec(self, dataset: str) -> Spec:
        """Spec of a dataset of the suite."""
        return self.datasets[dataset].spec

    def rows(self, dataset: str) -> np.ndarray:
        """Row numbers of one dataset's windows."""
        return np.array([i for i, name in enumerate(self._dataset) if name == dataset], np.int64)

    def context(self, rows: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """The last ``steps`` samples before each origin: values [B, T, C, *grid] and times [B, T], T = steps.

        Raises:
            DataError: a window has a shorter context.
        """
        if steps < 1 or (self._context[rows] < steps).any():
            shortest = int(self._context[rows].min())
            raise DataError(f"{steps} context steps were asked for, the windows offer 1 to {shortest}")
        return self._slices(rows, -steps, 0)

    def truth(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The samples from each origin on: values [B, H, C, *grid] and times [B, H].

        Raises:
            DataError: the windows have different horizons.
        """
        horizons = np.unique(self._horizon[rows])
        if len(horizons) != 1:
            raise DataError(f"windows of different horizons {horizons.tolist()} cannot stand in one array")
        return self._slices(rows, 0, int(horizons[0]))

    def state(self, rows: np.ndarray) -> np.ndarray:
        """[B, D], the full state at each origin (the first sample of the truth)."""
        return np.stack([self._of(i).state(self._trajectory[i])[self._origin[i]] for i in rows])

    def parameters(self, rows: np.ndarray) -> np.ndarray:
        """[B, P], the system's parameters."""
        return np.stack([self._of(i).parameters(self._trajectory[i]) for i in rows])

    def _of(self, i: int) -> Dataset:
        return self.datasets[self._dataset[i]]

    def _slices(self, rows: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        pick = [(self._of(i), self._trajectory[i], int(self._origin[i])) for i in rows]
        try:
            values = np.stack([d.values(t)[o + first : o + last] for d, t, o in pick])
        except ValueError as e:
            names = sorted({d.name for d, _, _ in pick})
            raise DataError(f"windows of {', '.join(names)} have different channels or grids: take them apart") from e
        return values, np.stack([d.times(t)[o + first : o + last] for d, t, o in pick])
