"""Simulate one shard of a dataset.

Sampling: ``dt = period / points_per_period``; a trajectory is ``length`` samples at 0, dt, 2 dt, ... after its own
transient, so ``length / points_per_period`` turns. Parameter sets and initial conditions are keyed by (system,
parameter_index, ic_index) and nothing else: any trajectory of any recipe can be made alone, in any order, to the last
bit. The Lyapunov exponent belongs to the parameter set and has its own key: every shard's job measures it and finds the
same number.

Attempts. Where ``attempts.per_specimen`` is above 1, every candidate is judged by the dataset's own validity tests as
soon as it is made; a rejected one keeps its row, with its reasons and without its values, and the next keyed candidate
is tried, until one is accepted, the attempts are used up, or the shard has spent its budget of evaluations. The budget
is looked at before every round of attempts at one graph, in the order of the roster.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.core.spec import Spec
from strangecast.core.targets import locate
from strangecast.data.candidates import Candidate, Wanted, make_candidates
from strangecast.data.labels import made_labels
from strangecast.data.recipe import Recipe
from strangecast.data.restart import saved_parameters
from strangecast.data.trajectories import row, shard_name, write_shard
from strangecast.systems.base import System
from strangecast.systems.load import load_system
from strangecast.systems.lyapunov import largest_exponent
from strangecast.systems.roster import Specimen, parents_of
from strangecast.systems.skew_names import parse

Exponent = tuple[float | None, float | None]


def generate_shard(plan: dict[str, Any], root: Path, shard: int) -> None:
    """Write ``ROOT/<folder>/shard-XXXX.arrow`` of a dataset plan.

    A trajectory that cannot be followed to its end is stored as far as it came, with its status; the filter rejects
    it by name.

    Args:
        plan: dataset plan.
        root: ``results/<scale>``.
        shard: number of the shard.

    Raises:
        ConfigError: unknown keys, or numbers that cannot work.
        ResultsError: the dataset that this one restarts from is not there.
    """
    config = plan["config"]
    recipe = Recipe.from_config(config)
    specimens = recipe.roster.shard(shard, config["shard_size"])
    if not specimens:
        raise ConfigError(f"dataset '{plan['name']}' has no shard {shard}: {len(recipe.roster)} trajectories")
    saved = saved_parameters(root, config["restart"]) if config.get("restart") else None
    rows: list[dict[str, Any]] = []
    systems: dict[str, Spec] = {}
    spent = 0
    for group in _groups(specimens):
        for w in group:
            systems[w.system.name] = spec_of(w.system, w.system.period / recipe.points_per_period, None)
        found, evaluations = _make(recipe, group if saved is None else _saved(group, saved), spent)
        spent += evaluations
        rows += found
    specs = [replace(systems[r["system"]], lyapunov=r["lyapunov"]) for r in rows]
    spec, labels = Spec.common(specs or systems.values()), made_labels(plan, "generate")
    if config.get("systems") is not None:
        write_shard(root / plan["folder"] / shard_name(shard), rows, replace(spec, system=""), labels, systems)
    else:
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


def make_row(recipe: Recipe, specimen: Specimen, attempt: int = 0, exponent: Exponent = (None, None)) -> dict[str, Any]:
    """One trajectory alone as a row of the shard's table."""
    return _row(make_candidates(recipe, [Wanted(specimen, load_system(specimen.system))], attempt)[0], exponent)


def _groups(specimens: list[Specimen]) -> Iterator[list[Wanted]]:
    """Consecutive specimens whose systems share a graph."""

    def structure(specimen: Specimen) -> str:
        found = parse(specimen.system)
        return specimen.system if found is None else found.structure

    for _, group in groupby(specimens, structure):
        members = list(group)
        loaded = {name: load_system(name) for name in dict.fromkeys(s.system for s in members)}
        yield [Wanted(s, loaded[s.system]) for s in members]


def _saved(group: list[Wanted], saved: dict[tuple[str, int], np.ndarray]) -> list[Wanted]:
    """Those of a group whose parameters were saved, with them."""
    keyed = [(w, (w.specimen.system, w.specimen.parameter_index)) for w in group]
    return [replace(w, parameters=saved[key]) for w, key in keyed if key in saved]


