"""The continuous ODE flows of dysts behind the System contract.

Right-hand sides and observations are traced from dysts' own code; every form of them comes from the graph. Drives carry
their phase as a coordinate, so that all flows but one (Torus) are autonomous in their full state. Coordinates that grow
without bound are integrated as they are and observed through dysts' ``_postprocessing``, which maps them to bounded
ones. Parameters are numbered as they stand when sorted by name, entries of arrays in C order.

Nothing of dysts' own trajectory code is used: it reseeds NumPy's global generator at every call.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.core.spec import Channel
from strangecast.systems import catalogue
from strangecast.systems.graph_system import GraphSystem
from strangecast.systems.tracing import overrides_rhs, trace_flow, trace_observation


class DystsFlow(GraphSystem):
    """One flow of dysts.

    Args:
        name: catalogue name, such as ``Lorenz``.

    Raises:
        ConfigError: the name is unknown, or is one of the delay flows.
    """

    def __init__(self, name: str) -> None:
        entry = catalogue.lookup(name)
        if entry.kind != "flow":
            raise ConfigError(f"system '{name}' is a {entry.kind} flow, which is no ODE of dysts")
        flow = instance(name)
        self.entry = entry
        self.name = name
        self.dim = entry.dim
        self.parameters, self.values = flat_parameters(flow)
        self.graph = trace_flow(flow)
        self.observation = trace_observation(flow)
        self.period = float(flow.period)
        self.initial_condition = np.array(flow.ic, np.float64).reshape(-1)
        self.bounded = np.ones(self.dim, bool)
        self.bounded[flow.unbounded_indices] = False
        self.channels = tuple(Channel(n) for n in state_names(type(flow), self.dim))


def instance(name: str) -> Any:
    """A fresh instance of a class of dysts."""
    from dysts import flows

    return getattr(flows, name)()


def flat_parameters(flow: Any) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and values [P] of the scalar parameters of an instance of dysts."""
    defaults = dict(zip(sorted(flow.params), flow.param_list, strict=True))
    names = tuple(n for key, value in defaults.items() for n in scalar_names(key, value))
    return names, np.array([v for value in defaults.values() for v in np.ravel(value)], np.float64)


def scalar_names(key: str, value: Any) -> list[str]:
    """Names of the entries of one parameter in C order: ``a``, or ``k[0]``, or ``k[0,1]``."""
    shape = np.shape(value)
    return [key + ("[" + ",".join(map(str, i)) + "]" if i else "") for i in np.ndindex(*shape)]


def state_names(flow: type, dim: int) -> list[str]:
    """Names of the coordinates: the arguments of ``_rhs`` before ``t``, or ``x0, x1, ...``."""
    if not overrides_rhs(flow):
        rhs = getattr(flow._rhs, "py_func", flow._rhs)
        names = list(inspect.signature(rhs).parameters)
        if len(names) > dim and names[dim] in ("t", "_t"):
            return names[:dim]
    return [f"x{i}" for i in range(dim)]
