"""Adaptive integration of one trajectory on a given time grid, with a budget counted in evaluations.

The method of choice is the explicit Runge-Kutta method of order 8(5,3) by Dormand and Prince; Radau and LSODA are for
stiff equations. Steps are those of SciPy; values on the grid come from the dense output of the method, so the grid does
not influence the steps (only the last time does: the final step ends on it; Radau's steps are no longer than the grid's
spacing). The budget is evaluations of the
right-hand side, never wall time, so what is accepted does not depend on the computer's speed. Failure is a status, not
an exception.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from strangecast.core.errors import ConfigError, unknown

STATUSES = ("finished", "diverged", "non-finite", "budget exhausted", "step too small")
SOLVERS = ("dop853", "radau", "lsoda")
FALLBACKS = ("lsoda", "radau", "none")


@dataclass(frozen=True)
class Solver:
    """Settings of the integrator (conf group ``solver``).

    Attributes:
        name: of ``SOLVERS``.
        rtol, atol: error per step, relative and absolute.
        limit: a bounded coordinate beyond this absolute value counts as diverged.
        evaluations_per_period: budget of right-hand-side evaluations for each period asked for (the dearest flow of
            the catalogue needs 9000 at rtol 1e-9); without a period, for each 100 samples.
        fallback: of ``FALLBACKS``: what tries again where dop853 spent its budget or its step became too small.
    """

    name: str = "dop853"
    rtol: float = 1e-9
    atol: float = 1e-10
    limit: float = 1e6
    evaluations_per_period: int = 20_000
    fallback: str = "lsoda"

    def __post_init__(self) -> None:
        if self.name not in SOLVERS:
            raise ConfigError(unknown("solver", self.name, SOLVERS))
        if self.fallback not in FALLBACKS:
            raise ConfigError(unknown("fallback of the solver", self.fallback, FALLBACKS))
        if not (0 < self.rtol < 1 and self.atol > 0):
            raise ConfigError(f"solver.rtol {self.rtol} must be in (0, 1) and solver.atol {self.atol} positive")
        if not (self.limit > 0 and self.evaluations_per_period > 0):
            raise ConfigError(
                f"solver.limit {self.limit} and solver.evaluations_per_period {self.evaluations_per_period} must be positive"
            )

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

    def budget(self, span: float | np.ndarray, period: float | np.ndarray | None, length: int) -> np.ndarray:
        """Evaluations allowed for a time span, a whole number; numbers or arrays."""
        turns = np.asarray(length / 100 if period is None else np.asarray(span) / np.asarray(period))
        return np.ceil(np.maximum(turns, 1.0) * self.evaluations_per_period).astype(np.int64)

    def instead(self) -> Solver:
        """The same settings with the fallback as the method."""
        return replace(self, name=self.fallback, fallback="none")

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
    jacobian: Callable[[float, np.ndarray], np.ndarray] | None = None,
) -> Trajectory:
    """Solve ``dy/dt = field(t, y)`` from ``state`` at ``times[0]``.

    Args:
        field: right-hand side of one state [D].
        state: [D].
        times: [T] increasing; ``times[0]`` belongs to ``state``.
        solver: tolerances and budget.
        bounded: [D] of bool, coordinates held against ``solver.limit``; None for all.
        period: sets the budget together with the span of ``times``.
        jacobian: ``jacobian(t, y) -> [D, D]``, used by radau and lsoda; None: they take differences.

    Source: E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I (1993), section II.10, and
    II (1996), section IV.8; L. Petzold, SIAM J. Sci. Stat. Comput. 4 (1983) 136.
    """
    solver = solver or Solver()
    times = np.asarray(times, np.float64)
    state = np.asarray(state, np.float64)
    states = np.full((len(times), len(state)), np.nan)
    states[:1] = state
    if not np.isfinite(state).all():
        return Trajectory(states[:0], "non-finite", 0)
    if len(times) < 2:
        return Trajectory(states, "finished", 0)
    budget = int(solver.budget(times[-1] - times[0], period, len(times)))
    watched = slice(None) if bounded is None else np.flatnonzero(bounded)
    status, done = "finished", 1
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        # From an undefined slope no first step can be estimated.
        if not np.isfinite(field(times[0], state)).all():
            return Trajectory(states[:1], "non-finite", 1)
        stepper = _stepper(field, state, times, solver, jacobian)
        while stepper.status == "running":
            if solver.name == "radau":
                # Its dense output is cubic, which no error estimate watches: steps as short as the grid keep it good.
                stepper.max_step = times[done] - times[done - 1]
            stepper.step()
            if stepper.status == "failed":
                # An infinite or undefined slope makes the step shrink to nothing: name the cause, not the symptom.
                status = "step too small" if _slopes_are_finite(stepper, field) else "non-finite"
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


def _stepper(field, state, times, solver: Solver, jacobian):
    from scipy.integrate import DOP853, LSODA, Radau

    settings = {"rtol": solver.rtol, "atol": solver.atol}
    if solver.name == "dop853":
        return DOP853(field, times[0], state, times[-1], **settings)
    method = Radau if solver.name == "radau" else LSODA
    return method(field, times[0], state, times[-1], jac=jacobian, **settings)


def _slopes_are_finite(stepper, field) -> bool:
    """Whether the slopes of the step that failed were numbers."""
    slopes = stepper.K if hasattr(stepper, "K") else field(stepper.t, stepper.y)
    return bool(np.isfinite(slopes).all())
