"""What a validity test says of one trajectory."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """The outcome of one test.

    Attributes:
        passed: whether the trajectory may be used.
        statistic: the number that was held against the threshold; NaN where there is none.
        threshold: as given.
        note: what a reader of a rejection wants to know beyond the number: channels, places, values.
    """

    passed: bool
    statistic: float
    threshold: float
    note: str = ""

    def to_json(self) -> dict[str, bool | float | str]:
        """A dict that JSON can hold; infinite and undefined statistics become words, an empty note is left out."""

        def plain(x: float) -> float | str:
            return float(x) if math.isfinite(x) else str(float(x))

        found: dict[str, bool | float | str] = {
            "passed": bool(self.passed),
            "statistic": plain(self.statistic),
            "threshold": plain(self.threshold),
        }
        return found | ({"note": self.note} if self.note else {})
