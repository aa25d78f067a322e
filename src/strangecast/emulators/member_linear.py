"""Linear maps of many members at once, with a member's bits independent of its neighbours."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def member_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``x[s] @ weight[s] + bias[s]`` for [S, B, n], [S, n, m] and [S, 1, m].

    A batched product of one matrix takes another kernel than one of two and more (and rounds differently), so a
    single member is computed twice.
    """
    if x.shape[0] > 1:
        return torch.baddbmm(bias, x, weight)
    return torch.baddbmm(bias.repeat(2, 1, 1), x.repeat(2, 1, 1), weight.repeat(2, 1, 1))[:1]


class MemberLinear(nn.Module):
    """An affine layer with member axis: [S, B, n] to [S, B, m]."""

    def __init__(self, S: int, n: int, m: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(S, n, m, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(S, 1, m, dtype=dtype))

    def initialise(self, streams: list[np.random.Generator], gain: float = 1.0) -> None:
        """Weights N(0, gain^2 / n) and biases zero, member s from ``streams[s]`` (LeCun et al. 1998)."""
        _, n, m = self.weight.shape
        with torch.no_grad():
            for s, stream in enumerate(streams):
                self.weight[s] = torch.from_numpy(stream.standard_normal((n, m)) * (gain / n**0.5))
            self.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """[S, B, n] to [S, B, m]."""
        return member_linear(x, self.weight, self.bias)
