"""Is the largest Lyapunov exponent positive beyond its error?"""

from __future__ import annotations

import math

from strangecast.systems.validity.verdict import Verdict


def lyapunov_sign(exponent: float | None, standard_error: float | None = None, min_z: float = 2.0) -> Verdict:
    """Pass if a measured exponent exceeds zero by ``min_z`` standard errors.

    Cycles and tori have zero, which an estimate exceeds by two standard errors once in forty times. The test says
    nothing of the trajectory itself, only of its parameter set: where two attractors coexist, or chaos is a transient,
    both matter. Where no exponent is known it passes and says so; an exact exponent (no error) is judged by its sign.

    Source: own; Panda (arXiv 2505.13755) asks for a Rosenstein estimate of at least zero, and leaves the test out.

    Args:
        exponent: largest exponent per time unit, or None.
        standard_error: of the exponent in the same unit, or None.
        min_z: smallest allowed ratio of the two.
    """
    if exponent is None or math.isnan(exponent):
        return Verdict(True, float("nan"), min_z, "no exponent is known")
    if not standard_error or math.isnan(standard_error):
        statistic = math.copysign(math.inf, exponent) if exponent else 0.0
        return Verdict(exponent > 0, statistic, min_z, "exact or of unknown error")
    statistic = exponent / standard_error
    return Verdict(statistic >= min_z, statistic, min_z)
