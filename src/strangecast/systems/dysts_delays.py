"""The six delay flows of dysts behind the System contract.

Each is an equation for one number x(t) that reads x(t - tau) too; ``tau`` is a parameter like the others. dysts returns
ten copies of x at lags between 0 and tau; here the one coordinate is observed, and whoever wants an embedding makes it.
As in dysts, the history before the start is constant, at the first catalogued number. The state of a delay equation is
a function, so no vector field, Jacobian or state at an instant is offered.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.core.spec import Channel
from strangecast.systems import catalogue
from strangecast.systems.base import System
from strangecast.systems.dysts_flows import flat_parameters, instance
from strangecast.systems.integrate import Solver, Trajectory
from strangecast.systems.tracing import trace_delay


class DystsDelay(System):
    """One delay flow of dysts.

    Args:
        name: catalogue name, such as ``MackeyGlass``.

    Raises:
        ConfigError: the name is unknown, or is no delay flow.
    """

    rhs = None

    def __init__(self, name: str) -> None:
        entry = catalogue.lookup(name)
        if entry.kind != "delay":
            raise ConfigError(f"system '{name}' is a {entry.kind}, not a delay flow of dysts")
        flow = instance(name)
        self.entry = entry
        self.name = name
        self.dim = 1
        self.parameters, self.values = flat_parameters(flow)
        self.graph = trace_delay(flow)
        self.period = float(flow.period)
        self.initial_condition = np.array(flow.ic, np.float64).reshape(-1)[:1]
        self.bounded = np.ones(1, bool)
        self.channels = (Channel("x"),)

    def delays(self, parameters: np.ndarray) -> np.ndarray:
        """[L], the lags at ``parameters`` [P] in the order of ``graph.lags``: ``tau`` alone."""
        return np.asarray(parameters, np.float64)[[self.parameters.index("tau")]]

    def history(self, t: float) -> np.ndarray:
        """[1], the state at a time t <= 0."""
        return self.initial_condition

    def simulate(self, state: Any, times: np.ndarray, parameters: np.ndarray, solver: Solver) -> Trajectory:
        """States [T', 1] at ``times`` [T].

        Args:
            state: what came before ``times[0]``: a constant [1], a function of time, or the ``segment`` that an earlier
                trajectory of this system ended with.
            times: increasing.
            parameters: [P].
            solver: tolerances and budget.
        """
        from strangecast.systems.method_of_steps import simulate_delay

        return simulate_delay(self, state, times, parameters, solver)

    @property
    def offers(self) -> set[str]:
        """Nothing that a training or an oracle could ask for."""
        return set()
