"""The forecast that nothing changes."""

from __future__ import annotations

from torch import Tensor

from strangecast.core.context import Context
from strangecast.emulators.base import Can, Emulator
from strangecast.emulators.draws import SampleRandom


class Persistence(Emulator):
    """Every future state equals the last one seen."""

    can = Can(grid=(0, 1, 2, 3), pooled=True, irregular=True)

    @property
    def context_range(self) -> tuple[int, int | None]:
        """The last step is all it reads."""
        return 1, 1

    def forecast(
        self, context: Context, times: Tensor, *, samples: int | None = None, rng: SampleRandom | None = None
    ) -> Tensor:
        """[S, B, H, C, *grid]: the last context step, repeated."""
        self.check_context(context, samples)
        last = context.values[:, :, -1:]
        shape = (max(self.S, last.shape[0]), last.shape[1], times.shape[2], *last.shape[3:])
        return last.expand(shape).clone()
