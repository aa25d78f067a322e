"""Batches made ahead in one background thread. Which batch is made when changes no bit: it depends on its number alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from strangecast.data.training_batches import Batch, TrainingWindows


class Prefetched:
    """Another source of batches, asked from a thread of its own.

    All batches are made by that thread, one after the other. After update n those up to n + ``ahead`` are made; a jump
    (another key, size or place) throws away what was made for elsewhere.

    Args:
        data: any source of batches.
        ahead: how many batches at most are kept ready.
    """

    def __init__(self, data: TrainingWindows, ahead: int) -> None:
        self.data = data
        self._ahead = ahead
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._ready: dict[tuple[int, bytes, int], Future[Batch]] = {}

    @property
    def S(self) -> int:
        """Number of members."""
        return self.data.S

    def batch(self, n: int, keys: np.ndarray, batch_size: int) -> Batch:
        """The batch of update ``n``, see the data's own."""
        wanted = [(m, keys.tobytes(), batch_size) for m in range(n, n + 1 + self._ahead)]
        for old in self._ready.keys() - set(wanted):
            self._ready.pop(old).cancel()
        for key in wanted:
            if key not in self._ready:
                self._ready[key] = self._pool.submit(self.data.batch, key[0], keys.copy(), batch_size)
        return self._ready.pop(wanted[0]).result()

    def validation(self, count: int) -> list[Batch]:
        """See the data's own."""
        return self._pool.submit(self.data.validation, count).result()

    def series(self, member: int, split: str = "train") -> Sequence[np.ndarray]:
        """See the data's own."""
        return self._pool.submit(self.data.series, member, split).result()

    def close(self) -> None:
        """Drop what is waiting, and wait for the batch that is being made."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._ready.clear()

    def __enter__(self) -> Prefetched:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()
