"""Systems that are ordinary differential equations given by a graph: every form of them is made from it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.core.targets import STEPPERS, locate
from strangecast.systems.base import Field, System
from strangecast.systems.derivatives import jacobian
from strangecast.systems.graph import Graph
from strangecast.systems.numpy_field import Batch, batch, bound


class GraphSystem(System):
    """A system with a ``graph``, without lags, and perhaps an ``observation``; subclasses set these and the rest."""

    graph: Graph

    def rhs(self, t: float, state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Time derivative [..., D] of ``state`` [..., D]."""
        return self._rhs(t, state, self._fitting(parameters))

    def jacobian(self, t: float, state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Derivatives [..., D, D] of the right-hand side, row by coordinate of the result."""
        flat = self._jacobian(t, state, self._fitting(parameters))
        return flat.reshape(*flat.shape[:-1], self.dim, self.dim)

    def bind(self, parameters: np.ndarray) -> Field:
        """The vector field of one state [D] with ``parameters`` [P] fixed, compiled."""
        return bound(self.graph, self._fitting(parameters))

    def bind_jacobian(self, parameters: np.ndarray) -> Field:
        """``jacobian(t, state [D]) -> [D, D]`` with ``parameters`` [P] fixed, compiled; for implicit solvers."""
        field = bound(self.jacobian_graph, self._fitting(parameters))
        return lambda t, state: field(t, state).reshape(self.dim, self.dim)

    def observe(self, state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Channels [..., C] of ``state`` [..., D]."""
        return state if self._observe is None else self._observe(0.0, state, self._fitting(parameters))

    @property
    def observes_state(self) -> bool:
        """Whether channels and state are the same."""
        return self.observation is None

    def stepper(self, dt: float, **settings: Any) -> Any:
        """A differentiable torch map over ``dt``: ``Stepper`` of ``torch_stepper.py``, which explains the settings."""
        return locate(f"{STEPPERS}.Stepper", self.name)(self, dt, **settings)

    @cached_property
    def jacobian_graph(self) -> Graph:
        """D * D outputs, row by row."""
        return jacobian(self.graph)

    @cached_property
    def _rhs(self) -> Batch:
        return batch(self.graph)

    @cached_property
    def _jacobian(self) -> Batch:
        return batch(self.jacobian_graph)

    @cached_property
    def _observe(self) -> Batch | None:
        return None if self.observation is None else batch(self.observation)

    def _fitting(self, parameters: np.ndarray) -> np.ndarray:
        parameters = np.asarray(parameters, np.float64)
        if parameters.shape[-1:] != self.values.shape:
            given = parameters.shape[-1] if parameters.ndim else 1
            raise ConfigError(f"{self.name} has {len(self.values)} parameters, {given} were given")
        return parameters
