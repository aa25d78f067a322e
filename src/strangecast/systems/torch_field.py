"""Graphs as differentiable torch functions.

States are [*lead, D] with any leading axes, S members and B windows in front where there are such; parameters are [P],
or [*, P] whose leading axes are the first ones of the states (1 where shared): [S, 1, P], [S, B, P]. The same holds for
time. Computations run in the states' precision and on their device; what depends on parameters alone is computed once
per call. Gradients flow to states, parameters and times; at kinks they are those of ``derivatives.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from strangecast.core.errors import ConfigError
from strangecast.systems.emission import TENSOR, emit_in_two
from strangecast.systems.graph import Graph

Fixed = list[Any]  # what parameters alone determine: tensors that broadcast against [*lead], or floats


class TorchField:
    """``field(t, state [*lead, D], parameters) -> [*lead, D']``.

    Args:
        graph: without lags.
        values: [P], used where a call names no parameters.
    """

    def __init__(self, graph: Graph, values: np.ndarray) -> None:
        self.graph = graph
        self.values = np.asarray(values, np.float64)
        self._prepare, self._evaluate = emit_in_two(graph, TENSOR, _LIBRARY)
        fixed, _ = emit_in_two(graph, TENSOR, {"np": np, **_OF_NUMBERS})
        with np.errstate(all="ignore"):
            self._defaults = [float(x) for x in fixed(self.values)]

    def __call__(self, t: Tensor | float, state: Tensor, parameters: Tensor | None = None) -> Tensor:
        return self.evaluate(self.time(t, state), state, self.prepare(parameters, state))

    def prepare(self, parameters: Tensor | None, state: Tensor) -> Fixed:
        """What ``parameters`` alone determine, for states like this one."""
        if parameters is None:
            return self._defaults
        if parameters.shape[-1] != len(self.values):
            raise ConfigError(f"a field of {len(self.values)} parameters was given {parameters.shape[-1]}")
        own = parameters.to(state.dtype)
        if own.ndim > 1:
            own = own.reshape(*own.shape[:-1], *[1] * (state.ndim - own.ndim), own.shape[-1])
        return self._prepare(own.unbind(-1))

    def time(self, t: Tensor | float, state: Tensor) -> Tensor | float:
        """Time as it broadcasts against [*lead]."""
        if self.graph.autonomous:
            return 0.0
        t = torch.as_tensor(t, dtype=state.dtype, device=state.device)
        return t.reshape(*t.shape, *[1] * (state.ndim - 1 - t.ndim)) if t.ndim else t

    def evaluate(self, t: Tensor | float, state: Tensor, fixed: Fixed) -> Tensor:
        """The outputs from prepared times and parameters."""
        outputs = self._evaluate(t, state.unbind(-1), fixed)
        lead = state.shape[:-1]
        return torch.stack([_spread(x, lead, state) for x in outputs], -1)


def _spread(x: Any, lead: torch.Size, like: Tensor) -> Tensor:
    if not isinstance(x, Tensor):
        return like.new_full(lead, x)
    return x if x.shape == lead else x.expand(lead)


def _pair(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    like = a if isinstance(a, Tensor) else b
    return tuple(
        x if isinstance(x, Tensor) else torch.as_tensor(x, dtype=like.dtype, device=like.device) for x in (a, b)
    )


def _where(condition: Any, a: Any, b: Any) -> Any:
    if not isinstance(condition, Tensor):
        return a if condition != 0.0 else b
    a, b = (x if isinstance(x, Tensor) else condition.new_tensor(x) for x in (a, b))
    return torch.where(condition != 0.0, a, b)


def _less(a: Any, b: Any) -> Tensor:
    return (a < b).to((a if isinstance(a, Tensor) else b).dtype)


def _heaviside(x: Tensor, at_zero: float) -> Tensor:
    steps = torch.where(x > 0, 1.0, torch.where(x < 0, 0.0, x.new_tensor(at_zero)))
    return torch.where(x.isnan(), x.detach(), steps.to(x.dtype))


def _sign(x: Tensor) -> Tensor:
    return torch.where(x.isnan(), x.detach(), torch.sign(x))


def _sqrt(x: Tensor) -> Tensor:
    """The root, whose gradient at zero is zero: below a kink, as in the root of max(0, x), nothing moves."""
    flat = x == 0
    return torch.where(flat, x.detach(), torch.sqrt(torch.where(flat, torch.ones_like(x), x)))


_LIBRARY = {
    "np": torch,
    "where": _where,
    "less": _less,
    "heaviside": _heaviside,
    "sign": _sign,
    "root": _sqrt,
    "least": lambda a, b: torch.minimum(*_pair(a, b)),
    "greatest": lambda a, b: torch.maximum(*_pair(a, b)),
    "arctan2": lambda a, b: torch.arctan2(*_pair(a, b)),
    "mod": lambda a, b: torch.remainder(*_pair(a, b)),
}
_OF_NUMBERS = {
    "where": np.where,
    "less": lambda a, b: float(a < b),
    "heaviside": np.heaviside,
    "sign": np.sign,
    "root": np.sqrt,
    "least": np.minimum,
    "greatest": np.maximum,
    "arctan2": np.arctan2,
    "mod": np.mod,
}
