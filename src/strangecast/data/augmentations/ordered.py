"""Sums whose order depends on nothing but their length: the same bits on every device, alone or in a batch.

Library kernels choose an order by shape, threads and device. These use elementwise products and sums alone, which are
exactly rounded everywhere.
"""

from __future__ import annotations

import torch
from torch import Tensor


def ordered_mean(values: Tensor) -> Tensor:
    """[B, C], the mean over time of ``values`` [B, T, C], by halves (pairwise summation)."""
    total = values
    while total.shape[1] > 1:
        half = total.shape[1] // 2
        pairs = total[:, :half] + total[:, half : 2 * half]
        total = torch.cat([pairs, total[:, 2 * half :]], dim=1) if total.shape[1] % 2 else pairs
    return total[:, 0] / values.shape[1]


def mixed(values: Tensor, weights: Tensor, offset: Tensor | None = None) -> Tensor:
    """[B, T, K], ``offset[b, k] + sum_c weights[b, k, c] values[b, t, c]``, channel by channel.

    Args:
        values: [B, T, C].
        weights: [B, K, C].
        offset: [B, K], or None for 0.
    """
    total = values[:, :, None, 0] * weights[:, None, :, 0]
    if offset is not None:
        total = offset[:, None, :] + total
    for c in range(1, values.shape[2]):
        total = total + values[:, :, None, c] * weights[:, None, :, c]
    return total
