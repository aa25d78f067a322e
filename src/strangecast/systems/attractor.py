"""Initial conditions: on the attractor, or near the catalogued one.

On the attractor: the catalogued initial condition is multiplied, coordinate by coordinate, by 1 + 0.5 % of a normal
number (zeros stay zero, so that invariant planes and signs of concentrations survive), then run for a transient whose
length is drawn between one and one and a half times what was asked for. The perturbation spreads strongly chaotic flows
over the attractor, the random length weakly chaotic ones. It is small because several flows share phase space with
escapes or other attractors: at 2 %, SprottQ and CellCycle left their basins.

Gaussian: the same product with a spread that is asked for, and no transient.

Both draws come from ``stream("ic", system, parameter_index, ic_index)``; attempts after the first add their number to
the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.streams import stream
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver, Trajectory

PERTURBATION = 0.005
SAMPLERS = ("attractor", "gaussian")


@dataclass(frozen=True)
class Start:
    """How initial conditions are drawn (``start`` of a dataset's YAML).

    Attributes:
        sampler: of ``SAMPLERS``.
        spread: standard deviation in units of each coordinate of the catalogued initial condition.
    """

    sampler: str = "attractor"
    spread: float = PERTURBATION

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise ConfigError(unknown("sampler of initial conditions", str(self.sampler), SAMPLERS))
        if not self.spread >= 0:
            raise ConfigError(f"start.spread must not be negative, found {self.spread}")

    @classmethod
    def from_config(cls, config: dict[str, Any] | None) -> Start:
        """From the ``start`` part of a YAML.

        Raises:
            ConfigError: a key that it does not have, or a value that cannot work.
        """
        for key in config or {}:
            if key not in cls.__dataclass_fields__:
                raise ConfigError(unknown("start setting", str(key), cls.__dataclass_fields__))
        return cls(**(config or {}))

    def draw(
        self, system: System, parameter_index: int, ic_index: int | str, transient_periods: float, attempt: int = 0
    ) -> tuple[np.ndarray, float]:
        """A state [D] and the time to run it before it is used.

        Args:
            system: with an initial condition and a period.
            parameter_index, ic_index: the key, with the system's name; a word as ``ic_index`` keeps uses apart.
            transient_periods: least length of the transient in periods.
            attempt: which candidate for this key.
        """
        key = (parameter_index, ic_index) + ((attempt,) if attempt else ())
        rng = stream("ic", system.name, *key)
        state = system.initial_condition * (1 + self.spread * rng.standard_normal(system.dim))
        turns = transient_periods * (1 + 0.5 * rng.random()) if self.sampler == "attractor" else 0.0
        return state, turns * system.period


def on_attractor(
    system: System,
    parameters: np.ndarray,
    parameter_index: int,
    ic_index: int | str,
    transient_periods: float,
    solver: Solver,
) -> Trajectory:
    """A state on the attractor: ``states[-1]`` of the returned trajectory, whose ``status`` says whether to use it.

    Args:
        system: with an initial condition and a period.
        parameters: [P].
        parameter_index, ic_index: the key, as for :meth:`Start.draw`.
        transient_periods: least length of the transient in periods.
        solver: as for the trajectory itself.
    """
    state, time = Start().draw(system, parameter_index, ic_index, transient_periods)
    return system.simulate(state, np.array([0.0, time]), parameters, solver)
