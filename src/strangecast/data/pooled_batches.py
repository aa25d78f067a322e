"""Training batches of one member that learns from many systems, which may differ in channels, sampling and length.

A batch is homogeneous in channels and grid: first the bucket of systems with equal shape is drawn (with probability
proportional to its number of systems), then for every window a system of it, then an origin among all of that system's.
So every system is equally likely, however many trajectories it has. The batch of update n is a pure function of
(the member's key, n). Windows are cut from the mapped files when they are drawn; nothing is copied beforehand, so that a
corpus may be larger than memory.
"""

from __future__ import annotations

import numpy as np
import torch

from strangecast.core.errors import DataError
from strangecast.core.streams import counter_integers
from strangecast.data.pools import Pools, noise_of, stacked, validation_batches
from strangecast.data.store import Dataset
from strangecast.data.training_batches import Batch


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
        self._pools = training_pools(datasets, context, horizon, noise)
        self._buckets = self._pools.by_shape()

    @property
    def S(self) -> int:
        """One member."""
        return 1

    def systems(self, split: str = "train") -> list[str]:
        """Names of the systems that offer windows, bucket by bucket."""
        length = self.context_steps + self.horizon
        pools = self._pools if split == "train" else Pools(self.datasets, split, length, self._noise)
        return [p.system for bucket in pools.by_shape() for p in bucket]

    def batch(self, n: int, keys: np.ndarray, batch_size: int) -> Batch:
        """The batch of update ``n``: [S, B, ...] with S equal windows where ``keys`` repeats one key.

        Args:
            n: number of the update.
            keys: [S] uint64, all equal.
            batch_size: B.

        Raises:
            DataError: keys differ; a member's bucket would depend on its neighbours.
        """
        key = only_key(keys)
        sizes = np.cumsum([len(b) for b in self._buckets])
        first = int(counter_integers(key, n, 1, sizes[-1:])[0, 0])
        bucket = self._buckets[int(np.searchsorted(sizes, first, side="right"))]
        # Draw 0 chose the bucket, draws 1 .. B choose systems, B + 1 .. 2 B origins.
        systems = counter_integers(key, n, batch_size + 1, np.array([len(bucket)]))[0, 1:]
        counts = np.array([bucket[s].count for s in systems])
        high = np.concatenate([np.ones(batch_size + 1, np.int64), counts])[None]
        origins = counter_integers(key, n, 2 * batch_size + 1, high)[0, batch_size + 1 :]
        windows = [self._pools.window(bucket[s], int(o)) for s, o in zip(systems, origins, strict=True)]
        return stacked(windows, self.context_steps, self._dtype, len(keys))

    def validation(self, count: int) -> list[Batch]:
        """About ``count`` windows: systems spaced evenly over all there are, windows evenly over each; by bucket.

        Raises:
            DataError: no system has a validation window.
        """
        return validation_batches(self.datasets, self.context_steps, self.horizon, count, self._noise, self._dtype)

    def series(self, member: int, split: str = "train") -> list[np.ndarray]:
        """All segments [T, C, *grid] of a split as training sees them; C differs between systems."""
        return [d.observed(s, noise_of(d, self._noise)) for d in self.datasets for s in d.segments(split)]


def training_pools(datasets: list[Dataset], context: int, horizon: int, noise: float | None, lead: int = 0) -> Pools:
    """Windows of the training splits, of ``lead`` more samples than context and horizon.

    Raises:
        DataError: no training segment is long enough for one window.
    """
    pools = Pools(datasets, "train", lead + context + horizon, noise)
    if not pools.pools:
        before = f"{lead} + " if lead else ""
        raise DataError(
            f"{', '.join(d.name for d in datasets[:3])}{', ...' if len(datasets) > 3 else ''}: no training segment "
            f"holds {'augmentation + ' if lead else ''}context + horizon = {before}{context} + {horizon} samples"
        )
    return pools


def only_key(keys: np.ndarray) -> np.ndarray:
    """The key [1] that all members [S] have.

    Raises:
        DataError: keys differ.
    """
    if len(set(keys.tolist())) != 1:
        raise DataError("members that learn from pooled systems are trained one at a time")
    return keys[:1]
