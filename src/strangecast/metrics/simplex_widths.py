"""A width for every point of a cloud from the distances to its nearest neighbours."""

from __future__ import annotations

import numpy as np
from numba import njit

NEIGHBOURS = 10
LEAST = 1e-6  # width, so that copies of a point have one
_HALVINGS = 100


def simplex_widths(points: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """[T], the s that solves sum over the k nearest of exp(-(d - d_least) / s) = log2(k), at least 1e-6.

    The bandwidth of fuzzy simplicial sets, which dysts 0.96 takes as the variance of a Gaussian. Where so many
    neighbours are equally near that no s solves it, s is 0.

    Source: L. McInnes, J. Healy, J. Melville, UMAP (arXiv 1802.03426).

    Args:
        points: [T, D], T above 1; fewer than k other points are all taken.
        neighbours: k.
    """
    from scipy.spatial import cKDTree

    k = min(neighbours, len(points) - 1)
    distances = cKDTree(points).query(points, k=k + 1)[0][:, 1:]
    return np.maximum(_solve(np.ascontiguousarray(distances), np.log2(k)), LEAST)


@njit(cache=True)
def _solve(distances, target):
    T, k = distances.shape
    out = np.zeros(T)
    for t in range(T):
        least, most = distances[t, 0], distances[t, k - 1]
        same = 0
        for i in range(k):
            same += distances[t, i] <= least
        if most <= least or same >= target:
            continue  # the sum is above the target for any s
        low, high = 0.0, most - least
        while _memberships(distances[t], high) < target:
            high *= 2.0
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            if _memberships(distances[t], middle) < target:
                low = middle
            else:
                high = middle
        out[t] = 0.5 * (low + high)
    return out


@njit(cache=True)
def _memberships(distances, width):
    total = 0.0
    for d in distances:
        total += np.exp(-(d - distances[0]) / width)
    return total
