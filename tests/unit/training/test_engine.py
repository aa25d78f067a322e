"""The default engine against plain torch, one member at a time; the closed form against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from strangecast.core.streams import key64, stream
from strangecast.data.training_batches import TrainingData
from strangecast.emulators.build import build
from strangecast.training.engine import ALIGNED, Problem
from strangecast.training.job import make_training
from tests.unit.training.world import EMULATOR, TRAINING, make_dataset


def problem(datasets, training=TRAINING, emulator=EMULATOR, seeds=None):
    seeds = seeds or range(len(datasets))
    made = build(emulator, [d.spec for d in datasets])
    method = make_training(training)
    context, horizon = method.window(made)
    data = TrainingData(datasets, context, horizon, dtype=made.dtype)
    made.fit_normaliser([data.series(s) for s in range(len(datasets))])
    keys = [key64("run", s) for s in seeds]
    made.initialise([stream("initialise", k) for k in keys])
    return Problem(made, method, data, np.array(keys, np.uint64), torch.device("cpu"))


def active(p):
    return torch.ones(p.emulator.S, dtype=torch.bool)


@pytest.mark.parametrize("optimizer", ["Adam", "AdamW", "RAdam", "SGD"])
def test_autograd_equals_plain_torch_for_each_member_alone(tmp_path, optimizer):
    datasets = [make_dataset(tmp_path, n) for n in ("a", "b", "c")]
    extra = {"momentum": 0.9} if optimizer == "SGD" else {}
    config = TRAINING | {
        "optimizer": {"_target_": f"torch.optim.{optimizer}", "_partial_": True, "lr": 0.01} | extra,
        "clip": 0.05,
    }
    p = problem(datasets, config)
    engine = p.training.engine(p)
    state = engine.start()
    state, losses = engine.advance(state, 4, active(p))
    state, more = engine.advance(state, 3, active(p))
    got = p.emulator.stacked_state()
    expected_losses = torch.cat([losses, more])
    for s in range(3):
        alone = problem([datasets[s]], config, seeds=[s])
        parameters = list(alone.emulator.parameters())
        o = getattr(torch.optim, optimizer)(parameters, lr=0.01, **extra)
        for n in range(7):
            o.zero_grad()
            for group in o.param_groups:
                group["lr"] = 0.01 * p.training.schedule(n / 30)
            loss = alone.training.loss(alone.emulator, alone.batch(n), system=None, rng=None, step=n)
            loss.sum().backward()
            torch.nn.utils.clip_grad_norm_(parameters, 0.05)
            o.step()
            assert loss.item() == pytest.approx(expected_losses[n, s].item(), rel=1e-4)
        for k, v in alone.emulator.stacked_state().items():
            torch.testing.assert_close(got[k][s], v[0], rtol=1e-4, atol=1e-5)


def test_inactive_members_do_not_move_and_others_do_not_notice(tmp_path):
    datasets = [make_dataset(tmp_path, n) for n in ("a", "b", "c")]
    free, held = problem(datasets), problem(datasets)
    engine = free.training.engine(free)
    engine.advance(engine.start(), 5, active(free))
    before = held.emulator.stacked_state()
    engine = held.training.engine(held)
    engine.advance(engine.start(), 5, torch.tensor([True, False, True]))
    after, reference = held.emulator.stacked_state(), free.emulator.stacked_state()
    for k in after:
        assert torch.equal(after[k][1], before[k][1])
        assert torch.equal(after[k][[0, 2]], reference[k][[0, 2]])


def test_rows_start_on_64_byte_boundaries(tmp_path):
    p = problem([make_dataset(tmp_path, "a")] * 3)
    p.training.engine(p)
    for parameter in p.emulator.parameters():
        assert parameter.is_leaf
        assert all(parameter[s].storage_offset() % ALIGNED == 0 for s in range(3))


def test_a_training_may_own_parameters(tmp_path):
    p = problem([make_dataset(tmp_path, n) for n in ("a", "b")])
    own = torch.nn.Parameter(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    p.training.parameters = lambda: {"targets": own}
    definition = p.training.loss
    p.training.loss = lambda *a, **k: definition(*a, **k) + own.square().sum(1)
    engine = p.training.engine(p)
    state, _ = engine.advance(engine.start(), 3, active(p))
    assert (own < torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).all()
    assert "1.values" in state.tensors
    assert "1.optimizer.exp_avg" in state.tensors


RIDGE = {"_target_": "strangecast.emulators.ridge.Ridge", "delays": 3, "regularisation": 0.01}
LEAST_SQUARES = {
    "_target_": "strangecast.training.least_squares.LeastSquares",
    "batch_size": 64,
    "validation": {"count": 4, "steps": 5},
}


class WholeData:
    """Hands out every training window once, so that the loss is the one over all data."""

    def __init__(self, data):
        self.data = data

    def all(self):
        count = int(self.data.count()[0])
        flat = self.data._flat["train"]
        return self.data._gather(flat, np.tile(np.arange(count), (self.data.S, 1)))


def test_the_fit_minimises_the_definition(tmp_path):
    p = problem([make_dataset(tmp_path, n) for n in ("a", "b")], LEAST_SQUARES, RIDGE)
    engine = p.training.engine(p)
    engine.advance(engine.start(), 1, active(p))
    batch = WholeData(p.data).all()

    def loss():
        return p.training.loss(p.emulator, batch, system=None, rng=None, step=0)

    best = loss()
    gradients = torch.autograd.grad(best.sum(), list(p.emulator.parameters()))
    assert max(g.abs().max().item() for g in gradients) < 1e-10
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        for parameter in p.emulator.parameters():
            moved = parameter.detach().clone()
            with torch.no_grad():
                parameter += 1e-3 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
            assert (loss() > best).all()
            with torch.no_grad():
                parameter.copy_(moved)


@pytest.mark.parametrize(("training", "emulator"), [(TRAINING, EMULATOR), (LEAST_SQUARES, RIDGE)])
def test_restoring_a_state_goes_on_to_the_same_bits(tmp_path, training, emulator):
    datasets = [make_dataset(tmp_path, n) for n in ("a", "b")]
    p = problem(datasets, training, emulator)
    engine = p.training.engine(p)
    state, _ = engine.advance(engine.start(), 3, active(p))
    saved = type(state)(state.update, {k: v.detach().clone() for k, v in state.tensors.items()})
    engine.advance(state, 4, active(p))
    again = problem(datasets, training, emulator)
    engine = again.training.engine(again)
    state = engine.restore(saved)
    assert state.update == 3
    engine.advance(state, 4, active(again))
    first, second = p.emulator.stacked_state(), again.emulator.stacked_state()
    assert all(torch.equal(first[k], second[k]) for k in first)
