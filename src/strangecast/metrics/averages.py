"""Sums whose bits do not depend on how many windows or members stand beside each other."""

from __future__ import annotations

import numpy as np


def window_mean(values: np.ndarray) -> np.ndarray:
    """[S, B, ...] -> [S, B]: mean of everything after the window axis.

    Each window's numbers are laid out contiguously and added along that axis alone, in an order fixed by their count.
    """
    s, b = values.shape[:2]
    flat = np.ascontiguousarray(values).reshape(s, b, -1)
    return flat.sum(axis=-1) / flat.shape[-1]


def channel_mean(values: np.ndarray) -> np.ndarray:
    """[S, B, H, C, *grid] -> [S, B, C]: mean over time and grid, channel by channel."""
    return window_mean(np.moveaxis(values, 3, 2).reshape(-1, 1, values[0, 0, :, 0].size)).reshape(
        *values.shape[:2], values.shape[3]
    )
