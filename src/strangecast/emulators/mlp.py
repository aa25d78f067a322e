"""A multilayer perceptron that predicts the next increment of the state."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from strangecast.core.context import Context
from strangecast.core.errors import ConfigError, unknown
from strangecast.core.spec import Spec
from strangecast.emulators.autoregressive import Autoregressive
from strangecast.emulators.base import Can
from strangecast.emulators.member_linear import MemberLinear
from strangecast.emulators.normaliser import Normaliser, positive

ACTIVATIONS = {
    "gelu": nn.functional.gelu,
    "relu": nn.functional.relu,
    "silu": nn.functional.silu,
    "tanh": torch.tanh,
}


class MLP(Autoregressive):
    """``x' = x + d * net(x, ..., x_{-delays+1})`` in normalised units, d the scale of the increments.

    Predicting the increment in units of its own standard deviation makes the untrained network a good first guess and
    its target of order one, whatever the sampling interval.

    Args:
        specs: per member.
        hidden: width of the hidden layers.
        layers: number of hidden layers.
        delays: how many past states it reads; 1 where the full state is observed.
        activation: gelu, relu, silu or tanh.
    """

    can: ClassVar[Can] = Can(learns="gradient", step=True)

    def __init__(
        self, specs: tuple[Spec, ...], *, hidden: int, layers: int, delays: int = 1, activation: str = "silu"
    ) -> None:
        super().__init__(specs)
        if activation not in ACTIVATIONS:
            raise ConfigError(unknown("activation", activation, ACTIVATIONS))
        if min(hidden, layers, delays) < 1:
            raise ConfigError(f"hidden, layers and delays must be at least 1, found {hidden}, {layers}, {delays}")
        self.delays = delays
        self.activation = ACTIVATIONS[activation]
        widths = [delays * self.C, *[hidden] * layers, self.C]
        self.layers = nn.ModuleList(MemberLinear(self.S, n, m) for n, m in pairwise(widths))
        self.normaliser = Normaliser(self.S, self.C)
        self.register_buffer("increment", torch.ones(self.S, self.C, dtype=torch.float64))

    @property
    def context_range(self) -> tuple[int, int | None]:
        """Exactly its delays."""
        return self.delays, self.delays

    @property
    def scale(self) -> Tensor:
        """[S, C], the unit of losses."""
        return self.normaliser.std

    def initialise(self, streams: list[np.random.Generator]) -> None:
        """LeCun initialisation; the last layer ten times smaller, so that it starts near persistence."""
        for layer in self.layers[:-1]:
            layer.initialise(streams, gain=1.4)
        self.layers[-1].initialise(streams, gain=0.1)

    def fit_normaliser(self, segments: list[list[np.ndarray]]) -> None:
        """Mean and scale of the data, and the scale of one-step increments (never across a gap)."""
        self.normaliser.fit(segments)
        for s, pieces in enumerate(segments):
            steps = np.concatenate([np.diff(p, axis=0) for p in pieces])
            scale = np.sqrt(np.mean(steps**2, axis=0)) if len(steps) else np.zeros(self.C)
            self.increment[s] = torch.from_numpy(positive(scale)) / self.normaliser.std[s]

    def encode(self, context: Context) -> Tensor:
        """Carry: [S, B, delays, C], the last states in normalised units."""
        past = self.normaliser.normalise(context.values[:, :, -self.delays :], self.dtype)
        return past.expand(self.S, -1, -1, -1)

    def step(self, carry: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """One sampling interval; see :meth:`Autoregressive.step`."""
        h = carry.flatten(2)
        for layer in self.layers[:-1]:
            h = self.activation(layer(h))
        increment = self.layers[-1](h) * self.increment.to(h.dtype)[:, None]
        state = (carry[:, :, -1] + increment)[:, :, None]
        carry = state if self.delays == 1 else torch.cat([carry[:, :, 1:], state], 2)
        return self.normaliser.physical(state), carry
