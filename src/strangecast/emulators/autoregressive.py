"""Emulators that go forward step by step, and the rollout they inherit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from strangecast.core.context import Context
from strangecast.core.errors import DataError
from strangecast.emulators.base import Emulator
from strangecast.emulators.draws import SampleRandom


class Autoregressive(Emulator):
    """An emulator with ``encode`` and ``step``; ``bundle`` is the number k of native steps one ``step`` makes."""

    bundle: int = 1

    def encode(self, context: Context) -> Any:
        """The carry (tensors in any nesting) from which :meth:`step` goes on after the last context step."""
        raise NotImplementedError

    def step(self, carry: Any, times: Tensor) -> tuple[Tensor, Any]:
        """One application.

        Args:
            carry: of :meth:`encode` or the previous step.
            times: [S|1, B, k], physical times of the steps to make.

        Returns:
            prediction [S, B, k, C, *grid] in physical units, and the next carry.
        """
        raise NotImplementedError

    def rollout(self, carry: Any, times: Tensor) -> Tensor:
        """[S, B, H, C, *grid] at ``times`` [S|1, B, H]; the last bundle is truncated."""
        H, k = times.shape[2], self.bundle
        if H % k:
            times = torch.cat([times, times[:, :, -1:].expand(-1, -1, k - H % k)], 2)
        pieces = []
        for start in range(0, H, k):
            prediction, carry = self.step(carry, times[:, :, start : start + k])
            pieces.append(prediction)
        return torch.cat(pieces, 2)[:, :, :H]

    def forecast(
        self, context: Context, times: Tensor, *, samples: int | None = None, rng: SampleRandom | None = None
    ) -> Tensor:
        """Rollout from the context; see :meth:`Emulator.forecast`."""
        self.check_context(context, samples)
        self._check_spacing(context, times)
        with torch.no_grad():
            return self.rollout(self.encode(context), times)

    def _check_spacing(self, context: Context, times: Tensor) -> None:
        """An emulator with a native step cannot serve other times; say so instead of mislabelling the forecast."""
        if self.can.irregular or not self.specs:
            return
        name = type(self).__name__
        if self.can.pooled:  # it steps by whatever interval its context has
            steps = torch.cat([context.times[:, :, -2:], times.to(context.times)], 2).diff(dim=2)
            if context.times.shape[2] > 1 and not torch.allclose(steps, steps[:, :, :1], rtol=1e-3, atol=0.0):
                raise DataError(f"{name} steps by the interval of its context, and was asked for times at others")
            return
        if any(s.dt is None for s in self.specs):
            raise DataError(
                f"{name} needs data sampled evenly, and was given some without a sampling interval: resample"
            )
        least, greatest = min(s.dt for s in self.specs), max(s.dt for s in self.specs)
        if times.shape[0] == 1 and greatest > 1.001 * least:
            raise DataError(
                f"members of this {name} step by different intervals ({least:g} to {greatest:g}), so that no times suit "
                "all: choose one member, such as load(folder, member=0)"
            )
        dt = torch.tensor([s.dt for s in self.specs], dtype=torch.float64)[:, None]
        first = (times[:, :, 0] - context.times[:, :, -1]).double().cpu()
        if not torch.allclose(first, dt.expand(self.S, first.shape[1]), rtol=1e-3, atol=0.0):
            raise DataError(
                f"{name} steps by {dt.flatten().tolist()} time units and was asked for a step of "
                f"{first.unique().tolist()[:3]}; it forecasts only at the sampling it was trained at"
            )
