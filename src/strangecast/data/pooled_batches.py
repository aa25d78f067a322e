"""Training batches of one member that learns from many systems, which may differ in channels, sampling and length.

A batch is homogeneous in channels and grid: first the bucket of systems with equal shape is drawn (with probability
proportional to its number of systems), then for every window a system of it, then an origin among all of that system's.
So every system is equally likely, however many trajectories it has. The batch of update n is a pure function of
(the member's key, n). Windows are cut from the mapped files when they are drawn; nothing is copied beforehand, so that a
corpus may be larger than memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from strangecast.core.context import Context
from strangecast.core.errors import DataError
from strangecast.core.streams import counter_integers
from strangecast.data.store import Dataset, Segment
from strangecast.data.training_batches import Batch

_PARTS = ("train", "validation")


class PooledData:
    """The training and validation splits of many systems, for one member.

    Args:
        datasets: all that the member learns from; each holds one system or many.
        context: T, steps before the origin.
        horizon: H, steps from the origin on.
        noise: standard deviation in units of each channel's; None for what each dataset's recipe says.
        dtype: of values and targets.

    Raises:
        DataError: no training segment is long enough for one window.
    """

    def __init__(
        self,
        datasets: list[Dataset],
        context: int,
        horizon: int,
        noise: float | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.datasets = datasets
        self.context_steps = context
        self.horizon = horizon
        self._noise = noise
        self._dtype = dtype
        self._buckets = {part: self._bucketed(part) for part in _PARTS}
        if not self._buckets["train"]:
            raise DataError(
                f"{', '.join(d.name for d in datasets[:3])}{', ...' if len(datasets) > 3 else ''}: no training segment "
                f"holds context + horizon = {context} + {horizon} samples"
            )

    @property
    def S(self) -> int:
        """One member."""
        return 1

    def systems(self, split: str = "train") -> list[str]:
        """Names of the systems that offer windows, bucket by bucket."""
        return [p.system for bucket in self._buckets[split] for p in bucket.pools]

    def batch(self, n: int, keys: np.ndarray, batch_size: int) -> Batch:
        """The batch of update ``n``: [S, B, ...] with S equal windows where ``keys`` repeats one key.

        Args:
            n: number of the update.
            keys: [S] uint64, all equal.
            batch_size: B.

        Raises:
            DataError: keys differ; a member's bucket would depend on its neighbours.
        """
        if len(set(keys.tolist())) != 1:
            raise DataError("members that learn from pooled systems are trained one at a time")
        key = keys[:1]
        buckets = self._buckets["train"]
        sizes = np.cumsum([len(b.pools) for b in buckets])
        first = int(counter_integers(key, n, 1, sizes[-1:])[0, 0])
        bucket = buckets[int(np.searchsorted(sizes, first, side="right"))]
        # Draw 0 chose the bucket, draws 1 .. B choose systems, B + 1 .. 2 B origins.
        systems = counter_integers(key, n, batch_size + 1, np.array([len(bucket.pools)]))[0, 1:]
        counts = np.array([bucket.pools[s].count for s in systems])
        high = np.concatenate([np.ones(batch_size + 1, np.int64), counts])[None]
        origins = counter_integers(key, n, 2 * batch_size + 1, high)[0, batch_size + 1 :]
        return self._gather([(bucket.pools[s], int(o)) for s, o in zip(systems, origins, strict=True)], len(keys))

    def validation(self, count: int) -> list[Batch]:
        """About ``count`` windows: systems spaced evenly over all there are, windows evenly over each; by bucket.

        Raises:
            DataError: no system has a validation window.
        """
        pools = [p for bucket in self._buckets["validation"] for p in bucket.pools]
        if not pools:
            raise DataError(f"no validation segment holds {self.context_steps} + {self.horizon} samples")
        chosen = np.linspace(0, len(pools) - 1, count).round().astype(int)
        picked: dict[tuple, list[tuple[_Pool, int]]] = {}
        for i in np.unique(chosen):
            pool, n = pools[i], int((chosen == i).sum())
            for origin in np.unique(np.linspace(0, pool.count - 1, n).astype(np.int64)):
                picked.setdefault(pool.shape, []).append((pool, int(origin)))
        return [self._gather(windows, 1) for windows in picked.values()]

    def series(self, member: int, split: str = "train") -> list[np.ndarray]:
        """All segments [T, C, *grid] of a split as training sees them; C differs between systems."""
        return [d.observed(s, self._of(d)) for d in self.datasets for s in d.segments(split)]

    def _of(self, dataset: Dataset) -> float:
        return dataset.noise if self._noise is None else self._noise

    def _bucketed(self, part: str) -> list[_Bucket]:
        need = self.context_steps + self.horizon
        pools: dict[tuple[int, str], _Pool] = {}
        for number, dataset in enumerate(self.datasets):
            for segment in dataset.segments(part):
                if len(segment) < need:
                    continue
                spec = dataset.spec_of(segment.trajectory_id)
                pool = pools.setdefault((number, spec.system), _Pool(dataset, spec.system, (spec.C, spec.grid)))
                pool.add(segment, len(segment) - need + 1)
        buckets: dict[tuple, _Bucket] = {}
        for pool in pools.values():
            buckets.setdefault(pool.shape, _Bucket([])).pools.append(pool)
        return [buckets[shape] for shape in sorted(buckets)]

    def _gather(self, windows: list[tuple[_Pool, int]], members: int) -> Batch:
        values, times, parameters = [], [], []
        for pool, number in windows:
            segment, start = pool.locate(number)
            stop = start + self.context_steps + self.horizon
            cut = Segment(segment.trajectory_id, segment.start + start, segment.start + stop)
            values.append(pool.dataset.observed(cut, self._of(pool.dataset)))
            times.append(pool.dataset.times(segment.trajectory_id)[cut.start : cut.stop])
            parameters.append(pool.dataset.parameters(segment.trajectory_id))
        stacked = torch.from_numpy(np.stack(values)).to(self._dtype)
        stacked = stacked.expand(members, *stacked.shape)
        clock = torch.from_numpy(np.stack(times)).expand(members, -1, -1)
        cut = self.context_steps
        same = len({len(p) for p in parameters}) == 1 and len(parameters[0]) > 0
        known = torch.from_numpy(np.stack(parameters)).to(self._dtype).expand(members, -1, -1) if same else None
        context = Context(stacked[:, :, :cut], clock[:, :, :cut], parameters=known)
        return Batch(context=context, target=stacked[:, :, cut:], times=clock[:, :, cut:])


class _Pool:
    """The segments of one system that hold at least one window."""

    def __init__(self, dataset: Dataset, system: str, shape: tuple) -> None:
        self.dataset = dataset
        self.system = system
        self.shape = shape
        self.segments: list[Segment] = []
        self._ends: list[int] = []

    @property
    def count(self) -> int:
        """Number of windows."""
        return self._ends[-1]

    def add(self, segment: Segment, windows: int) -> None:
        """Append a segment that holds so many windows."""
        self.segments.append(segment)
        self._ends.append(windows + (self._ends[-1] if self._ends else 0))

    def locate(self, number: int) -> tuple[Segment, int]:
        """The segment of window ``number``, and where the window starts in it."""
        i = int(np.searchsorted(self._ends, number, side="right"))
        return self.segments[i], number - (self._ends[i - 1] if i else 0)


@dataclass(frozen=True)
class _Bucket:
    """Systems of equal channels and grid."""

    pools: list[_Pool]
