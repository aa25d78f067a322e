"""Every channel of a sample with mean 0 and deviation 1 over its time."""

from __future__ import annotations

import torch
from torch import Tensor

from strangecast.data.augmentations.ordered import ordered_mean

_ROUNDING = 16  # a deviation below so many roundings of the mean is that of a constant


def standardised(values: Tensor) -> Tensor:
    """[B, T, C]; a channel that is constant becomes 0. The deviation is that of the samples (divided by T).

    Args:
        values: [B, T, C].
    """
    mean = ordered_mean(values)
    centred = values - mean[:, None]
    deviation = torch.sqrt(ordered_mean(centred * centred))
    constant = deviation <= _ROUNDING * torch.finfo(values.dtype).eps * mean.abs()
    scaled = centred / torch.where(constant, torch.ones_like(deviation), deviation)[:, None]
    return torch.where(constant[:, None], torch.zeros_like(scaled), scaled)
