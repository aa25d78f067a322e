"""A trajectory with what several tests ask of it, each computed once."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit

from strangecast.core.errors import DataError
from strangecast.systems.validity.mutual_information import first_minimum

# A range of less than a millionth of the level is rest: a solver of tolerance 1e-9 at a fixed point keeps trembling by
# up to a tenth of that.
REST = 1e-6
# Beyond the first a square overflows, and the sample counts as not finite; a range below the second underflows.
HUGE, TINY = 1e150, 1e-150


class Record:
    """One trajectory [T, C, *grid]; every scalar series (channel, or channel at a grid point) is judged on its own.

    Letters: M = C * grid points.

    Attributes:
        series: [M, T] float64, contiguous.
        shape: the shape given, for names of series.
        length: T.
        finite: whether every sample is, and below 1e150; the numbers below mean nothing where it is not.
        mean, std, low, high: [M].
        moving: [M] of bool, whether the range exceeds a millionth of the largest absolute value.

    Raises:
        DataError: not an array of real numbers with an axis of time.
    """

    def __init__(self, values: np.ndarray) -> None:
        given = np.asarray(values)
        if given.dtype.kind not in "fiub" or given.ndim == 0:
            raise DataError(
                f"a trajectory is an array [T, C, *grid] of real numbers, found {given.dtype} with {given.ndim} axes"
            )
        self.shape = given.shape
        self.length = len(given)
        flat = given.reshape(self.length, math.prod(given.shape[1:]))
        self.series = np.ascontiguousarray(flat.T, np.float64)
        self._found: dict[Any, Any] = {}
        self.finite = False
        if self.series.size:
            self.finite, self.mean, self.std, self.low, self.high = _moments(self.series)
        if not self.finite:
            self.mean = self.std = self.low = self.high = np.full(len(self.series), np.nan)
        level = np.maximum(np.abs(self.low), np.abs(self.high))
        self.moving = self.high - self.low > np.maximum(REST * level, TINY)

    @cached_property
    def standard(self) -> np.ndarray:
        """[M', T]: moving series, centred, in units of their standard deviation."""
        return (self.series[self.moving] - self.mean[self.moving, None]) / self.std[self.moving, None]

    def power(self, series: int) -> np.ndarray:
        """[T // 2 + 1]: squared modulus of the discrete Fourier transform of one series as it is."""

        def make() -> np.ndarray:
            spectrum = np.fft.rfft(self.series[series])
            return spectrum.real**2 + spectrum.imag**2

        return self.once(("power", series), make)

    def delay(self, series: int, density: bool = False) -> int:
        """Samples until the mutual information of series number ``series`` has its first minimum."""
        return self.once(("delay", series, density), lambda: first_minimum(self.series[series], density=density))

    def once(self, what: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` returns, made at the first call with this key."""
        if what not in self._found:
            self._found[what] = make()
        return self._found[what]

    def name(self, series: int) -> str:
        """``channel 2``, or ``channel 2 at (5, 7)``."""
        channel, *point = np.unravel_index(series, self.shape[1:] or (1,))
        place = f" at ({', '.join(str(int(i)) for i in point)})" if point else ""
        return f"channel {int(channel)}{place}"

    def names(self, which: np.ndarray, at_most: int = 3) -> str:
        """Names of the series whose numbers are given, the first few of them."""
        found = [self.name(int(i)) for i in which[:at_most]]
        return ", ".join(found) + (f" and {len(which) - at_most} more" if len(which) > at_most else "")


def as_record(values: np.ndarray | Record) -> Record:
    """The record of a trajectory; a record is passed through, so that a panel of tests shares one."""
    return values if isinstance(values, Record) else Record(values)


@njit(cache=True)
def _moments(series):
    """Whether all is finite, and mean, standard deviation, least and largest value of each row [M, T]."""
    m, n = series.shape
    mean, std, low, high = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    for i in range(m):
        total = 0.0
        least, most = np.inf, -np.inf
        for t in range(n):
            x = series[i, t]
            if not abs(x) < HUGE:
                return False, mean, std, low, high
            total += x
            least = min(least, x)
            most = max(most, x)
        mu = total / n
        rest = 0.0
        square = 0.0
        for t in range(n):
            d = series[i, t] - mu
            rest += d
            square += d * d
        mean[i] = mu + rest / n
        std[i] = np.sqrt(max(square / n - (rest / n) ** 2, 0.0))
        low[i], high[i] = least, most
    return True, mean, std, low, high
