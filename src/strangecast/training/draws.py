"""Random numbers of one update: a pure function of each member's key and the update's number."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from strangecast.core.streams import counter_bits, key64


class UpdateRandom:
    """Draws for all members of update ``n``; member s never sees its neighbours' keys.

    Draws are made on the CPU in float64, so that every device gets the same numbers. Each call names what it draws,
    and the same name gives the same numbers.

    Args:
        keys: [S] uint64.
        n: number of the update.
    """

    def __init__(self, keys: np.ndarray, n: int) -> None:
        self._keys = np.asarray(keys, np.uint64)
        self._n = n

    def uniform(self, name: str, *shape: int) -> Tensor:
        """[S, *shape] float64 in [0, 1)."""
        keys = self._keys ^ np.uint64(key64("draw", name))
        bits = counter_bits(keys, self._n, int(np.prod(shape, dtype=np.int64)))
        return torch.from_numpy((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53).view(len(keys), *shape)

    def normal(self, name: str, *shape: int) -> Tensor:
        """[S, *shape] float64, standard normal by the inverse of its distribution function."""
        half_open = self.uniform(name, *shape)
        return torch.special.ndtri(half_open + 2.0**-54)
