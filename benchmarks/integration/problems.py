"""The systems that integrators are compared on, with solutions they are held against.

Trajectories are those of Panda's data: 4096 points over 40 periods of the catalogue. Errors are taken after one
Lyapunov time (measured here, from pairs of trajectories; ten periods at most): the largest coordinate's error in units
of its range, the median over initial conditions. The reference is SciPy's DOP853 at rtol 1e-13; what it differs from
the same at 3e-14 is the floor below which errors are not told apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from strangecast.core.streams import stream
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver, integrate
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.load import load_system

# Polynomial, rational, transcendental, driven, non-smooth, Hamiltonian; 3 to 10 coordinates; 4 to 170 operations.
SYSTEMS = (
    "Lorenz", "Rossler", "Chua", "ForcedVanDerPol", "Hopfield", "InteriorSquirmer", "Aizawa", "ArnoldWeb", "BeerRNN",
    "BlinkingVortex", "CellCycle", "Colpitts", "DoublePendulum", "ExcitableCell", "FluidTrampoline",
    "ForcedFitzHughNagumo", "HastingsPowell", "HenonHeiles", "HyperRossler", "KawczynskiStrizhak", "MacArthur",
    "SprottA", "Thomas", "TurchinHanski", "YuWang",
)  # fmt: skip
PERIODS, POINTS = 40, 4096
TOLERANCES = tuple(10.0 ** (-k / 4) for k in range(24, 53))
GENEROUS = 10**9  # evaluations per period: nobody's budget ends a comparison


def solver(rtol: float) -> Solver:
    """DOP853 without a budget; the absolute tolerance is a tenth of the relative one, as Panda has it."""
    return Solver(rtol=rtol, atol=rtol / 10, limit=1e12, evaluations_per_period=GENEROUS)


def careful(rtol: float) -> Solver:
    """The same with the limit and a budget of production, for parameters that may escape."""
    return Solver(rtol=rtol, atol=rtol / 10, evaluations_per_period=100_000)


def cpu(work: Callable[[], Any], repeats: int = 1) -> float:
    """Median CPU seconds."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return float(np.median(found))


@dataclass
class Problem:
    """One system at default parameters.

    Attributes:
        system: of the catalogue.
        starts: [N, D], on the attractor.
        points, periods: of a timed trajectory.
        count: trajectories of a timed ensemble of ours.
    """

    system: System
    starts: np.ndarray
    points: int
    periods: float
    count: int
    _timed: dict[float, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, name: str, *, starts: int = 8, points: int = POINTS, periods: float = PERIODS, count: int = 64
    ) -> Problem:
        """Run keyed initial conditions for twenty periods."""
        system = load_system(name)
        noise = stream("benchmark", "integrate", name).standard_normal((starts, system.dim))
        first = system.initial_condition * (1 + 0.005 * noise)
        found = integrate_ensemble(system.graph, first, (0.0, 20 * system.period, 2), system.values, solver(1e-9))
        if not found.finished.all():
            raise RuntimeError(f"{name} did not reach its attractor: {[found.told(i) for i in range(starts)]}")
        return cls(system, found.states[:, 1], points, periods, count)

    @property
    def dt(self) -> float:
        """Spacing of a timed trajectory."""
        return self.periods * self.system.period / (self.points - 1)

    def ours(self, states: np.ndarray, times: Any, rtol: float, out: np.ndarray | None = None) -> np.ndarray:
        """[N, T, D] in lanes."""
        system = self.system
        found = integrate_ensemble(
            system.graph, states, times, system.values, solver(rtol), bounded=system.bounded, out=out
        )
        if not found.finished.all():
            raise RuntimeError(f"{self.system.name}: {found.told(int(np.argmax(found.status)))}")
        return found.states

    def our_time(self, rtol: float) -> float:
        """CPU seconds for one full trajectory among ``count``."""
        if rtol not in self._timed:
            states = np.resize(self.starts, (self.count, self.system.dim))
            out = np.empty((self.count, self.points, self.system.dim))  # as a loop over shards would keep it
            work = lambda: self.ours(states, (0.0, self.dt, self.points), rtol, out)  # noqa: E731
            work()
            self._timed[rtol] = cpu(work, 3) / self.count
        return self._timed[rtol]

    @cached_property
    def exponent(self) -> float:
        """The largest Lyapunov exponent, from pairs a ten-millionth apart, four rescalings a period."""
        system, n, apart = self.system, len(self.starts), 1e-7
        run = self.ours(self.starts, (0.0, system.period / 20, 200), 1e-9)
        scale = run.std(axis=(0, 1))
        scale = np.where(scale > 0, scale, 1.0)
        delta = stream("benchmark", "pairs", system.name).standard_normal((n, system.dim))
        base, total, first, last = run[:, -1], 0.0, 40, 200
        for i in range(last):
            delta *= apart / np.linalg.norm(delta, axis=1, keepdims=True)
            ends = self.ours(np.concatenate([base, base + delta * scale]), (0.0, system.period / 4, 2), 1e-11)[:, 1]
            base, delta = ends[:n], (ends[n:] - ends[:n]) / scale
            if i >= first:
                total += float(np.mean(np.log(np.linalg.norm(delta, axis=1) / apart)))
        return total / ((last - first) * system.period / 4)

    @cached_property
    def horizon(self) -> float:
        """One Lyapunov time, ten periods at most."""
        return float(min(1 / max(self.exponent, 1e-12), 10 * self.system.period))

    @cached_property
    def reference(self) -> np.ndarray:
        """[N, D] at the horizon."""
        return self._tight(1e-13)

    @cached_property
    def floor(self) -> float:
        """Error of the reference."""
        return self._error(self._tight(3e-14))

    @cached_property
    def range(self) -> np.ndarray:
        """[D] ranges of the coordinates over the attractor."""
        run = self.ours(self.starts, (0.0, self.system.period / 20, 400), 1e-9)
        return np.ptp(run, axis=(0, 1))

    def _tight(self, rtol: float) -> np.ndarray:
        bound = self.system.bind(self.system.values)
        times = np.array([0.0, self.horizon])
        settings = Solver(rtol=rtol, atol=rtol / 10, limit=1e12, evaluations_per_period=GENEROUS)
        return np.array([integrate(bound, y, times, settings).states[-1] for y in self.starts])

    def _error(self, ends: np.ndarray) -> float:
        apart = np.abs(ends - self.reference[: len(ends)])
        return float(np.median((apart / self.range).max(axis=1)))

    def error(self, ends: np.ndarray) -> float:
        """Of [N', D] states at the horizon, from the first N' starts; the floor where it is below."""
        return max(self._error(ends), self.floor)

    @cached_property
    def our_errors(self) -> dict[float, float]:
        """By tolerance."""
        times = np.array([0.0, self.horizon])
        return {rtol: self.error(self.ours(self.starts, times, rtol)[:, 1]) for rtol in TOLERANCES}

    def as_accurate_as(self, error: float) -> float:
        """The coarsest tolerance at which, and below which, ours is no larger than ``error``; else the tightest."""
        found = TOLERANCES[-1]
        for rtol in reversed(TOLERANCES):
            if self.our_errors[rtol] > error:
                break
            found = rtol
        return found
