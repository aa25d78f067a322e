"""Does the spectrum have more than a few lines?"""

from __future__ import annotations

import numpy as np
from numba import njit

from strangecast.systems.validity.record import Record, as_record
from strangecast.systems.validity.verdict import Verdict


def power_spectrum(
    values: np.ndarray | Record,
    min_peaks: int = 4,
    height: float = 1e-5,
    prominence: float = 1e-5,
    centred: bool = True,
) -> Verdict:
    """Fail a trajectory that is a sum of a few oscillations in every channel.

    The statistic is the largest number, over channels, of peaks of the squared modulus of the discrete Fourier
    transform (no window) whose height and prominence reach the given shares of its maximum, as
    ``scipy.signal.find_peaks`` counts them. The test ends at the first channel that has enough. Harmonic oscillations
    and smooth tori have a few; among default flows the fewest is 5 (StickSlipOscillator), but for Torus with 3.

    Source: Panda (arXiv 2505.13755), 4 peaks of 1e-5, not centred.

    Args:
        values: [T, C, *grid] or its record.
        min_peaks: smallest allowed number.
        height, prominence: of a peak, as shares of the maximum.
        centred: subtract the mean first; without it peaks are measured against the mean as well.
    """
    record = as_record(values)
    if not record.finite or record.length < 3:
        return Verdict(False, float("nan"), min_peaks, "too short" if record.finite else "not finite")
    if not record.moving.any():
        return Verdict(False, 0.0, min_peaks, "nothing moves")
    most = 0
    for i in np.flatnonzero(record.moving):
        power = record.power(int(i))
        if centred:
            power = np.append(0.0, power[1:])
        most = max(most, count_peaks(power, height, prominence))
        if most >= min_peaks:
            break
    return Verdict(most >= min_peaks, float(most), min_peaks)


def count_peaks(power: np.ndarray, height: float, prominence: float) -> int:
    """Number of peaks of ``power`` [F] of at least these shares of its maximum, and of at least its minimum."""
    least, most = float(power.min()), float(power.max())
    return int(_count(np.ascontiguousarray(power), max(height * most, least), max(prominence * most, least)))


@njit(cache=True)
def _count(x, height, prominence):
    """Local maxima, flat tops counted once, with absolute height and prominence."""
    n = len(x)
    found = 0
    i = 1
    while i < n - 1:
        if x[i - 1] >= x[i]:
            i += 1
            continue
        ahead = i + 1
        while ahead < n - 1 and x[ahead] == x[i]:
            ahead += 1
        if x[ahead] < x[i]:
            top = x[i]
            if top >= height and top - max(_base(x, i, top, -1), _base(x, i, top, 1)) >= prominence:
                found += 1
            i = ahead
        else:
            i = ahead
    return found


@njit(cache=True)
def _base(x, peak, top, step):
    """Least value from the peak to the next higher sample, or to the end, in one direction."""
    least = top
    i = peak
    while 0 <= i < len(x) and x[i] <= top:
        least = min(least, x[i])
        i += step
    return least
