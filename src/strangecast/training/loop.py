"""The one training loop: advance, validate, select, stop, remember."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from strangecast.core.faults import fault
from strangecast.data.training_batches import Batch
from strangecast.training.checkpoint import Checkpoint
from strangecast.training.engine import Problem, State

Row = dict[str, Any]


@dataclass
class Progress:
    """What the loop knows besides the engine's state; arrays are [S].

    Attributes:
        best: stacked state of the emulator at each member's least validation error.
        best_error: that error, infinite before the first finite one.
        best_update: when it was.
        waited: validations since.
        stopped: early-stopped, or diverged.
        diverged: training loss not finite over a whole interval, or no finite validation ever.
        seconds: wall time so far.
        rows: history, one dict per validation and member, ``member`` instead of ``run_id``.
        done: nothing is left to do.
    """

    best: dict[str, Tensor]
    best_error: np.ndarray
    best_update: np.ndarray
    waited: np.ndarray
    stopped: np.ndarray
    diverged: np.ndarray
    seconds: float = 0.0
    rows: list[Row] = field(default_factory=list)
    done: bool = False

    @classmethod
    def new(cls, problem: Problem) -> Progress:
        """Before the first validation."""
        S = problem.emulator.S
        return cls(
            best=problem.emulator.stacked_state(),
            best_error=np.full(S, np.inf),
            best_update=np.zeros(S, np.int64),
            waited=np.zeros(S, np.int64),
            stopped=np.zeros(S, bool),
            diverged=np.zeros(S, bool),
        )


def train(
    problem: Problem,
    validation: Sequence[Batch],
    checkpoint: Checkpoint | None = None,
    report: Callable[[str], None] | None = None,
    log: Callable[[list[Row]], None] | None = None,
) -> Progress:
    """Train one chunk of members, or go on from its checkpoint; the emulator ends with each member's best weights.

    Args:
        problem: emulator, training, data.
        validation: fixed windows of the validation split, in batches; nothing else selects.
        checkpoint: where to save and resume, or None.
        report: receives a line now and then.
        log: receives the history rows of every validation.
    """
    training, emulator = problem.training, problem.emulator
    engine = training.engine(problem)
    validation = [problem.placed(batch) for batch in validation]
    saved = checkpoint.read() if checkpoint else None
    if saved:
        state, progress = saved
        state = engine.restore(state)
        progress.best = {k: v.to(problem.device) for k, v in progress.best.items()}
    else:
        state, progress = engine.start(), Progress.new(problem)
    begun, before, told = time.monotonic(), progress.seconds, time.monotonic()
    while not progress.done:
        losses = None
        if progress.rows:  # the first round only validates
            n = min(training.validate_every, training.updates - state.update)
            state, losses = engine.advance(state, n, torch.from_numpy(~progress.stopped))
        rows = _judge(problem, state, progress, validation, losses, engine.learning_rate(state.update))
        progress.rows += rows
        progress.done = state.update >= training.updates or bool(progress.stopped.all())
        progress.seconds = before + time.monotonic() - begun
        if log:
            log(rows)
        if checkpoint:
            checkpoint.write(state, progress)
        fault("validated", str(state.update))
        if report and (progress.done or time.monotonic() - told > 10.0):
            told = time.monotonic()
            report(_line(state, progress, training.updates))
    progress.diverged |= ~np.isfinite(progress.best_error)
    emulator.load_stacked_state(progress.best)
    return progress


def _judge(
    problem: Problem,
    state: State,
    progress: Progress,
    validation: Sequence[Batch],
    losses: Tensor | None,
    rate: float,
) -> list[Row]:
    """Validate, select per member, decide who stops; returns the history rows."""
    error = _validation_error(problem, validation)
    running = ~progress.stopped
    better = running & (error < progress.best_error)  # false for NaN
    if better.any():
        mask = torch.from_numpy(better).to(problem.device)
        for k, v in problem.emulator.stacked_state().items():
            progress.best[k][mask] = v[mask]
    progress.best_error = np.where(better, error, progress.best_error)
    progress.best_update = np.where(better, state.update, progress.best_update)
    progress.waited = np.where(better, 0, progress.waited + 1)
    mean = np.full(len(error), np.nan)
    if losses is not None:
        losses = losses.numpy()
        finite = np.isfinite(losses)
        mean = np.where(finite, losses, 0.0).sum(0) / np.maximum(finite.sum(0), 1)
        mean[~finite.any(0)] = np.nan
        progress.diverged |= running & ~finite.any(0)
    if problem.training.patience is not None:
        progress.stopped |= progress.waited >= problem.training.patience
    progress.stopped |= progress.diverged
    return [
        {
            "member": int(s),
            "update": state.update,
            "train_loss": float(mean[s]),
            "validation_loss": float(error[s]),
            "learning_rate": rate,
            "best": bool(better[s]),
        }
        for s in np.flatnonzero(running)
    ]


def _validation_error(problem: Problem, batches: Sequence[Batch]) -> np.ndarray:
    """[S], the mean over all windows of all batches."""
    errors = [problem.training.validate(problem.emulator, b).double().cpu().numpy() for b in batches]
    if len(errors) == 1:
        return errors[0]
    return np.average(errors, axis=0, weights=[b.target.shape[1] for b in batches])


def _line(state: State, progress: Progress, updates: int) -> str:
    finite = progress.best_error[np.isfinite(progress.best_error)]
    median = f"{np.median(finite):.3g}" if len(finite) else "none"
    bad = f", {progress.diverged.sum()} diverged" if progress.diverged.any() else ""
    return f"update {state.update}/{updates}, {progress.seconds:.0f} s, median best validation error {median}{bad}"
