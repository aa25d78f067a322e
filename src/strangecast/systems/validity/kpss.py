"""The KPSS test of a constant level.

    KPSS = sum_t S_t^2 / (T^2 s^2(l)),    S_t = sum of the first t centred samples,

with s^2(l) the long-run variance by Bartlett weights over l lags. The bandwidth l is chosen from the series itself.

Sources: D. Kwiatkowski, P. C. B. Phillips, P. Schmidt, Y. Shin, J. Econometrics 54 (1992) 159, equations 10 and 11;
B. Hobijn, P. H. Franses, M. Ooms, Statistica Neerlandica 58 (2004) 483 (bandwidth).
"""

from __future__ import annotations

import numpy as np
from numba import njit

_CRITICAL = (0.347, 0.463, 0.574, 0.739)  # table 1 of the first source
_LEVELS = (0.10, 0.05, 0.025, 0.01)


def kpss(x: np.ndarray) -> tuple[float, int]:
    """The statistic and its bandwidth, equal to ``statsmodels.tsa.stattools.kpss(x, "c", nlags="auto")``.

    Args:
        x: [T], finite, not constant.
    """
    statistic, bandwidth = _kpss(np.ascontiguousarray(x, np.float64))
    return float(statistic), int(bandwidth)


def kpss_p(statistic: float) -> float:
    """p-value between 0.01 and 0.1, linear between the tabulated ones, as statsmodels has it."""
    return float(np.interp(statistic, _CRITICAL, _LEVELS))


@njit(cache=True)
def _kpss(x):
    n = len(x)
    centred = x - x.mean()
    variance = _dot(centred, 0)
    level = 0.0
    eta = 0.0
    for t in range(n):
        level += centred[t]
        eta += level * level
    s0, s1 = variance / n, 0.0
    for i in range(1, int(n ** (2.0 / 9.0)) + 1):
        product = _dot(centred, i) / (n / 2.0)
        s0 += product
        s1 += i * product
    ratio = s1 / s0
    bandwidth = min(int(1.1447 * (ratio * ratio) ** (1.0 / 3.0) * n ** (1.0 / 3.0)), n - 1)
    long_run = variance
    for i in range(1, bandwidth + 1):
        long_run += 2.0 * _dot(centred, i) * (1.0 - i / (bandwidth + 1.0))
    return eta / n**2 / (long_run / n), bandwidth


@njit(cache=True, fastmath={"reassoc", "contract"})
def _dot(x, lag):
    """Sum of x[t] x[t + lag]."""
    total = 0.0
    for t in range(len(x) - lag):
        total += x[t] * x[t + lag]
    return total
