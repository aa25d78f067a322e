"""Trajectories of one system that are made together, judged, and forgotten after they have been trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from strangecast.core.errors import DataError, StrangecastError
from strangecast.core.streams import counter_integers, key64, stream
from strangecast.data.candidates import Candidate, Wanted, make_candidates
from strangecast.data.pools import Window
from strangecast.data.recipe import Recipe
from strangecast.data.stream_recipe import StreamRecipe
from strangecast.systems.base import System
from strangecast.systems.load import load_system
from strangecast.systems.roster import Specimen
from strangecast.systems.validity.panel import Known, run_panel

# Reasons of rejection beside names of validity tests: what was not followed to its end, and parameters that make no sense.
INTEGRATION, PARAMETERS = "integration", "parameters"


@dataclass(frozen=True)
class Chunk:
    """K trajectories, cut into stretches of which each holds one window.

    Attributes:
        values: K arrays [T, C], with noise.
        dts: [K] sampling intervals.
        parameters: K arrays [P].
        starts: [K * windows of a trajectory] first sample of each window in its trajectory.
        order: [K * windows of a trajectory], in which windows are given away.
        rejected: trajectories that were made and not taken, by system and reason.
    """

    values: list[np.ndarray]
    dts: np.ndarray
    parameters: list[np.ndarray]
    starts: np.ndarray
    order: np.ndarray
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)

    def window(self, number: int, length: int) -> Window:
        """Window ``number`` in the order in which they are given away, of ``length`` samples."""
        place = self.order[number]
        k, start = place // (len(self.starts) // len(self.values)), int(self.starts[place])
        values = self.values[k][start : start + length]
        return Window(values, (start + np.arange(length)) * self.dts[k], self.parameters[k])


def make_chunk(made: StreamRecipe, systems: Iterable[str], windows: int, length: int, *key: Any) -> Chunk:
    """The chunk that ``key`` names.

    Every trajectory has its own parameters, initial condition and attempts, keyed by its number. Those that the first
    system cannot fill in the attempts of the recipe are made of the next one, and so on; in the end of all of them with
    their default parameters.

    Args:
        made: how.
        systems: the system, and those that stand in for it, of equal channels.
        windows: of each trajectory.
        length: samples of one window at least.
        key: of everything random.

    Raises:
        DataError: no system gives valid trajectories; the message counts the reasons.
    """
    K, stretch = made.trajectories, max(length, made.recipe.length // made.windows)
    found: dict[int, Candidate] = {}
    rejected: Counter[tuple[str, str]] = Counter()
    tried: list[str] = []
    for name, default in _in_turn(systems, tried):
        _fill(found, rejected, made, name, windows * stretch, key, default)
        if len(found) == K:
            break
    else:
        reasons: Counter[str] = Counter()
        for (_, reason), n in rejected.items():
            reasons[reason] += n
        raise DataError(
            f"dataset '{made.name}': {tried[0]} and {len(tried) - 1} others of as many channels gave {len(found)} of {K} "
            f"trajectories in {made.recipe.per_specimen} attempts each (rejected by: "
            f"{', '.join(f'{reason} {n}' for reason, n in sorted(reasons.items()))}); relax validity"
        )
    taken = [found[k] for k in range(K)]
    n = K * windows
    offsets = counter_integers(np.array([key64("offset", *key)], np.uint64), 0, n, np.array([stretch - length + 1]))[0]
    return Chunk(
        values=[_noisy(made, _observed(c), k, key) for k, c in enumerate(taken)],
        dts=np.array([c.dt for c in taken]),
        parameters=[c.parameters for c in taken],
        starts=np.tile(np.arange(windows) * stretch, K) + offsets,
        order=stream("order", *key).permutation(n),
        rejected=rejected,
    )


def _in_turn(systems: Iterable[str], tried: list[str]) -> Iterator[tuple[str, bool]]:
    """All systems with their parameters drawn, then all with their default ones; ``tried`` gets their names."""
    for name in systems:
        tried.append(name)
        yield name, False
    for name in list(tried):
        yield name, True


def _fill(
    found: dict[int, Candidate],
    rejected: Counter[tuple[str, str]],
    made: StreamRecipe,
    name: str,
    length: int,
    key: tuple[Any, ...],
    default: bool,
) -> None:
    """Put valid trajectories of a system where there are none yet."""
    system = system_of(name)
    recipe = replace(made.recipe, length=length)
    for attempt in range(recipe.per_specimen):
        missing = [k for k in range(made.trajectories) if k not in found]
        if not missing:
            return
        values = system.values if default else None
        wanted = [Wanted(_specimen(made, name, k, key), system, values) for k in missing]
        for k, candidate in zip(missing, _candidates(recipe, wanted, attempt), strict=True):
            reason = PARAMETERS if candidate is None else _reason(candidate, recipe.validity, length)
            if candidate is not None and reason is None:
                found[k] = candidate
            else:
                rejected[name, reason] += 1


def _candidates(recipe: Recipe, wanted: list[Wanted], attempt: int) -> list[Candidate | None]:
    """Candidates, None where a system refuses its parameters, such as a lag that a perturbation has made negative."""
    try:
        return list(make_candidates(recipe, wanted, attempt))
    except StrangecastError:
        return [None] if len(wanted) == 1 else [c for w in wanted for c in _candidates(recipe, [w], attempt)]


def _specimen(made: StreamRecipe, name: str, k: int, key: tuple[Any, ...]) -> Specimen:
    own = key64("parameters", *key, k)
    parameter_index = own if made.parameter_sets is None else own % made.parameter_sets
    return Specimen(name, parameter_index, key64("initial condition", *key, k))


def _reason(candidate: Candidate, validity: dict[str, Any], length: int) -> str | None:
    """Name of the first test that a candidate fails, None where it passes all."""
    if candidate.status != "finished" or len(candidate.states) != length:
        return INTEGRATION
    values = _observed(candidate)
    if not np.isfinite(values).all():
        return INTEGRATION
    verdicts = run_panel(values, validity, Known((candidate.trajectory_id,)), stop_at_first=True)
    return next((test for test, verdict in verdicts.items() if not verdict.passed), None)


def _observed(candidate: Candidate) -> np.ndarray:
    return candidate.wanted.system.observe(candidate.states, candidate.parameters)


def _noisy(made: StreamRecipe, values: np.ndarray, k: int, key: tuple[Any, ...]) -> np.ndarray:
    if not made.noise:
        return values
    return values + made.noise * values.std(0) * stream("noise", *key, k).standard_normal(values.shape)


@lru_cache(maxsize=512)
def system_of(name: str) -> System:
    """The system of a name, made once."""
    return load_system(name)
