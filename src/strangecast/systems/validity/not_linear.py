"""Does the trajectory leave a straight line through its space?"""

from __future__ import annotations

import numpy as np

from strangecast.systems.validity.record import Record, as_record
from strangecast.systems.validity.verdict import Verdict

_DENSE = 64  # series up to which the whole spectrum of their correlations is cheaper than an iteration


def not_linear(values: np.ndarray | Record, max_explained: float = 0.99) -> Verdict:
    """Fail a trajectory whose channels, in units of their standard deviations, move along one line.

    The statistic is the share of variance that the first principal component explains: the largest eigenvalue of the
    matrix of correlations over the number of moving series. Ramps, decays along one direction and channels that copy
    each other have 1. One channel alone has nothing to be compared with and passes.

    Source: Panda (arXiv 2505.13755), threshold 0.99.

    Args:
        values: [T, C, *grid] or its record.
        max_explained: largest allowed share.
    """
    record = as_record(values)
    if not record.finite:
        return Verdict(False, float("nan"), max_explained, "not finite")
    if len(record.series) == 1:
        return Verdict(True, float("nan"), max_explained, "one channel alone is not judged")
    if not record.moving.any():
        return Verdict(False, float("nan"), max_explained, "nothing moves")
    statistic = _first_share(record.standard)
    return Verdict(statistic <= max_explained, statistic, max_explained)


def _first_share(z: np.ndarray) -> float:
    """Largest eigenvalue of z z^T / T over the number of rows, for standardised rows [M, T]."""
    m, n = z.shape
    if m <= _DENSE:
        return float(np.linalg.eigvalsh(z @ z.T)[-1] / n / m)
    from scipy.sparse.linalg import LinearOperator, eigsh

    if n < m:
        z = z.T
    product = LinearOperator((len(z), len(z)), matvec=lambda v: z @ (v @ z), dtype=np.float64)
    start = z @ z[0]
    return float(eigsh(product, k=1, v0=start, return_eigenvectors=False, tol=1e-9)[0] / n / m)
