"""The default engine against plain torch, one member at a time; the closed form against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from strangecast.core.streams import key64, stream
from strangecast.data.training_batches import TrainingData
from strangecast.emulators.build import build
from strangecast.emulators.mlp import MLP
from strangecast.training.engine import ALIGNED, Problem
from strangecast.training.prepare import make_training
from strangecast.training.supervised import Supervised
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


class Counting(MLP):
    """Counts its losses and remembers the last batch, in buffers."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("calls", torch.zeros(self.S))
        self.register_buffer("mean", torch.zeros(self.S), persistent=False)

    def encode(self, context):
        if torch.is_grad_enabled():
            self.calls += 1
            self.mean = context.values.float().flatten(1).mean(1)
        return super().encode(context)


class Averaging(Supervised):
    """Owns a moving average of its own loss, which weighs the loss."""

    def prepare(self, emulator, series):
        self.average = torch.zeros(emulator.S)

    def state(self):
        return {"average": self.average}

    def load_state(self, tensors):
        self.average = tensors["average"].clone()

    def loss(self, emulator, batch, **more):
        value = super().loss(emulator, batch, **more) * (1.0 + self.average) * (1.0 + emulator.calls)
        self.average = 0.9 * self.average + 0.1 * value.detach()
        return value


COUNTING = EMULATOR | {"_target_": f"{__name__}.Counting"}
AVERAGING = TRAINING | {"_target_": f"{__name__}.Averaging"}


def everything(state):
    return {k: v.detach().clone() for k, v in state.tensors.items()}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_skipped_update_changes_nothing_of_its_member(tmp_path, bad):
    datasets = [make_dataset(tmp_path, n) for n in ("a", "b", "c")]
    free, hit = (problem(datasets, AVERAGING, COUNTING) for _ in range(2))
    states = []
    for p in (free, hit):
        p.training.prepare(p.emulator, None)
        engine = p.training.engine(p)
        state, _ = engine.advance(engine.start(), 4, active(p))
        before = everything(state)
        if p is hit:
            definition = p.training.loss
            p.training.loss = lambda *a, f=definition, **k: f(*a, **k) * torch.tensor([1.0, bad, 1.0])
        states.append(everything(engine.advance(state, 1, active(p))[0]))
    for k, now in states[1].items():
        if now.ndim:  # the optimiser's count of steps is everybody's
            assert torch.equal(now[1], before[k][1]), k
            assert torch.equal(now[[0, 2]], states[0][k][[0, 2]]), k
    assert states[1]["buffer.calls"].tolist() == [5.0, 4.0, 5.0]
    assert (states[1]["0.optimizer.exp_avg"][1] != 0).any()


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


@pytest.mark.parametrize(
    ("training", "emulator"), [(TRAINING, EMULATOR), (AVERAGING, COUNTING), (LEAST_SQUARES, RIDGE)]
)
def test_restoring_a_state_goes_on_to_the_same_bits(tmp_path, training, emulator):
    datasets = [make_dataset(tmp_path, n) for n in ("a", "b")]
    p = problem(datasets, training, emulator)
    p.training.prepare(p.emulator, None)
    engine = p.training.engine(p)
    state, _ = engine.advance(engine.start(), 3, active(p))
    saved = type(state)(state.update, everything(state))
    expected = everything(engine.advance(state, 4, active(p))[0])
    again = problem(datasets, training, emulator)
    again.training.prepare(again.emulator, None)
    engine = again.training.engine(again)
    state = engine.restore(saved)
    assert state.update == 3
    found = everything(engine.advance(state, 4, active(again))[0])
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[k], expected[k]) for k in found)
    first, second = p.emulator.stacked_state(), again.emulator.stacked_state()
    assert all(torch.equal(first[k], second[k]) for k in first)
