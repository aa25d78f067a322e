"""Pooled training batches whose windows are augmented before they are put together.

Systems are as likely as without augmentation, and a batch is homogeneous in the channels that its samples have
afterwards (see ``composition.py``). Windows are read with as many samples before the context as the augmentation costs.
Validation is as it is without: what selects weights is the signal itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from strangecast.core.errors import ConfigError
from strangecast.core.streams import counter_integers, key64
from strangecast.data.augmentations.pipeline import Pipeline
from strangecast.data.composition import augmented, compose, lead
from strangecast.data.pooled_batches import only_key, training_pools
from strangecast.data.pools import Window, noise_of, stacked, validation_batches
from strangecast.data.store import Dataset
from strangecast.data.training_batches import Batch

_NOTHING = np.zeros(0)  # parameters of a signal that is of no one system any more


class AugmentedData:
    """As :class:`PooledData`, augmented.

    Args:
        datasets: all that the member learns from; each holds one system or many.
        context: T, steps before the origin.
        horizon: H, steps from the origin on.
        augmentation: resolved YAML of conf/augmentation.
        noise: standard deviation in units of each channel's, added before anything else; None for what each dataset's
            recipe says.
        dtype: of values and targets.

    Raises:
        ConfigError: fields on a grid, or an augmentation that cannot work.
        DataError: no training segment is long enough for one window.
    """

    def __init__(
        self,
        datasets: list[Dataset],
        context: int,
        horizon: int,
        augmentation: dict[str, Any],
        noise: float | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.datasets = datasets
        self.context_steps = context
        self.horizon = horizon
        self._noise = noise
        self._dtype = dtype
        self.pipeline = Pipeline.from_config(augmentation)
        shapes = [p.shape for p in training_pools(datasets, context, horizon, noise).pools]
        for _, grid in shapes:
            if grid:
                raise ConfigError(
                    f"augmentations act on systems without a grid, {datasets[0].name} has one: {list(grid)}"
                )
        lost = lead(self.pipeline, np.array([c for c, _ in shapes]))
        self._pools = training_pools(datasets, context, horizon, noise, lost)
        self._channels = np.array([p.shape[0] for p in self._pools.pools])

    @property
    def S(self) -> int:
        """One member."""
        return 1

    def ahead(self, batch_size: int) -> int:
        """How many batches to make in advance, where a thread is free for it."""
        return 2

    def batch(self, n: int, keys: np.ndarray, batch_size: int) -> Batch:
        """The batch of update ``n``: [S, B, ...] with S equal windows where ``keys`` repeats one key.

        Args:
            n: number of the update.
            keys: [S] uint64, all equal.
            batch_size: B.

        Raises:
            DataError: keys differ.
        """
        key = int(only_key(keys)[0])
        made = compose(self._channels, batch_size, self.pipeline, "augmented", key, n)
        windows = self._windows(made.sources, "window", key, n)
        paired = np.flatnonzero(made.partners >= 0)
        seconds = self._windows(made.partners[paired], "partner", key, n)
        length = self.context_steps + self.horizon
        values = augmented(
            self.pipeline,
            [w.values for w in windows],
            {int(r): w.values for r, w in zip(paired, seconds, strict=True)},
            made.keys,
            length,
        )
        done = [Window(v.numpy(), w.times[-length:], _NOTHING) for v, w in zip(values, windows, strict=True)]
        return stacked(done, self.context_steps, self._dtype, len(keys))

    def validation(self, count: int) -> list[Batch]:
        """About ``count`` windows as they are, see :class:`PooledData`.

        Raises:
            DataError: no system has a validation window.
        """
        return validation_batches(self.datasets, self.context_steps, self.horizon, count, self._noise, self._dtype)

    def series(self, member: int, split: str = "train") -> list[np.ndarray]:
        """All segments [T, C] of a split with noise, not augmented; C differs between systems."""
        return [d.observed(s, noise_of(d, self._noise)) for d in self.datasets for s in d.segments(split)]

    def _windows(self, sources: np.ndarray, *key: Any) -> list[Window]:
        """One keyed window of each source."""
        pools = [self._pools.pools[s] for s in sources]
        counts = np.array([[p.count for p in pools]], np.int64)
        numbers = counter_integers(np.array([key64(*key)], np.uint64), 0, len(pools), counts)[0]
        return [self._pools.window(p, int(i)) for p, i in zip(pools, numbers, strict=True)]
