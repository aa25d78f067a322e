"""How sure a proportion is."""

from __future__ import annotations

import math


def wilson(successes: float, trials: int) -> tuple[float, float, float]:
    """Proportion and Wilson's 95 % interval (JASA 22, 209, 1927); (NaN, 0, 1) without trials."""
    if trials == 0:
        return math.nan, 0.0, 1.0
    z = 1.959963984540054
    p = successes / trials
    centre = (p + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * math.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2))
    return p, max(0.0, float(centre - half)), min(1.0, float(centre + half))
