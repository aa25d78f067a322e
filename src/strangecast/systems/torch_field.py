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
from strangecast.systems.emission import TENSOR, emit_in_two, split
from strangecast.systems.graph import BINARY, UNARY, Graph
from strangecast.systems.torch_groups import Groups, worth_grouping

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
        still, handed = split(graph)
        groups = Groups(graph, still, handed, _SIDE_BY_SIDE)
        self._groups = groups if worth_grouping(groups, len(still) - sum(still)) else None
        self._known: dict[tuple, Fixed] = {}
        fixed, _ = emit_in_two(graph, TENSOR, {"np": np, **_OF_NUMBERS})
        with np.errstate(all="ignore"):
            self._defaults = [float(x) for x in fixed(self.values)]

    def __call__(self, t: Tensor | float, state: Tensor, parameters: Tensor | None = None) -> Tensor:
        return self.evaluate(self.time(t, state), state, self.prepare(parameters, state))

    def prepare(self, parameters: Tensor | None, state: Tensor) -> Fixed:
        """What ``parameters`` alone determine, for states like this one."""
        if parameters is None:
            return self._at_defaults(state)
        if parameters.shape[-1] != len(self.values):
            raise ConfigError(f"a field of {len(self.values)} parameters was given {parameters.shape[-1]}")
        own = parameters.to(state.dtype)
        if own.ndim > 1:
            own = own.reshape(*own.shape[:-1], *[1] * (state.ndim - own.ndim), own.shape[-1])
        fixed = self._prepare(own.unbind(-1))
        return fixed if self._groups is None else self._groups.prepare(fixed, state)

    def time(self, t: Tensor | float, state: Tensor) -> Tensor | float:
        """Time as it broadcasts against [*lead]."""
        if self.graph.autonomous:
            return 0.0
        t = torch.as_tensor(t, dtype=state.dtype, device=state.device)
        return t.reshape(*t.shape, *[1] * (state.ndim - 1 - t.ndim)) if t.ndim else t

    def evaluate(self, t: Tensor | float, state: Tensor, fixed: Fixed) -> Tensor:
        """The outputs from prepared times and parameters."""
        if self._groups is not None:
            return self._groups(t, state, fixed)
        outputs = self._evaluate(t, state.unbind(-1), fixed)
        lead = state.shape[:-1]
        return torch.stack([_spread(x, lead, state) for x in outputs], -1)

    def _at_defaults(self, state: Tensor) -> Fixed:
        if self._groups is None:
            return self._defaults
        key = (state.dtype, state.device)
        if key not in self._known:
            self._known[key] = self._groups.prepare(self._defaults, state)
        return self._known[key]


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
_NAMED = {
    "neg": torch.neg, "abs": torch.abs, "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div,
    "pow": torch.pow, "sign": _sign, "sqrt": _sqrt, "min": torch.minimum, "max": torch.maximum,
    "mod": torch.remainder, "less": _less, "where": _where,
}  # fmt: skip


def _plain(function: Any) -> Any:
    return lambda *tensors, value: function(*tensors)


# The same for groups of operations: tensors in, tensors out.
_SIDE_BY_SIDE = {op: _plain(_NAMED.get(op) or getattr(torch, op)) for op in (*UNARY, *BINARY, "where")}
_SIDE_BY_SIDE["heaviside"] = lambda x, value: _heaviside(x, value)
