"""The continuous ODE flows of dysts behind the System contract.

The right-hand side is dysts' own. Most flows keep it in a numba dispatcher ``_rhs(*state, t, *parameters)``, which is
called directly; seventeen override ``rhs`` and read attributes of the instance, for which a copy of the instance holds
the parameters. Drives carry their phase as a coordinate, so that all flows but one (Torus) are autonomous in their full
state. Coordinates that grow without bound are integrated as they are and observed through dysts'
``_postprocessing``, which maps them to bounded ones. Parameters are flattened in sorted order; whole numbers stay
whole, as dysts stores them.

Nothing of dysts' own trajectory code is used: it reseeds NumPy's global generator at every call.
"""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.core.spec import Channel
from strangecast.systems import catalogue
from strangecast.systems.base import Field, System


class DystsFlow(System):
    """One flow of dysts.

    Args:
        name: catalogue name, such as ``Lorenz``.

    Raises:
        ConfigError: the name is unknown, or is one of the delay flows.
    """

    def __init__(self, name: str) -> None:
        entry = catalogue.lookup(name)
        if entry.kind != "flow":
            raise ConfigError(f"system '{name}' is a {entry.kind} flow, which cannot be integrated as an ODE")
        from dysts import flows

        self.entry = entry
        self.name = name
        self.dim = entry.dim
        self._flow = getattr(flows, name)()
        self._defaults = dict(zip(sorted(self._flow.params), self._flow.param_list, strict=True))
        self.parameters = tuple(n for key, value in self._defaults.items() for n in scalar_names(key, value))
        self.values = np.array([v for value in self._defaults.values() for v in np.ravel(value)], np.float64)
        self.period = float(self._flow.period)
        self.initial_condition = np.array(self._flow.ic, np.float64).reshape(-1)
        self.bounded = np.ones(self.dim, bool)
        self.bounded[self._flow.unbounded_indices] = False
        self.channels = tuple(Channel(n) for n in state_names(type(self._flow), self.dim))
        self._postprocesses = hasattr(self._flow, "_postprocessing")
        self._bound: tuple[bytes, Field] | None = None

    def bind(self, parameters: np.ndarray) -> Field:
        """The vector field with ``parameters`` [P] fixed; one plain call per evaluation."""
        flow = self._with(parameters)
        if overrides_rhs(type(flow)):
            rhs = flow.rhs
            return lambda t, state: np.asarray(rhs(state, t), np.float64)
        rhs, fixed = flow._rhs, tuple(flow.param_list)
        return lambda t, state: np.array(rhs(*state.tolist(), t, *fixed), np.float64)

    def rhs(self, t: float, state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Time derivative of ``state`` [..., D]; states are taken one by one."""
        state = np.asarray(state, np.float64)
        key = np.asarray(parameters, np.float64).tobytes()
        if self._bound is None or self._bound[0] != key:
            self._bound = (key, self.bind(parameters))
        field = self._bound[1]
        flat = np.array([field(t, row) for row in state.reshape(-1, self.dim)])
        return flat.reshape(state.shape)

    def observe(self, state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Channels [..., C] of ``state`` [..., D]: unbounded coordinates mapped to bounded ones."""
        if not self._postprocesses:
            return state
        flow = self._with(parameters)
        return np.stack(flow._postprocessing(*np.moveaxis(np.asarray(state, np.float64), -1, 0)), axis=-1)

    @property
    def observes_state(self) -> bool:
        """Whether channels and state are the same."""
        return not self._postprocesses

    def _with(self, parameters: np.ndarray) -> Any:
        """A copy of the dysts instance that holds ``parameters`` [P]."""
        parameters = np.asarray(parameters, np.float64)
        if parameters.shape != self.values.shape:
            raise ConfigError(f"{self.name} has {len(self.values)} parameters, {parameters.size} were given")
        filled, at = {}, 0
        for key, default in self._defaults.items():
            size = int(np.size(default))
            filled[key] = like(default, parameters[at : at + size])
            at += size
        flow = copy.copy(self._flow)
        flow.__dict__.update(filled)
        flow.params = filled
        flow.param_list = list(filled.values())
        return flow


def like(default: Any, values: np.ndarray) -> Any:
    """``values`` [n] in the shape of ``default``; whole numbers stay integers where the default holds integers."""
    array = np.asarray(default)
    if array.dtype.kind in "iu" and (values == np.round(values)).all():
        shaped = values.astype(np.int64).reshape(array.shape)
        return int(shaped) if array.ndim == 0 else shaped
    return float(values[0]) if array.ndim == 0 else values.reshape(array.shape).copy()


def scalar_names(key: str, value: Any) -> list[str]:
    """Names of the entries of one parameter in C order: ``a``, or ``k[0]``, or ``k[0,1]``."""
    shape = np.shape(value)
    return [key + ("[" + ",".join(map(str, i)) + "]" if i else "") for i in np.ndindex(*shape)]


def overrides_rhs(flow: type) -> bool:
    """Whether a dysts class computes its right-hand side from attributes of the instance."""
    from dysts.base import DynSys

    return flow.rhs is not DynSys.rhs


def state_names(flow: type, dim: int) -> list[str]:
    """Names of the coordinates: the arguments of ``_rhs`` before ``t``, or ``x0, x1, ...``."""
    if not overrides_rhs(flow):
        rhs = getattr(flow._rhs, "py_func", flow._rhs)
        names = list(inspect.signature(rhs).parameters)
        if len(names) > dim and names[dim] in ("t", "_t"):
            return names[:dim]
    return [f"x{i}" for i in range(dim)]
