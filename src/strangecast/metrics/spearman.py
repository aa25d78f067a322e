"""Rank correlation of forecast and truth in time."""

from __future__ import annotations

import numpy as np

from strangecast.metrics.r2 import moving
from strangecast.metrics.ranks import cosines, ranks
from strangecast.metrics.scale import Scale


def spearman(truth: np.ndarray, forecast: np.ndarray, scale: Scale) -> np.ndarray:
    """Mean over channels of Spearman's correlation between the ranks of forecast and truth over time and grid.

    Ties share their mean rank. A forecast channel that does not move has nothing to rank: it counts 0, as any forecast
    that knows nothing would on average, where dysts and SciPy say NaN and drop it or the whole window. A channel of the
    truth that does not move is left out.

    Known values: the truth scores 1, so does any increasing function of it; its mirror image scores -1; a constant or an
    independent forecast scores 0 (the latter on average). Unchanged when channels are shifted or rescaled.

    Source: C. Spearman, Am. J. Psychology 15, 72 (1904); equal to ``scipy.stats.spearmanr`` where that is defined.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: not used.

    Returns:
        [S, B] in [-1, 1], higher is better; NaN (undefined) where no channel of the truth moves.
    """
    S, B, _, C = forecast.shape[:4]
    counted = moving(truth)
    true, mine = _ranked(truth[None]), _ranked(forecast)
    found = cosines(np.broadcast_to(true, mine.shape).reshape(S * B * C, -1), mine.reshape(S * B * C, -1))
    total = np.where(counted, found.reshape(S, B, C), 0.0).sum(axis=-1)
    with np.errstate(all="ignore"):
        return np.where(counted.any(axis=1), np.clip(total / counted.sum(axis=-1), -1.0, 1.0), np.nan)


def defined(truth: np.ndarray, scale: Scale) -> np.ndarray:
    """[B] of bool: some channel of the truth moves."""
    return moving(truth).any(axis=1)


def _ranked(values: np.ndarray) -> np.ndarray:
    """[S, B, C, n] ranks of [S, B, H, C, *grid] over time and grid."""
    S, B, _, C = values.shape[:4]
    rows = np.ascontiguousarray(np.moveaxis(values, 3, 2)).reshape(S * B * C, -1)
    out = np.empty(rows.shape)
    ranks(rows, out)
    return out.reshape(S, B, C, -1)
