"""Random affine map of the channels: ``X' = A X + b``, entries of ``[A | b]`` normal with deviation scale / sqrt(K).

Source: Lai, Bao and Gilpin (2025), "Panda: a pretrained forecast model for chaotic dynamics".
"""

from __future__ import annotations

import math

from torch import Tensor

from strangecast.data.augmentations.draws import SampleDraws, as_values
from strangecast.data.augmentations.ordered import mixed


def random_affine(values: Tensor, draws: SampleDraws, channels: int, *, scale: float = 1.0) -> Tensor:
    """[B, T, K] with K = ``channels``; an affine image of an attractor is an attractor of a conjugate system.

    Args:
        values: [B, T, C].
        draws: of the B samples.
        channels: K.
        scale: deviation of the entries of ``[A | b]`` times sqrt(K).
    """
    entries = draws.normal("affine", channels, values.shape[2] + 1) * (scale / math.sqrt(channels))
    entries = as_values(entries, values)
    return mixed(values, entries[:, :, :-1], entries[:, :, -1])
