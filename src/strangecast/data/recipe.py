"""The part of a dataset's YAML that generation reads, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.systems.attractor import Start
from strangecast.systems.integrate import Solver
from strangecast.systems.parameter_sampler import Perturbation
from strangecast.systems.roster import Roster

_SAMPLING = ("points_per_period", "length", "transient_periods")
_LYAPUNOV = ("periods", "separation", "steps_per_period", "transient_periods", "initial_conditions", "rtol")
_ATTEMPTS = ("per_specimen", "budget", "judge")


@dataclass(frozen=True)
class Recipe:
    """How trajectories are made.

    Attributes:
        roster: which.
        length: T, samples of a trajectory.
        points_per_period: samples in one period.
        transient_periods: least length of the transient.
        start: how initial conditions are drawn.
        perturb: how parameter sets are.
        solver: tolerances and budget.
        lyapunov: settings of the exponent's measurement, or None.
        per_specimen: how many candidates are tried for one trajectory; from 2 on generation judges them.
        budget: evaluations of one shard after which no further candidate is tried, or None.
        judge: ``_target_`` of what judges.
        validity: tests with their thresholds.
    """

    roster: Roster
    length: int
    points_per_period: float
    transient_periods: float
    start: Start
    perturb: Perturbation
    solver: Solver
    lyapunov: dict[str, Any] | None
    per_specimen: int
    budget: int | None
    judge: str
    validity: dict[str, Any]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Recipe:
        """From the resolved config of a dataset plan.

        Raises:
            ConfigError: unknown keys, or numbers that cannot work.
        """
        sampling = _known(config["sampling"], _SAMPLING, "sampling")
        length, per_period = int(sampling["length"]), float(sampling["points_per_period"])
        if length < 2 or per_period <= 0:
            raise ConfigError(f"sampling needs length >= 2 and points_per_period > 0, found {length} and {per_period}")
        attempts = _known(config.get("attempts") or {}, _ATTEMPTS, "attempts")
        tries, budget = int(attempts.get("per_specimen") or 1), attempts.get("budget")
        if tries < 1 or (budget is not None and budget < 0):
            raise ConfigError(
                f"attempts.per_specimen {tries} must be at least 1, attempts.budget {budget} not negative"
            )
        judge = (attempts.get("judge") or {}).get("_target_")
        if tries > 1 and not judge:
            raise ConfigError("attempts.judge must name what judges (_target_: strangecast.data.judging.judge_row)")
        lyapunov = config.get("lyapunov")
        first_ic = (config.get("restart") or {}).get("first_ic", 0)
        return cls(
            roster=Roster.from_config(config, first_ic),
            length=length,
            points_per_period=per_period,
            transient_periods=float(sampling["transient_periods"]),
            start=Start.from_config(config.get("start")),
            perturb=Perturbation.from_config(config.get("perturb")),
            solver=Solver.from_config(config.get("solver")),
            lyapunov=None if lyapunov is None else _known(lyapunov, _LYAPUNOV, "lyapunov"),
            per_specimen=tries,
            budget=None if budget is None else int(budget),
            judge=judge or "",
            validity=config.get("validity") or {},
        )

    def grid(self, period: float | np.ndarray) -> tuple[float | np.ndarray, int]:
        """Sampling interval and T for a period."""
        return period / self.points_per_period, self.length


def _known(config: dict[str, Any], allowed: tuple[str, ...], what: str) -> dict[str, Any]:
    for key in config:
        if key not in allowed:
            raise ConfigError(unknown(f"{what} setting", str(key), allowed))
    return config
