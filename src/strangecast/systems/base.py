"""The System contract: what every inhabitant of this room offers, or states it does not have.

A system is anything that evolves: an ODE of the catalogue, a delay flow, a skew product, a field simulator, a recorded
series. What it cannot offer is a stated None (``graph``, ``rhs``, ``jacobian``, ``residuum``, ``lyapunov``) or a method
that returns None (``stepper``), so that callers ask instead of guessing from the type.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from strangecast.core.spec import Channel
from strangecast.systems.graph import Graph
from strangecast.systems.integrate import Solver, Trajectory, integrate

Field = Callable[[float, np.ndarray], np.ndarray]


class System(ABC):
    """Something that evolves.

    Letters: D size of the state, P number of scalar parameters, C channels, T times.

    Attributes:
        name: unique name, the catalogue's where it has one.
        dim: D, the size of the state at one grid point.
        grid: () for point systems, (X,), (X, Y) or (X, Y, Z) for fields.
        channels: what is observed, C of them.
        parameters: names of the scalar parameters, P of them (entries of array parameters are named ``k[0,1]``).
        values: [P] their default values.
        period: a typical time of one turn in physical units, or None.
        initial_condition: [D, *grid], a state near the attractor, or None.
        bounded: [D] of bool, False for coordinates that grow without bound by nature (angles, phases of a drive).
        graph: the right-hand side as a symbolic graph of D outputs, from which compiled code, derivatives and couplings
            are made, or None. Where it has lags, the system is a delay equation and has no ``rhs``.
        observation: the graph of ``observe``, of C outputs, or None where the state itself is observed (or there is no
            graph).
        rhs: ``rhs(t, state [..., D], parameters [P] or [..., P]) -> [..., D]``, or None where there is no vector field.
        jacobian: ``jacobian(t, state [..., D], parameters [P] or [..., P]) -> [..., D, D]``, or None.
        residuum: torch function that vanishes on solutions, or None.
        lyapunov: the largest exponent per time unit where it is known in closed form, else None (then measured).
    """

    name: str
    dim: int
    grid: tuple[int, ...] = ()
    channels: tuple[Channel, ...]
    parameters: tuple[str, ...] = ()
    values: np.ndarray
    period: float | None = None
    initial_condition: np.ndarray | None = None
    bounded: np.ndarray
    graph: Graph | None = None
    observation: Graph | None = None
    jacobian: Callable[..., np.ndarray] | None = None
    residuum: Callable[..., Any] | None = None
    lyapunov: float | None = None

    @abstractmethod
    def rhs(self, t: float, state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Time derivative of ``state`` [..., D]; a system without a vector field sets ``rhs = None``."""

    def bind(self, parameters: np.ndarray) -> Field:
        """The vector field of one state [D] with ``parameters`` [P] fixed, as fast as this system can offer it."""
        parameters = np.asarray(parameters, np.float64)
        return lambda t, state: self.rhs(t, state, parameters)

    def observe(self, state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Channels [..., C, *grid] of ``state`` [..., D, *grid]; the state itself unless a system says otherwise."""
        return state

    @property
    def observes_state(self) -> bool:
        """Whether channels and state are the same, so that stores need not keep both."""
        return type(self).observe is System.observe

    def stepper(self, dt: float) -> Any:
        """A differentiable torch map over ``dt``, or None."""
        return None

    def simulate(self, state: np.ndarray, times: np.ndarray, parameters: np.ndarray, solver: Solver) -> Trajectory:
        """States at ``times`` [T], the first of them ``state`` [D].

        Systems that are no ODE, or that have a faster engine, replace this method; all else only calls it.
        """
        return integrate(self.bind(parameters), state, times, solver, bounded=self.bounded, period=self.period)

    @property
    def offers(self) -> set[str]:
        """Which of stepper, residuum, vector_field, jacobian and state this system has."""
        found = {"state"} if self.initial_condition is not None else set()
        if self.rhs is not None:
            found.add("vector_field")
        if self.jacobian is not None:
            found.add("jacobian")
        if self.residuum is not None:
            found.add("residuum")
        if type(self).stepper is not System.stepper:
            found.add("stepper")
        return found
