"""The augmented Dickey-Fuller test of a unit root, with a constant and the lag that Akaike's criterion chooses.

The regression for L lags is

    dx_t = a + g x_(t-1) + sum_(i=1..L) b_i dx_(t-i) + e_t,

and the statistic is the t-value of g. Its columns for L lags are the first of those for L + 1, so that one QR
decomposition of all columns and the left side holds the residual sums of every L at once. The rows that only the chosen
L can use are appended to its triangle.

Sources: S. E. Said, D. A. Dickey, Biometrika 71 (1984) 599; J. G. MacKinnon, J. Bus. Econ. Stat. 12 (1994) 167 (p-value,
coefficients of table 3, constant, one variable).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from scipy.linalg import lapack

_SMALL = (2.1659, 1.4412, 0.038269)
_LARGE = (1.7339, 0.93202, -0.12745, -0.010368)
_SWITCH, _LEAST, _MOST = -1.61, -18.83, 2.74
_EXACT = 1e-13  # residual over differences, both as root mean squares
_BLOCK = 32  # columns that LAPACK treats at once


def adf(x: np.ndarray) -> tuple[float, int]:
    """The statistic and the number of lags, equal to ``statsmodels.tsa.stattools.adfuller(x, autolag="AIC")``.

    A series that some number of lags predicts to rounding (a straight line, a sum of few sinusoids) leaves no residual
    to hold g against: its statistic is NaN, where statsmodels divides rounding errors by each other.

    Args:
        x: [T], finite, not constant. Fewer than 8 samples give NaN.
    """
    x = np.asarray(x, np.float64)
    n = len(x)
    if n < 8:
        return math.nan, 0
    x = (x - x.mean()) / x.std()
    largest = min(math.ceil(12.0 * (n / 100.0) ** 0.25), n // 2 - 2)
    triangle = _triangle(_table(x, largest, largest, n - 1))
    # Residual sums of squares with the first k columns: what the last one has below row k.
    left = np.zeros(largest + 4)
    left[: len(triangle)] = triangle[:, -1]
    residual = np.cumsum(left[::-1] ** 2)[::-1][2 : largest + 3]
    if not residual[-1] > _EXACT**2 * float(np.diff(x) @ np.diff(x)):
        return math.nan, 0
    rows = n - 1 - largest
    lag = int(np.argmin(rows * np.log(residual / rows) + 2 * np.arange(2, largest + 3)))
    # With the level in front of the left side, its pivot and its entry there are all that the t-value needs.
    order = [0, *range(2, lag + 2), 1, largest + 2]
    earlier = _table(x, lag, lag, largest)[:, [0, *range(2, lag + 2), 1, lag + 2]]
    r = _triangle(np.asfortranarray(np.vstack([triangle[:, order], earlier])))
    freedom = (n - 1 - lag) - (lag + 2)
    if freedom < 1 or len(r) < lag + 3:
        return math.nan, lag
    deviation = abs(r[lag + 2, lag + 2]) / math.sqrt(freedom)
    return float(math.copysign(1.0, r[lag + 1, lag + 1]) * r[lag + 1, lag + 2] / deviation), lag


def adf_p(statistic: float) -> float:
    """MacKinnon's approximate p-value; 1 where there is no statistic."""
    if math.isnan(statistic) or statistic > _MOST:
        return 1.0
    if statistic < _LEAST:
        return 0.0
    coefficients = _SMALL if statistic <= _SWITCH else _LARGE
    z = sum(c * statistic**i for i, c in enumerate(coefficients))
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _triangle(table: np.ndarray) -> np.ndarray:
    """Upper triangle of the QR decomposition of ``table`` in Fortran order, which is overwritten."""
    columns = table.shape[1]
    factors = lapack.dgeqrf(table, lwork=_BLOCK * columns, overwrite_a=1)[0]
    return np.triu(factors[: min(table.shape)])


@njit(cache=True)
def _table(x, lags, start, stop):
    """[stop - start, lags + 3] in Fortran order: constant, level, differences at lags 1 .. L, and dx_t.

    Rows are the t with x[t + 1] - x[t] on the left side, t = start .. stop - 1; ``start`` >= ``lags``.
    """
    rows = stop - start
    columns = np.empty((lags + 3, rows))
    for j in range(rows):
        columns[0, j] = 1.0
        columns[1, j] = x[start + j]
    for i in range(1, lags + 1):
        for j in range(rows):
            columns[i + 1, j] = x[start + j - i + 1] - x[start + j - i]
    for j in range(rows):
        columns[lags + 2, j] = x[start + j + 1] - x[start + j]
    return columns.T
