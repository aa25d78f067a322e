"""What a validity test says of one trajectory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Verdict:
    """The outcome of one test: whether the trajectory passed, and the number that was held against the threshold."""

    passed: bool
    statistic: float
    threshold: float

    def to_json(self) -> dict[str, bool | float | str]:
        """A dict that JSON can hold; infinite and undefined statistics become words."""

        def plain(x: float) -> float | str:
            return float(x) if math.isfinite(x) else str(float(x))

        return {
            "passed": bool(self.passed),
            "statistic": plain(self.statistic),
            "threshold": plain(self.threshold),
        }


def columns(values: np.ndarray) -> np.ndarray:
    """[T, C, *grid] as [T, C * grid points]: every scalar series is tested on its own."""
    values = np.asarray(values, np.float64)
    return values.reshape(len(values), math.prod(values.shape[1:]))
