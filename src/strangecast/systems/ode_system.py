"""Ordinary differential equations written as one plain function: the base of the textbook systems and of a user's own.

A subclass names its coordinates and parameters and writes its equations once. They are traced; the vector field,
Jacobian, torch stepper, tangent dynamics and compiled ensembles all come from the trace. The numbers stand in the YAML,
``conf/system/<name>.yaml``, which names the class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.spec import Channel
from strangecast.systems.graph_system import GraphSystem
from strangecast.systems.tracing import trace

Traced = Any  # an array of symbols, or what NumPy makes of it


class OdeSystem(GraphSystem):
    """A system whose right-hand side is ``equations``.

    Class attributes of a subclass:
        coordinates: names of the state's D coordinates.
        constants: names of the P parameters, in the order in which ``equations`` takes them.
        unbounded: names of coordinates that grow without bound, such as angles.
        channels: names of what ``observed`` returns; the coordinates where it is not overridden.
        lyapunov: the largest exponent where it is known in closed form.

    Args:
        name: of the system, the name of its YAML.
        parameters: their default values by name.
        period: a typical time of one turn (``period.py`` measures one).
        initial_condition: D numbers near the attractor.

    Raises:
        ConfigError: equations that cannot be traced, or names and numbers that do not fit.
    """

    coordinates: Sequence[str]
    constants: Sequence[str] = ()
    unbounded: Sequence[str] = ()
    channels: Sequence[Any] = ()

    def __init__(
        self,
        name: str,
        *,
        period: float,
        initial_condition: Sequence[float],
        parameters: Mapping[str, float] | None = None,
    ) -> None:
        self.name = name
        self.dim = len(self.coordinates)
        self.parameters = tuple(self.constants)
        self.values = _values(name, self.parameters, parameters or {})
        self.initial_condition = _numbers(name, initial_condition, self.dim, "numbers in initial_condition")
        (self.period,) = _numbers(name, [period], 1, "number as its period").tolist()
        if self.period <= 0:
            raise ConfigError(f"system '{name}' needs a positive period, found {period}")
        for key in self.unbounded:
            if key not in self.coordinates:
                raise ConfigError(unknown(f"coordinate of system '{name}'", key, self.coordinates))
        self.bounded = np.array([c not in self.unbounded for c in self.coordinates], bool)
        self.graph = trace(self.equations, self.dim, len(self.parameters), name=name)
        maps = type(self).observed is not OdeSystem.observed
        named = self.channels if maps else self.coordinates
        self.channels = tuple(c if isinstance(c, Channel) else Channel(c) for c in named)
        if maps:
            self.observation = trace(
                lambda t, state, constants: self.observed(state, constants),
                self.dim,
                len(self.parameters),
                outputs=len(self.channels),
                name=f"{name}'s observation",
            )

    def equations(self, t: Traced, state: Traced, parameters: Traced) -> Any:
        """Time derivatives of ``state`` [D], D numbers; ``parameters`` [P] in the order of ``constants``."""
        raise NotImplementedError

    def observed(self, state: Traced, parameters: Traced) -> Any:
        """What is observed of ``state`` [D], one number per channel; the state unless overridden."""
        return state


def _values(name: str, wanted: tuple[str, ...], given: Mapping[str, float]) -> np.ndarray:
    for key in given:
        if key not in wanted:
            raise ConfigError(unknown(f"parameter of system '{name}'", key, wanted))
    if missing := [key for key in wanted if key not in given]:
        raise ConfigError(f"system '{name}' needs a value of its parameter {missing[0]} (parameters: {{...}})")
    return _numbers(name, [given[key] for key in wanted], len(wanted), "parameters")


def _numbers(name: str, given: Iterable[float], wanted: int, what: str) -> np.ndarray:
    try:
        found = np.array(list(given), np.float64)
    except (TypeError, ValueError) as e:
        raise ConfigError(f"system '{name}' needs {wanted} {what}, found {given!r}") from e
    if found.shape != (wanted,) or not np.isfinite(found).all():
        raise ConfigError(f"system '{name}' needs {wanted} finite {what}, found {found.tolist()}")
    return found
