"""Random numbers of augmentations: a pure function of each sample's key and of what is drawn.

They are drawn on the CPU in float64, so that every device gets the same numbers, and named, so that no draw shifts
another. Sample b never sees its neighbours' keys.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from strangecast.core.streams import counter_bits, key64


def sample_keys(count: int, *key: Any) -> np.ndarray:
    """[B] uint64, B = ``count``: the keys of samples 0 .. B - 1 of whatever ``key`` names."""
    return counter_bits(np.array([key64("sample", *key)], np.uint64), 0, count)[0]


class SampleDraws:
    """Draws for B samples.

    Args:
        keys: [B] uint64, one per sample.
    """

    def __init__(self, keys: np.ndarray) -> None:
        self.keys = np.asarray(keys, np.uint64)

    def __len__(self) -> int:
        return len(self.keys)

    def of(self, rows: np.ndarray) -> SampleDraws:
        """The same draws for some of the samples."""
        return SampleDraws(self.keys[rows])

    def uniform(self, name: str, *shape: int) -> Tensor:
        """[B, *shape] float64 in [0, 1)."""
        keys = self.keys ^ np.uint64(key64("augmentation", name))
        bits = counter_bits(keys, 0, int(np.prod(shape, dtype=np.int64)))
        return torch.from_numpy((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53).view(len(keys), *shape)

    def normal(self, name: str, *shape: int) -> Tensor:
        """[B, *shape] float64, standard normal by the inverse of its distribution function."""
        return torch.special.ndtri(self.uniform(name, *shape) + 2.0**-54)

    def gamma(self, name: str, alpha: float, *shape: int) -> Tensor:
        """[B, *shape] float64, gamma distributed with shape parameter ``alpha`` and scale 1, never 0."""
        drawn = self.uniform(name, *shape) + 2.0**-54
        if alpha == 1.0:
            return -torch.log1p(-drawn)
        from scipy.special import gammaincinv

        return torch.from_numpy(gammaincinv(alpha, drawn.numpy()))

    def integers(self, name: str, low: int, high: int, *shape: int) -> Tensor:
        """[B, *shape] int64 in ``low`` .. ``high``, both included."""
        return low + (self.uniform(name, *shape) * (high - low + 1)).to(torch.int64)

    def permutation(self, name: str, n: int) -> Tensor:
        """[B, n] int64, the numbers 0 .. n - 1 in random order."""
        return torch.argsort(self.uniform(name, n), dim=1, stable=True)


def as_values(drawn: Tensor, values: Tensor) -> Tensor:
    """``drawn`` with the dtype and on the device of ``values`` (cast first: not every device has float64)."""
    return drawn.to(values.dtype).to(values.device)
