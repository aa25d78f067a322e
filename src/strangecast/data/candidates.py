"""From specimens to trajectories: parameters, initial conditions and integration, for many at once.

Specimens whose systems share a graph (one system, or the couplings of one pair) are integrated as one ensemble. What
becomes of one depends on its own keys alone, so it can be made alone, in any company, to the same last bit. The graph
of a pair is compiled for this once, quickly and without a file: hardly anybody asks for the same pair again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from strangecast.data.recipe import Recipe
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver, Trajectory
from strangecast.systems.lanes.fallback import with_fallback
from strangecast.systems.parameter_sampler import parameter_set
from strangecast.systems.roster import Specimen
from strangecast.systems.skew_names import parse


@dataclass(frozen=True)
class Wanted:
    """A specimen with its system, and the parameters that were saved for it where it restarts from another dataset."""

    specimen: Specimen
    system: System
    parameters: np.ndarray | None = None


@dataclass(frozen=True)
class Candidate:
    """One attempt at a specimen.

    Attributes:
        wanted: what is to be made.
        attempt: which one.
        parameters: [P].
        dt: sampling interval.
        states: [T', D] as far as it came, T' <= T.
        status: how the integration ended.
        engine: what integrated, with its tolerances.
        evaluations: of the right-hand side, transient included.
        last: the last state of the transient, where the trajectory would begin.
    """

    wanted: Wanted
    attempt: int
    parameters: np.ndarray
    dt: float
    states: np.ndarray
    status: str
    engine: str
    evaluations: int
    last: np.ndarray

    @property
    def trajectory_id(self) -> str:
        """Of the specimen; attempts after the first carry their number."""
        name = self.wanted.specimen.trajectory_id
        return f"{name}-a{self.attempt}" if self.attempt else name


def make_candidates(recipe: Recipe, wanted: Sequence[Wanted], attempt: int = 0) -> list[Candidate]:
    """The attempt number ``attempt`` at each specimen; their systems share a graph.

    Args:
        recipe: how.
        wanted: which, at least one.
        attempt: keys parameters (where they are drawn) and initial conditions.
    """
    parameters = [
        parameter_set(w.system, w.specimen.parameter_index, recipe.perturb, attempt)
        if w.parameters is None
        else w.parameters
        for w in wanted
    ]
    draws = [
        recipe.start.draw(w.system, w.specimen.parameter_index, w.specimen.ic_index, recipe.transient_periods, attempt)
        for w in wanted
    ]
    spans = np.array([span for _, span in draws])
    periods = np.array([w.system.period for w in wanted])
    dts = periods / recipe.points_per_period
    solver = recipe.solver
    before = _follow(wanted, [s for s, _ in draws], np.zeros(len(wanted)), spans, 2, parameters, periods, solver)
    sound = [i for i, (path, _) in enumerate(before) if path.finished]
    # Time begins with the first sample; the history of a delay flow ends where its transient did.
    begin = spans if wanted[0].system.graph is not None and wanted[0].system.graph.lags else np.zeros(len(wanted))
    after = _follow(
        [wanted[i] for i in sound],
        [getattr(before[i][0], "segment", None) or before[i][0].states[-1] for i in sound],
        begin[sound],
        dts[sound],
        recipe.length,
        [parameters[i] for i in sound],
        periods[sound],
        solver,
    )
    found = []
    followed = dict(zip(sound, after, strict=True))
    for i, w in enumerate(wanted):
        transient, engine = before[i]
        path, engine = followed.get(i, (None, engine))
        found.append(
            Candidate(
                wanted=w,
                attempt=attempt,
                parameters=parameters[i],
                dt=float(dts[i]),
                states=transient.states[:0] if path is None else path.states,
                status=f"{transient.status} in the transient" if path is None else path.status,
                engine=engine,
                evaluations=transient.evaluations + (0 if path is None else path.evaluations),
                last=transient.states[-1:].reshape(-1),
            )
        )
    return found


def _follow(
    wanted: Sequence[Wanted],
    starts: Sequence[Any],
    begin: np.ndarray,
    spacing: np.ndarray,
    length: int,
    parameters: Sequence[np.ndarray],
    periods: np.ndarray,
    solver: Solver,
) -> list[tuple[Trajectory, str]]:
    """Each start at ``begin + i spacing``, i = 0 .. length - 1, and what integrated it."""
    found: list[tuple[Trajectory, str] | None] = [None] * len(wanted)
    together = []
    for i, w in enumerate(wanted):
        if not spacing[i] > 0:
            found[i] = Trajectory(np.repeat(starts[i][None], length, axis=0), "finished", 0), str(solver)
        elif _in_lanes(w.system, solver):
            together.append(i)
        else:
            times = begin[i] + spacing[i] * np.arange(length)
            found[i] = w.system.simulate(starts[i], times, parameters[i], solver), str(solver)
    if together:
        system = wanted[together[0]].system
        paths = with_fallback(
            system.graph,
            np.stack([starts[i] for i in together]),
            (begin[together], spacing[together], length),
            np.stack([parameters[i] for i in together]),
            solver,
            bounded=system.bounded,
            period=periods[together],
            jacobian=getattr(system, "bind_jacobian", None),
            once=parse(system.name) is not None,
        )
        for n, i in enumerate(together):
            found[i] = paths.trajectory(n), paths.told(n).rpartition(": ")[0]
    return found


def _in_lanes(system: System, solver: Solver) -> bool:
    return solver.name == "dop853" and not system.grid and system.graph is not None and not system.graph.lags
