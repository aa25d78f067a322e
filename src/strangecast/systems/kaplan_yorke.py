"""The Kaplan-Yorke dimension of an attractor from its Lyapunov exponents.

``D = j + (l_1 + ... + l_j) / |l_{j+1}|`` with j the largest number of exponents whose sum is not negative; the size of
the spectrum where no partial sum is.

Source: J. L. Kaplan, J. A. Yorke, Lecture Notes in Mathematics 730 (1979) 204.
"""

from __future__ import annotations

import math

import numpy as np


def kaplan_yorke(spectrum: np.ndarray, errors: np.ndarray | None = None) -> float:
    """The dimension; 0 for a fixed point, k where no partial sum is negative, NaN where an exponent is not known.

    Args:
        spectrum: [k] exponents; sorted here.
        errors: [k] their standard errors, one per exponent in the same order. A partial sum less than twice its error
            below zero counts as zero, so that a neutral direction or a conserved volume is counted in full whichever
            side of zero it was measured.
    """
    spectrum = np.asarray(spectrum, np.float64)
    if not len(spectrum) or np.isnan(spectrum).any():
        return math.nan
    order = np.argsort(-spectrum, kind="stable")
    sums = np.cumsum(spectrum[order])
    slack = np.zeros(len(sums)) if errors is None else 2 * np.sqrt(np.cumsum(np.asarray(errors)[order] ** 2))
    inside = np.flatnonzero(sums >= -slack)
    if not len(inside):
        return 0.0
    j = int(inside[-1]) + 1
    if j == len(sums):
        return float(j)
    return j + max(0.0, float(sums[j - 1])) / abs(float(spectrum[order][j]))


def kaplan_yorke_error(spectra: np.ndarray, errors: np.ndarray | None = None) -> float:
    """Standard error of the dimension of the mean spectrum, by the jackknife.

    Args:
        spectra: [n, k] independent measurements, one per initial condition; NaN for fewer than two.
        errors: [k] of the mean, as for :func:`kaplan_yorke`.
    """
    n = len(spectra)
    if n < 2:
        return math.nan
    left_out = np.array([kaplan_yorke(np.delete(spectra, i, axis=0).mean(axis=0), errors) for i in range(n)])
    return float(np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()))
