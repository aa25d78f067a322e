"""Random numbers of forecasts that are drawn: a pure function of member, window, sample and what is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from strangecast.core.streams import counter_bits, key64


class SampleRandom:
    """Draws for N samples of S members' forecasts of B windows.

    Each call names what it draws, and the same name gives the same numbers: a loop over steps puts the step's number
    into the name. Sample n of a window depends on the keys of its member and window, on n and on the name alone, so
    neither the batch, nor its neighbours, nor N itself changes it (the first 5 of 20 samples are those of 5). Numbers
    are made on the CPU in float64, so that every device gets the same.

    A category is drawn from logits [N, S, B, K] as ``(logits - log(-log(uniform(name, K)))).argmax(-1)``.

    Args:
        keys: [S, B] uint64, see :func:`sample_keys`.
        samples: N.
    """

    def __init__(self, keys: np.ndarray, samples: int) -> None:
        self.samples = samples
        self._shape = (samples, *np.shape(keys))
        self._keys = counter_bits(np.ravel(keys), 0, samples).T

    def uniform(self, name: str, *shape: int) -> Tensor:
        """[N, S, B, *shape] float64 in (0, 1)."""
        keys = np.ravel(self._keys ^ np.uint64(key64("draw", name)))
        bits = counter_bits(keys, 0, int(np.prod(shape, dtype=np.int64)))
        return torch.from_numpy(((bits >> np.uint64(12)) + 0.5) * 2.0**-52).view(*self._shape, *shape)

    def normal(self, name: str, *shape: int) -> Tensor:
        """[N, S, B, *shape] float64, standard normal by the inverse of its distribution function."""
        return torch.special.ndtri(self.uniform(name, *shape))


def sample_keys(streams: Sequence[int], windows: np.ndarray) -> np.ndarray:
    """Keys [S, B] of every member's forecast of every window.

    Args:
        streams: S stream keys, one per member.
        windows: [S|1, B] uint64, keys of the windows.
    """
    members = np.array([key64("samples", int(s)) for s in streams], np.uint64)
    return members[:, None] ^ np.asarray(windows, np.uint64)
