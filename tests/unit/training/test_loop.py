"""The loop: selection, early stop and divergence are each member's own affair."""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import torch

from strangecast.core.spec import Channel, Spec
from strangecast.emulators.base import Can, Emulator
from strangecast.training.checkpoint import Checkpoint
from strangecast.training.engine import Engine, State
from strangecast.training.loop import train

SPEC = Spec((Channel("x"),), dt=1.0)


class Number(Emulator):
    """One number per member."""

    can: ClassVar[Can] = Can(learns="gradient")

    def __init__(self, S):
        super().__init__((SPEC,) * S)
        self.value = torch.nn.Parameter(torch.zeros(S))


class Counting(Engine):
    """Each update adds 1 to the numbers of the active members; losses are scripted."""

    def start(self):
        return State(0, {"value": self.problem.emulator.value.data})

    def restore(self, state):
        self.problem.emulator.value.data.copy_(state.tensors["value"])
        return State(state.update, {"value": self.problem.emulator.value.data})

    def advance(self, state, n, active):
        self.problem.calls.append((state.update, n, active.tolist()))
        self.problem.emulator.value.data += n * active
        losses = torch.stack([self.problem.losses(u) for u in range(state.update, state.update + n)])
        return State(state.update + n, state.tensors), losses.double()


def problem(errors, updates=40, every=10, patience=None, losses=None):
    """``errors[s](update)`` is the validation error of member s."""
    S = len(errors)
    p = SimpleNamespace(emulator=Number(S), device=torch.device("cpu"), calls=[], placed=lambda batch: batch)
    p.losses = losses or (lambda u: torch.full((S,), float(u)))
    p.training = SimpleNamespace(
        updates=updates,
        validate_every=every,
        patience=patience,
        engine=Counting,
        validate=lambda e, b: torch.tensor([f(int(v)) for f, v in zip(errors, e.value.tolist(), strict=True)]),
    )
    return p


BATCH = SimpleNamespace()


def test_each_member_keeps_its_best_weights():
    p = problem([lambda u: abs(u - 20.0), lambda u: -u, lambda u: u])
    out = train(p, [BATCH])
    assert p.emulator.value.tolist() == [20.0, 40.0, 0.0]
    assert out.best_update.tolist() == [20, 40, 0]
    assert out.best_error.tolist() == [0.0, -40.0, 0.0]
    assert not out.diverged.any()


def test_history_has_a_row_per_validation_and_member():
    p = problem([lambda u: abs(u - 20.0), lambda u: -u], updates=25)
    rows = train(p, [BATCH]).rows
    assert [(r["member"], r["update"]) for r in rows] == [(s, u) for u in (0, 10, 20, 25) for s in (0, 1)]
    assert [r["best"] for r in rows if r["member"] == 0] == [True, True, True, False]
    assert [r["train_loss"] for r in rows if r["member"] == 1][1:] == [4.5, 14.5, 22.0]
    assert np.isnan(rows[0]["train_loss"])


def test_early_stop_is_per_member():
    p = problem([lambda u: abs(u - 10.0), lambda u: -u], patience=2)
    rows = train(p, [BATCH]).rows
    assert [r["update"] for r in rows if r["member"] == 0] == [0, 10, 20, 30]
    assert [r["update"] for r in rows if r["member"] == 1] == [0, 10, 20, 30, 40]
    assert p.calls[-1][2] == [False, True]


def test_all_stopped_ends_the_training():
    p = problem([lambda u: u, lambda u: u], updates=1000, patience=2)
    train(p, [BATCH])
    assert len(p.calls) == 2


def test_divergence_is_recorded_and_harms_nobody():
    def losses(u):
        return torch.tensor([1.0, float("nan") if u >= 10 else 1.0, float("nan") if u == 12 else 1.0, 1.0])

    nan = float("nan")
    p = problem([lambda u: -u] * 3 + [lambda u: nan], losses=losses)
    out = train(p, [BATCH])
    assert out.diverged.tolist() == [False, True, False, True]
    assert p.emulator.value.tolist()[:3] == [40.0, 20.0, 40.0]
    assert p.calls[-1][2] == [True, False, True, True]
    assert [r["train_loss"] for r in out.rows if r["member"] == 2] != []


def test_a_checkpoint_of_other_keys_is_discarded(tmp_path):
    p = problem([lambda u: -u])
    first = Checkpoint(tmp_path, ["a"], 0.0)
    train(p, [BATCH], first)
    state, progress = Checkpoint(tmp_path, ["a"], 0.0).read()
    assert state.update == 40
    assert progress.done
    assert progress.best["value"].tolist() == [40.0]
    assert np.isnan(progress.rows[0]["train_loss"])
    assert first.path.exists()
    other = Checkpoint(tmp_path, ["a"], 0.0)
    other.keys = ["a", "b"]
    assert other.read() is None
    assert not first.path.exists()


def test_a_damaged_checkpoint_is_discarded(tmp_path):
    p = problem([lambda u: -u])
    checkpoint = Checkpoint(tmp_path, ["a"], 0.0)
    train(p, [BATCH], checkpoint)
    content = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes(content[: len(content) - 3])
    assert checkpoint.read() is None
    train(p, [BATCH], checkpoint)
    assert checkpoint.read()[0].update == 40


def test_a_finished_chunk_is_not_trained_again(tmp_path):
    p = problem([lambda u: abs(u - 20.0)])
    train(p, [BATCH], Checkpoint(tmp_path, ["a"], 0.0))
    again = problem([lambda u: abs(u - 20.0)])
    out = train(again, [BATCH], Checkpoint(tmp_path, ["a"], 0.0))
    assert again.calls == []
    assert again.emulator.value.tolist() == [20.0]
    assert out.best_update.tolist() == [20]