def _make(recipe: Recipe, wanted: list[Wanted], spent: int) -> tuple[list[dict[str, Any]], int]:
    """All rows of a group, in the order of its specimens and attempts, and the evaluations that they cost."""
    exponents = _Exponents(recipe)
    if not wanted:
        return [], 0
    if recipe.per_specimen == 1:
        made = make_candidates(recipe, wanted)
        return [_row(c, exponents.of(c)) for c in made], sum(c.evaluations for c in made)
    judge = locate(recipe.judge, "attempts.judge")
    references = _References(recipe)
    rows: dict[Specimen, list[dict[str, Any]]] = {w.specimen: [] for w in wanted}
    cost = 0
    for attempt in range(recipe.per_specimen):
        if not wanted or (attempt and recipe.budget is not None and spent + cost >= recipe.budget):
            break
        rejected = []
        for c in make_candidates(recipe, wanted, attempt):
            cost += c.evaluations
            values = _observed(c)
            verdicts, accepted = judge(
                values=values,
                finished=c.status == "finished",
                length=recipe.length,
                validity=recipe.validity,
                trajectory_id=c.trajectory_id,
                exponent=lambda c=c: exponents.of(c),
                reference=references.of(c),
            )
            if accepted:
                found = _row(c, exponents.of(c)) | {"verdicts": verdicts}
            else:
                found = _row(c, exponents.known(c), keep=False) | {"verdicts": verdicts}
                rejected.append(c.wanted)
            rows[c.wanted.specimen].append(found)
        wanted = rejected
    return [r for own in rows.values() for r in own], cost


def _observed(c: Candidate) -> np.ndarray:
    system = c.wanted.system
    return system.observe(c.states, c.parameters) if len(c.states) else np.zeros((0, len(system.channels)))


def _row(c: Candidate, exponent: Exponent, keep: bool = True) -> dict[str, Any]:
    """A row of the shard's table, without values and states where they are not to be kept."""
    system, specimen = c.wanted.system, c.wanted.specimen
    values = _observed(c)
    if not keep:
        values = values[:0]
    return row(
        c.trajectory_id,
        system.name,
        values,
        dt=c.dt,
        state=None if system.observes_state else c.states[: len(values)],
        parents=parents_of(system.name),
        parameter_index=specimen.parameter_index,
        ic_index=specimen.ic_index,
        attempt=c.attempt,
        period=system.period,
        lyapunov=exponent[0],
        lyapunov_standard_error=exponent[1],
        parameters=c.parameters,
        initial_condition=c.states[0] if len(c.states) else c.last,
        solver=f"{c.engine}: {c.status}",
        evaluations=c.evaluations,
    )


@dataclass
class _Exponents:
    """Largest exponents of parameter sets, each measured once in a job."""

    recipe: Recipe

    def __post_init__(self) -> None:
        self._found: dict[bytes, Exponent] = {}

    def known(self, c: Candidate) -> Exponent:
        """The exponent of a candidate's parameters if it has been measured, else nothing."""
        return self._found.get(self._key(c), (None, None))

    def of(self, c: Candidate) -> Exponent:
        """The exponent of a candidate's parameters and its standard error; nothing where it cannot be measured."""
        key, system = self._key(c), c.wanted.system
        if self.recipe.lyapunov is None or (system.graph is None and system.rhs is None):
            return None, None
        if key not in self._found:
            measured = largest_exponent(
                system,
                c.parameters,
                parameter_index=c.wanted.specimen.parameter_index,
                solver=self.recipe.solver,
                **self.recipe.lyapunov,
            )
            sound = math.isfinite(measured.value)
            self._found[key] = (measured.value, measured.standard_error) if sound else (None, None)
        return self._found[key]

    @staticmethod
    def _key(c: Candidate) -> bytes:
        return f"{c.wanted.system.name} {c.wanted.specimen.parameter_index} ".encode() + c.parameters.tobytes()


@dataclass
class _References:
    """Trajectories that candidates are held against: of the default parameters, of a product's undriven response."""

    recipe: Recipe

    def __post_init__(self) -> None:
        self._found: dict[str, np.ndarray | None] = {}

    def of(self, c: Candidate) -> np.ndarray | None:
        """The reference of a candidate where the recipe tests against one; None for references themselves."""
        parents = parents_of(c.wanted.system.name)
        name = parents[1] if parents else c.wanted.system.name
        if self.recipe.validity.get("same_attractor") is None or (
            not parents and c.wanted.specimen.parameter_index == 0
        ):
            return None
        if name not in self._found:
            alone = make_candidates(self.recipe, [Wanted(Specimen(name, 0, 0), load_system(name))])[0]
            self._found[name] = _observed(alone) if alone.status == "finished" else None
        return self._found[name]
