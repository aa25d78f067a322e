"""Does the trajectory diffuse like chaos when it drives a rotation?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.streams import stream
from strangecast.systems.validity.record import Record, as_record
from strangecast.systems.validity.verdict import Verdict

AGGREGATES = ("median", "score")
_MAX_LAG = 0.1  # of the subsampled record
_LEAST = 20  # samples after subsampling: two lags give no correlation worth the name


def zero_one(
    values: np.ndarray | Record,
    aggregate: str = "median",
    min_growth: float = 0.5,
    min_share: float = 0.3,
    frequencies: int = 100,
    centred: bool = True,
    density: bool = False,
    key: tuple[Any, ...] = (),
) -> Verdict:
    """Pass a trajectory if some series passes the 0-1 test for chaos.

    Each series x, read at the spacing of :mod:`mutual_information`, drives p(n) = sum_j x_j cos(c j), q(n) = sum_j x_j
    sin(c j). Under chaos the mean square displacement M(k) = mean_n |(p, q)(n + k) - (p, q)(n)|^2 grows with the lag,
    under regular motion it stays bounded. K(c) is the correlation of k and M(k) over lags up to a tenth of the record,
    for ``frequencies`` values of c drawn uniformly from [pi / 5, 4 pi / 5] by ``stream("zero_one", *key)``, afresh for
    each series. With ``aggregate`` ``median`` the statistic is the median of K, held against ``min_growth``; with
    ``score`` it is the share of K of at least ``min_growth``, held against ``min_share``. The test ends at the first
    series that passes; otherwise the statistic is the largest.

    A record of some tens of turns leaves about 150 values at that spacing and lags up to 15. That is enough to reject
    rest, cycles and tori of few lines, but not tori with many harmonics (see :mod:`divergence`), and medians of chaotic
    flows reach down to 0.27 (LuChen). Scores of default flows of 32 turns are 0.33 (MackeyGlass) and more, of Torus at
    most 0.27.

    Sources: G. A. Gottwald, I. Melbourne, SIAM J. Appl. Dyn. Syst. 8 (2009) 129; Panda (arXiv 2505.13755) has ``score``
    with 0.2 and 0.2, not centred.

    Args:
        values: [T, C, *grid] or its record.
        aggregate: ``median`` or ``score``.
        min_growth: smallest K that counts as growth.
        min_share: smallest allowed share of such K.
        frequencies: number of c.
        centred: subtract the mean first, which removes the oscillating term of M(k) that the mean alone causes
            (section 4.1 of the source). Without it the outcome depends on the origin of the units.
        density: see :func:`mutual_information.first_minimum`.
        key: what the frequencies are keyed by, such as the trajectory's identity.

    Raises:
        ConfigError: another aggregate, or no frequency.
    """
    if aggregate not in AGGREGATES:
        raise ConfigError(unknown("aggregate of zero_one", str(aggregate), AGGREGATES))
    if frequencies < 1:
        raise ConfigError(f"zero_one needs at least one of its frequencies, found {frequencies}")
    threshold = min_growth if aggregate == "median" else min_share
    record = as_record(values)
    if not record.finite:
        return Verdict(False, float("nan"), threshold, "not finite")
    rng = stream("zero_one", *key)
    best, judged = -np.inf, False
    for i in np.flatnonzero(record.moving):
        c = rng.uniform(np.pi / 5, 4 * np.pi / 5, frequencies)
        x = record.series[i, :: record.delay(int(i), density)]
        if len(x) < _LEAST:
            continue
        judged = True
        k = growth((x - record.mean[i] * centred) / record.std[i], c)
        statistic = float(np.median(k)) if aggregate == "median" else float(np.mean(k >= min_growth))
        best = max(best, statistic)
        if best >= threshold:
            break
    if not judged:
        return Verdict(False, float("nan"), threshold, "too short" if record.moving.any() else "nothing moves")
    return Verdict(best >= threshold, best, threshold)


def growth(x: np.ndarray, c: np.ndarray) -> np.ndarray:
    """K(c) of a series [n] for each of ``c`` [F]; NaN where there are fewer than two lags.

    With P_m(s) = sum of x_j x_(j+m) over j < s, M(k) is a sum over the differences m of two indices,

        (n - k) M(k) = sum_m (2 - [m = 0]) cos(c m) sum_(0 < j <= k-m) (P_m(n - k + j) - P_m(j)),

    whose inner sums do not depend on c: they are made once, and all c share one matrix product.
    """
    x = np.ascontiguousarray(x, np.float64)
    lags = int(_MAX_LAG * len(x))
    if lags < 2:
        return np.full(len(c), np.nan)
    return _growth(x, np.cos(np.outer(np.arange(lags), c)))


@njit(cache=True)
def _growth(x, cosines):
    """K for each column of ``cosines`` [lags, F], the values of cos(c m)."""
    n = len(x)
    lags, f = cosines.shape
    displacement = np.zeros((lags, f))
    sums = np.empty(n + 2)  # sums[s] = P_m(0) + ... + P_m(s - 1)
    for m in range(lags):
        weight = 1.0 if m == 0 else 2.0
        partial = 0.0
        sums[0] = 0.0
        for s in range(n - m):
            sums[s + 1] = sums[s] + partial
            partial += x[s] * x[s + m]
        sums[n - m + 1] = sums[n - m] + partial
        for k in range(m + 1, lags + 1):
            late = sums[n - m + 1] - sums[n - k + 1]
            early = sums[k - m + 1] - sums[1]
            factor = weight * (late - early) / (n - k)
            for j in range(f):
                displacement[k - 1, j] += factor * cosines[m, j]
    found = np.empty(f)
    middle = 0.5 * (lags + 1)
    spread = lags * (lags * lags - 1.0) / 12.0
    for j in range(f):
        mean = 0.0
        for k in range(lags):
            mean += displacement[k, j]
        mean /= lags
        square, cross = 0.0, 0.0
        for k in range(lags):
            d = displacement[k, j] - mean
            square += d * d
            cross += d * (k + 1 - middle)
        norm = np.sqrt(square * spread)
        found[j] = cross / norm if norm > 0 else 0.0
    return found
