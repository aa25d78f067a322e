"""Trajectories to be looked at one by one: from the files of a dataset, or simulated on the spot."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from strangecast.analyses.attempts import attempts, in_order, kind_of
from strangecast.analyses.generated import Generated
from strangecast.analyses.portraits import Portrait, lag_of, portrait
from strangecast.core.errors import ConfigError
from strangecast.data.candidates import Wanted, make_candidates
from strangecast.data.judging import judge_row
from strangecast.data.recipe import Recipe
from strangecast.data.shards import Shard
from strangecast.systems.load import load_system
from strangecast.systems.lyapunov import largest_exponent
from strangecast.systems.roster import Specimen


@dataclass(frozen=True)
class Shown:
    """One trajectory.

    Attributes:
        trajectory_id, system: names.
        parameter_index: 0 for the catalogued parameters.
        values: [T, C, *grid].
        channels: C names.
        dt: sampling interval, or None where it is irregular.
        period: of one turn, or None.
        reasons: failed tests; () of an accepted trajectory.
        lyapunov, standard_error: largest exponent per time unit, or None.
        lag: samples between a single channel and its past, in a portrait.
    """

    trajectory_id: str
    system: str
    parameter_index: int
    values: np.ndarray
    channels: tuple[str, ...]
    dt: float | None
    period: float | None
    reasons: tuple[str, ...]
    lyapunov: float | None
    standard_error: float | None
    lag: int

    @property
    def portrait(self) -> Portrait:
        """All its samples in two or three coordinates."""
        unbounded = kind_of(self.system).unbounded
        return portrait(self.values, self.channels, unbounded=unbounded, lag=self.lag, points=len(self.values))


def of_dataset(generated: Generated, system: str, most: int = 6) -> list[Shown]:
    """Trajectories of one system of a dataset: of each parameter set the first, accepted where one was; then others.

    Rejected trajectories that were not kept are left out.

    Args:
        generated: the dataset.
        system: one of its systems.
        most: how many.

    Raises:
        ResultsError, DataError: its files are missing or damaged.
    """
    rows = attempts(generated)
    rows = rows[(rows["system"] == system) & (rows["length"] > 1)]
    rows = rows.sort_values(
        ["accepted", "parameter_index", "ic_index", "attempt"], ascending=[False, *[True] * 3], kind="stable"
    )
    again = rows.duplicated("parameter_index")
    chosen = pd.concat([rows[~again].sort_values("parameter_index", kind="stable"), rows[again]]).head(most)
    shards = {name: Shard(generated.folder / name) for name in dict.fromkeys(chosen["shard"])}
    return [_stored(shards[row["shard"]], row) for _, row in chosen.iterrows()]


def _stored(shard: Shard, row: pd.Series) -> Shown:
    place = int(row["row"])
    spec = shard.spec_of(place)
    return Shown(
        trajectory_id=row["trajectory_id"],
        system=row["system"],
        parameter_index=int(row["parameter_index"]),
        values=shard.values(place, row["sha256"]),
        channels=tuple(c.name for c in spec.channels),
        dt=_number(row["dt"]),
        period=_number(row["period"]),
        reasons=tuple(row["reasons"]),
        lyapunov=_number(row["lyapunov"]),
        standard_error=_number(row["lyapunov_standard_error"]),
        lag=lag_of(spec.parameters, shard.get("parameters", place), row["dt"], row["period"], row["length"]),
    )


def simulated(name: str, config: dict[str, Any], count: int = 2) -> list[Shown]:
    """Trajectories of a system at its catalogued parameters, made and judged as a dataset with this YAML would.

    Args:
        name: of a system.
        config: resolved YAML of a dataset; its systems are replaced by this one.
        count: initial conditions.

    Raises:
        ConfigError: there is no such system, or the YAML cannot work.
    """
    recipe = Recipe.from_config(
        config | {"system": name, "systems": None, "initial_conditions": count, "restart": None}
    )
    system = load_system(name)
    if system.initial_condition is None or system.period is None:
        raise ConfigError(f"system '{name}' has no initial condition and period to simulate it from")
    measured = (None, None)
    if recipe.lyapunov is not None and (system.graph is not None or system.rhs is not None):
        found = largest_exponent(system, system.values, solver=recipe.solver, **recipe.lyapunov)
        measured = (found.value, found.standard_error) if np.isfinite(found.value) else (None, None)
    shown = []
    for c in make_candidates(recipe, [Wanted(Specimen(name, 0, i), system) for i in range(count)]):
        states = c.states
        values = system.observe(states, c.parameters) if len(states) else np.zeros((0, len(system.channels)))
        told, _ = judge_row(
            values, c.status == "finished", recipe.length, recipe.validity, c.trajectory_id, lambda: measured, None
        )
        failed = [test for test, verdict in json.loads(told).items() if not verdict["passed"]]
        shown.append(
            Shown(
                trajectory_id=c.trajectory_id,
                system=name,
                parameter_index=0,
                values=values,
                channels=tuple(channel.name for channel in system.channels),
                dt=c.dt,
                period=system.period,
                reasons=tuple(in_order(failed)),
                lyapunov=measured[0],
                standard_error=measured[1],
                lag=lag_of(system.parameters, c.parameters, c.dt, system.period, len(values)),
            )
        )
    return shown


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
