"""Two labels on the same windows: differences, probability of superiority, and a test over systems.

Axis 0 of every array, D, are systems of datasets (see ``clusters.py``).
"""

from __future__ import annotations

import numpy as np

from strangecast.evaluation.bootstrap import median


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[D, W, K]: a - b window by window; run k of one against run k of the other.

    A label with fewer seeds than its peer is used again from its first. Two infinitely bad scores are a tie.

    Args:
        a, b: [D, W, K1] and [D, W, K2], NaN where there is no score.
    """
    K = max(a.shape[2], b.shape[2])
    a, b = (_cycled(x, K) for x in (a, b))
    with np.errstate(invalid="ignore"):
        return np.where(a == b, 0.0, a - b)


def superiority(differences: np.ndarray, higher: bool) -> float:
    """Share of differences in favour of the first label, ties counted half.

    Args:
        differences: of :func:`difference`; NaN is left out.
        higher: whether larger scores are better.
    """
    d = differences[~np.isnan(differences)]
    better = d > 0 if higher else d < 0
    return float(better.mean() + 0.5 * (d == 0).mean())


def wilcoxon_over_systems(differences: np.ndarray) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test on one median difference per system (Wilcoxon 1945).

    Systems without a difference are dropped; with none left, the p-value is 1.

    Args:
        differences: [D, W, K], NaN where there is no score.
    """
    from scipy.stats import wilcoxon

    d = np.array([median(x[~np.isnan(x)]) for x in differences])
    d = np.clip(d[d != 0], -1e300, 1e300)
    return float(wilcoxon(d).pvalue) if len(d) else 1.0


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values corrected for their number (Holm, Scandinavian Journal of Statistics 6, 65, 1979), in their order."""
    order = np.argsort(p_values, kind="stable")
    n = len(p_values)
    corrected = np.empty(n)
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * np.arange(n, 0, -1)), 1.0)
    return corrected


def _cycled(values: np.ndarray, K: int) -> np.ndarray:
    """[D, W, K]: the seeds of each system repeated until there are K."""
    n = np.maximum((~np.isnan(values)).any(axis=1).sum(axis=1), 1)
    return np.take_along_axis(values, np.arange(K)[None, None] % n[:, None, None], axis=2)
