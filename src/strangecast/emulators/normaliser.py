"""Per-member, per-channel mean and standard deviation, stored with the weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class Normaliser(nn.Module):
    """Affine map to zero mean and unit variance.

    Buffers ``mean`` and ``std`` are [S, C] in float64, so that what a forecast is scaled back with never depends on
    the dtype an emulator computes in; :meth:`on` gives them in the shape and dtype of an array.

    Args:
        S: members.
        C: channels.
    """

    def __init__(self, S: int, C: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(S, C, dtype=torch.float64))
        self.register_buffer("std", torch.ones(S, C, dtype=torch.float64))

    def fit(self, segments: list[list[np.ndarray]]) -> None:
        """Set from per-member lists of [T, C, *grid]; a constant channel gets scale 1."""
        for s, pieces in enumerate(segments):
            flat = np.concatenate([np.moveaxis(np.asarray(p), 1, -1).reshape(-1, p.shape[1]) for p in pieces])
            self.mean[s] = torch.from_numpy(flat.mean(0))
            self.std[s] = torch.from_numpy(positive(flat.std(0)))

    def on(self, buffer: Tensor, like: Tensor) -> Tensor:
        """``buffer`` [S, C] in the dtype of ``like`` [S, B, T, C, *grid], shaped [S, 1, 1, C, *1]."""
        return buffer.to(like.dtype).view(buffer.shape[0], 1, 1, -1, *(1,) * (like.ndim - 4))

    def normalise(self, values: Tensor, dtype: torch.dtype) -> Tensor:
        """[S|1, B, T, C, *grid] in physical units to [S, B, T, C, *grid] in units of the stored scale."""
        values = values.double()
        return ((values - self.on(self.mean, values)) / self.on(self.std, values)).to(dtype)

    def physical(self, normalised: Tensor) -> Tensor:
        """Inverse of :meth:`normalise`, in the dtype given."""
        return normalised * self.on(self.std, normalised) + self.on(self.mean, normalised)


def positive(scale: np.ndarray) -> np.ndarray:
    """``scale`` with 1 where it is zero or not a number larger than rounding, so that nothing divides by zero."""
    return np.where(scale > 1e-12 * max(1.0, float(np.max(scale, initial=0.0))), scale, 1.0)
