"""The forecast of the mean."""

from __future__ import annotations

from torch import Tensor

from strangecast.core.context import Context
from strangecast.emulators.base import Can, Emulator
from strangecast.emulators.draws import SampleRandom


class Climatology(Emulator):
    """Every future state equals the mean of the context, per window and channel."""

    can = Can(grid=(0, 1, 2, 3), pooled=True, irregular=True)

    def forecast(
        self, context: Context, times: Tensor, *, samples: int | None = None, rng: SampleRandom | None = None
    ) -> Tensor:
        """[S, B, H, C, *grid]: the mean over context steps (and nothing else), repeated."""
        self.check_context(context, samples)
        mean = context.values.mean(2, keepdim=True)
        shape = (max(self.S, mean.shape[0]), mean.shape[1], times.shape[2], *mean.shape[3:])
        return mean.expand(shape).clone()
