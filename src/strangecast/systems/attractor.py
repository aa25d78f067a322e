"""Initial conditions on the attractor, each made alone from its key.

The catalogued initial condition is multiplied, coordinate by coordinate, by 1 + 0.5 % of a normal number (zeros stay
zero, so that invariant planes and signs of concentrations survive), then run for a transient whose length is drawn
between one and one and a half times what was asked for. Both draws come from ``stream("ic", system, parameter_index,
ic_index)``. The perturbation spreads strongly chaotic flows over the attractor, the random length weakly chaotic ones.
It is small because several flows share phase space with escapes or other attractors: at 2 %, SprottQ and CellCycle left
their basins.
"""

from __future__ import annotations

import numpy as np

from strangecast.core.streams import stream
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver, Trajectory

PERTURBATION = 0.005


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
        parameter_index, ic_index: the key, with the system's name; a word as ``ic_index`` keeps uses apart.
        transient_periods: least length of the transient in periods.
        solver: as for the trajectory itself.
    """
    rng = stream("ic", system.name, parameter_index, ic_index)
    start = system.initial_condition * (1 + PERTURBATION * rng.standard_normal(system.dim))
    turns = transient_periods * (1 + 0.5 * rng.random())
    return system.simulate(start, np.array([0.0, turns * system.period]), parameters, solver)
