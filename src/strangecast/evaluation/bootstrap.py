"""Intervals of medians and means under a hierarchical bootstrap of systems, windows and seeds.

Each replicate draws systems with replacement; for every system drawn it draws that system's windows and, crossed with
them, its seeds. All of that is in how often each score is counted, so a replicate is a vector of weights and its median a
weighted median: scores are sorted once, and every table of the same layout shares the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strangecast.core.streams import stream

REPLICATES = 1000
LEVEL = 0.95
_CHUNK = 2**22


@dataclass(frozen=True)
class Layout:
    """How scores are nested; values of a layout are arrays [D, W, K] with W and K the greatest numbers.

    Attributes:
        windows: number of windows of each system (a cluster of ``clusters.py``).
        seeds: number of seeds of each system.
        crossed: the same runs stand behind all systems (one model for many systems), so a replicate draws its seeds
            once for all of them.
    """

    windows: tuple[int, ...]
    seeds: tuple[int, ...]
    crossed: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """(D, W, K)."""
        return len(self.windows), max(self.windows), max(self.seeds)

    @property
    def present(self) -> np.ndarray:
        """[D, W, K] of bool, where there is a score."""
        _, W, K = self.shape
        w = np.arange(W)[None, :, None] < np.array(self.windows)[:, None, None]
        return w & (np.arange(K)[None, None] < np.array(self.seeds)[:, None, None])


def interval_of_medians(
    values: list[np.ndarray], layout: Layout, *key: object, replicates: int = REPLICATES
) -> np.ndarray:
    """Percentile intervals of the median over everything.

    Args:
        values: arrays [D, W, K] of one layout; entries that are not present are ignored, infinities are allowed.
        layout: their nesting.
        key: names the random stream; equal keys and layouts give equal draws.
        replicates: number of bootstrap samples.

    Returns:
        [len(values), 2], lower and upper end.
    """
    orders = [np.argsort(v, axis=None, kind="stable") for v in values]
    parts = [
        np.stack([_weighted_medians(v, order, w) for v, order in zip(values, orders, strict=True)])
        for w in _weights(layout, replicates, *key)
    ]
    medians = np.concatenate(parts, axis=1)
    medians.sort(axis=1)
    cut = int(np.floor((1 - LEVEL) / 2 * replicates))
    return medians[:, [cut, replicates - 1 - cut]]


def interval_of_mean(
    values: np.ndarray, layout: Layout, *key: object, replicates: int = REPLICATES
) -> tuple[float, float]:
    """Percentile interval of the mean over everything, of the same draws as :func:`interval_of_medians`.

    Args:
        values: [D, W, K]; entries that are not present are ignored. One infinity makes the interval NaN.
        layout: their nesting.
        key: names the random stream.
        replicates: number of bootstrap samples.
    """
    present = layout.present.reshape(-1)
    flat = values.reshape(-1)[present]
    with np.errstate(invalid="ignore"):
        means = np.concatenate(
            [w[:, present] @ flat / w.sum(axis=1, dtype=np.float64) for w in _weights(layout, replicates, *key)]
        )
    means.sort()
    cut = int(np.floor((1 - LEVEL) / 2 * replicates))
    return (float(means[cut]), float(means[replicates - 1 - cut])) if np.isfinite(flat).all() else (np.nan, np.nan)


def median(values: np.ndarray) -> float:
    """Median of numbers that may be infinite; 0 where it would lie between minus and plus infinity."""
    ranked = np.sort(values, axis=None)
    n = len(ranked)
    return float(_middle(ranked[(n - 1) // 2], ranked[n // 2]))


def _weights(layout: Layout, replicates: int, *key: object):
    """Yield counts [R, D * W * K] in chunks of replicates (how many replicates a chunk has changes nothing)."""
    D, W, K = layout.shape
    chunk = max(1, min(replicates, _CHUNK // (D * W * K)))
    for first in range(0, replicates, chunk):
        parts = [_one(layout, *key, r) for r in range(first, min(first + chunk, replicates))]
        yield np.stack(parts)


def _one(layout: Layout, *key: object) -> np.ndarray:
    rng = stream("bootstrap", *key)
    D, W, K = layout.shape
    windows, seeds = np.array(layout.windows), np.array(layout.seeds)
    drawn = rng.integers(D, size=D)
    w = _counts(rng.random((D, W)), windows[drawn])
    k = _counts(rng.random((1 if layout.crossed else D, K)), seeds[drawn][: 1 if layout.crossed else D])
    counts = np.zeros((D, W, K), np.float32)
    np.add.at(counts, drawn, w[:, :, None] * k[:, None, :])
    return counts.reshape(-1)


def _counts(uniform: np.ndarray, n: np.ndarray) -> np.ndarray:
    """[M, X] counts of n[m] draws with replacement from n[m] things; ``uniform`` is [M, X >= max(n)]."""
    M, X = uniform.shape
    picked = (uniform * n[:, None]).astype(np.int64) + X * np.arange(M)[:, None]
    used = np.arange(X) < n[:, None]
    return np.bincount(picked[used], minlength=M * X).reshape(M, X).astype(np.float32)


def _weighted_medians(values: np.ndarray, order: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[R]: medians of values counted ``weights`` [R, D * W * K] times; the mean of the middle two of an even number."""
    ranked = values.reshape(-1)[order]
    below = np.cumsum(weights[:, order], axis=1, dtype=np.float64)
    n = below[:, -1:]
    low = ranked[(below > np.floor((n - 1) / 2)).argmax(axis=1)]
    high = ranked[(below > np.floor(n / 2)).argmax(axis=1)]
    return _middle(low, high)


def _middle(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        middle = np.where(low == high, low, low / 2 + high / 2)
    return np.where(np.isnan(middle), 0.0, middle)
