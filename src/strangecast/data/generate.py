"""Simulate one shard of a dataset.

Sampling: ``dt = period / points_per_period``; a trajectory is ``length`` samples at 0, dt, 2 dt, ... after its own
transient, so ``length / points_per_period`` turns. Initial condition number i has the key (system, parameter_index, i)
and nothing else: any trajectory of any recipe can be made alone, in any order, to the last bit. The Lyapunov exponent
belongs to the parameter set and has its own key: every shard's job measures it and finds the same number.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.spec import Spec
from strangecast.data.labels import made_labels
from strangecast.data.trajectories import row, shard_name, write_shard
from strangecast.systems.attractor import on_attractor
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system
from strangecast.systems.lyapunov import largest_exponent

PARAMETER_INDEX = 0  # the catalogued parameters; perturbed sets count from 1
_SAMPLING = {"points_per_period", "length", "transient_periods"}
_LYAPUNOV = {"periods", "separation", "steps_per_period", "transient_periods"}


def generate_shard(plan: dict[str, Any], root: Path, shard: int) -> None:
    """Write ``ROOT/<folder>/shard-XXXX.arrow`` of a dataset plan.

    A trajectory that cannot be followed to its end is stored as far as it came, with its status; the filter rejects
    it by name.

    Args:
        plan: dataset plan.
        root: ``results/<scale>``.
        shard: number of the shard; it holds initial conditions ``shard * shard_size`` and on.

    Raises:
        ConfigError: unknown keys, or numbers that cannot work.
    """
    config = plan["config"]
    system = load_system(config["system"])
    sampling = _known(config["sampling"], _SAMPLING, "sampling")
    solver = Solver.from_config(config.get("solver"))
    first = shard * config["shard_size"]
    indices = range(first, min(first + config["shard_size"], config["initial_conditions"]))
    if shard < 0 or not len(indices):
        raise ConfigError(f"dataset '{plan['name']}' has no shard {shard}: {config['initial_conditions']} trajectories")
    exponent, labels = None, made_labels(plan, "generate")
    if config.get("lyapunov") is not None:
        settings = _known(config["lyapunov"], _LYAPUNOV, "lyapunov")
        measured = largest_exponent(system, system.values, parameter_index=PARAMETER_INDEX, solver=solver, **settings)
        if math.isfinite(measured.value):
            exponent = measured.value
            labels["lyapunov_standard_error"] = repr(measured.standard_error)
    spec = spec_of(system, system.period / sampling["points_per_period"], exponent)
    rows = [make_row(system, i, sampling, solver, exponent) for i in indices]
    write_shard(root / plan["folder"] / shard_name(shard), rows, spec, labels)


def spec_of(system: System, dt: float, lyapunov: float | None) -> Spec:
    """What an emulator may know of a simulated dataset, but for the context range, which the split sets."""
    return Spec(
        channels=system.channels,
        grid=system.grid,
        dt=dt,
        parameters=system.parameters,
        lyapunov=lyapunov,
        system=system.name,
    )


def make_row(
    system: System, ic_index: int, sampling: dict[str, Any], solver: Solver, lyapunov: float | None
) -> dict[str, Any]:
    """Trajectory number ``ic_index`` as a row of the shard's table."""
    length, per_period = int(sampling["length"]), float(sampling["points_per_period"])
    if length < 2 or per_period <= 0:
        raise ConfigError(f"sampling needs length >= 2 and points_per_period > 0, found {length} and {per_period}")
    parameters = system.values
    dt = system.period / per_period
    start = on_attractor(system, parameters, PARAMETER_INDEX, ic_index, sampling["transient_periods"], solver)
    if start.finished:
        path = system.simulate(start.states[-1], np.arange(length) * dt, parameters, solver)
        status, states = path.status, path.states
    else:
        status, states = f"{start.status} in the transient", start.states[:0]
    return row(
        f"{system.name}-p{PARAMETER_INDEX}-i{ic_index}",
        system.name,
        system.observe(states, parameters) if len(states) else np.zeros((0, len(system.channels))),
        dt=dt,
        state=None if system.observes_state else states,
        parameter_index=PARAMETER_INDEX,
        ic_index=ic_index,
        period=system.period,
        lyapunov=lyapunov,
        parameters=parameters,
        initial_condition=states[0] if len(states) else start.states[-1:].reshape(-1),
        solver=f"{solver}: {status}",
    )


def _known(config: dict[str, Any], allowed: set[str], what: str) -> dict[str, Any]:
    for key in config:
        if key not in allowed:
            raise ConfigError(unknown(f"{what} setting", key, allowed))
    return config
