"""Adaptive Runge-Kutta 8(5,3) of Dormand and Prince on a given time grid, with a budget counted in evaluations.

Steps are those of ``scipy.integrate.DOP853``; values on the grid come from its 7th-order dense output, so the grid does
not influence the steps (only the last time does: the final step ends on it). The budget is evaluations of the
right-hand side, never wall time, so what is accepted does not depend on the computer's speed. Failure is a status, not
an exception.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from strangecast.core.errors import ConfigError, unknown

STATUSES = ("finished", "diverged", "non-finite", "budget exhausted", "step too small")


@dataclass(frozen=True)
class Solver:
    """Settings of the integrator (conf group ``solver``).

    Attributes:
        name: ``dop853``.
        rtol, atol: error per step, relative and absolute.
        limit: a bounded coordinate beyond this absolute value counts as diverged.
        evaluations_per_period: budget of right-hand-side evaluations for each period asked for (the dearest flow of
            the catalogue needs 9000 at rtol 1e-9); without a period, for each 100 samples.
    """

    name: str = "dop853"
    rtol: float = 1e-9
    atol: float = 1e-10
    limit: float = 1e6
    evaluations_per_period: int = 20_000

    def __post_init__(self) -> None:
        if self.name != "dop853":
            raise ConfigError(unknown("solver", self.name, ["dop853"]))
        if not (0 < self.rtol < 1 and self.atol > 0):
            raise ConfigError(f"solver.rtol {self.rtol} must be in (0, 1) and solver.atol {self.atol} positive")

    @classmethod
    def from_config(cls, config: dict | None) -> Solver:
        """From the ``solver`` part of a dataset YAML.

        Raises:
            ConfigError: a key that no solver has, or a value that cannot work.
        """
        config = config or {}
        for key in config:
            if key not in cls.__dataclass_fields__:
                raise ConfigError(unknown("solver setting", key, cls.__dataclass_fields__))
        return cls(**config)

    def __str__(self) -> str:
        return f"{self.name} rtol={self.rtol:g} atol={self.atol:g}"


@dataclass(frozen=True)
class Trajectory:
    """States on the grid as far as the integration came.

    Attributes:
        states: [T', D], T' <= T: the grid times that were reached while all was well.
        status: one of ``STATUSES``.
        evaluations: of the right-hand side.
    """

    states: np.ndarray
    status: str
    evaluations: int

    @property
    def finished(self) -> bool:
        """Whether every grid time was reached."""
        return self.status == "finished"


def integrate(
    field: Callable[[float, np.ndarray], np.ndarray],
    state: np.ndarray,
    times: np.ndarray,
    solver: Solver | None = None,
    *,
    bounded: np.ndarray | None = None,
    period: float | None = None,
) -> Trajectory:
    """Solve ``dy/dt = field(t, y)`` from ``state`` at ``times[0]``.

    Args:
        field: right-hand side of one state [D].
        state: [D].
        times: [T] increasing; ``times[0]`` belongs to ``state``.
        solver: tolerances and budget.
        bounded: [D] of bool, coordinates held against ``solver.limit``; None for all.
        period: sets the budget together with the span of ``times``.

    Source: E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I (1993), section II.10.
    """
    from scipy.integrate import DOP853

    solver = solver or Solver()
    times = np.asarray(times, np.float64)
    state = np.asarray(state, np.float64)
    states = np.full((len(times), len(state)), np.nan)
    states[:1] = state
    if not np.isfinite(state).all():
        return Trajectory(states[:0], "non-finite", 0)
    if len(times) < 2:
        return Trajectory(states, "finished", 0)
    turns = (times[-1] - times[0]) / period if period else len(times) / 100
    budget = int(np.ceil(max(turns, 1.0) * solver.evaluations_per_period))
    watched = slice(None) if bounded is None else np.flatnonzero(bounded)
    status, done = "finished", 1
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        stepper = DOP853(field, times[0], state, times[-1], rtol=solver.rtol, atol=solver.atol)
        while stepper.status == "running":
            stepper.step()
            # An infinite or undefined slope makes the step shrink to nothing: name the cause, not the symptom.
            if not np.isfinite(stepper.K).all() and stepper.status == "failed":
                status = "non-finite"
                break
            if stepper.status == "failed":
                status = "step too small"
                break
            if not np.isfinite(stepper.y).all():
                status = "non-finite"
                break
            if (np.abs(stepper.y[watched]) > solver.limit).any():
                status = "diverged"
                break
            reached = int(np.searchsorted(times, stepper.t, side="right"))
            if reached > done:
                states[done:reached] = stepper.dense_output()(times[done:reached]).T
                done = reached
            if stepper.nfev > budget and stepper.status == "running":
                status = "budget exhausted"
                break
    return Trajectory(states[:done], status, stepper.nfev)
