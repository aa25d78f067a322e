"""What an emulator reads before it forecasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Context:
    """The past of ``B`` windows for ``S`` members side by side; arrays are torch tensors.

    The member axis always stands first and has length S, or 1 where all members see the same windows. Members may
    belong to different systems, so times carry it too.

    Attributes:
        values: [S|1, B, T, C, *grid], physical units.
        times: [S|1, B, T], physical time, float64.
        mask: [S|1, B, T, C] of bool, True where observed, or None where everything is.
        parameters: [S|1, B, P] in the order of ``Spec.parameters``, or None.
        scalars: [S|1, B, K] conditioning scalars, or None.
        static: [S|1, B, K, *grid] static fields, or None.
        state: [S|1, B, D, *grid], the full state at the origin, for the oracle only.
        system: what evolved, one System for all members or a tuple of S; only where the emulator needs it.
    """

    values: Any
    times: Any
    mask: Any = None
    parameters: Any = None
    scalars: Any = None
    static: Any = None
    state: Any = None
    system: Any = None

    def last(self, steps: int) -> Context:
        """The same windows with only their last ``steps`` context steps."""
        mask = None if self.mask is None else self.mask[:, :, -steps:]
        return replace(self, values=self.values[:, :, -steps:], times=self.times[:, :, -steps:], mask=mask)
