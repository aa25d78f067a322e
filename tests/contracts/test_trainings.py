"""What holds for every training of conf/training: loss and gradient equal an oracle written by hand, in float64."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from strangecast.emulators.base import Can, Emulator
from strangecast.emulators.build import build, locate
from strangecast.training.base import Training
from strangecast.training.draws import UpdateRandom
from strangecast.training.engine import Engine, Problem
from strangecast.training.prepare import make_training
from tests.contracts.options import REGISTRY, config, make, spec, windows
from tests.contracts.oracles import ORACLES

ALL = REGISTRY.names("training")
OPTION = {name: REGISTRY.option("training", name, "smoke") for name in ALL}
EMULATORS = {name: REGISTRY.option("emulator", name, "smoke") for name in REGISTRY.names("emulator")}
FITTING = [
    (t, e) for t in ALL for e in EMULATORS if all(EMULATORS[e]["can"][k] == v for k, v in OPTION[t]["requires"].items())
]


def test_every_training_has_an_oracle():
    assert sorted(ORACLES) == ALL


@pytest.mark.parametrize("scale", ["smoke", "laptop", "full"])
@pytest.mark.parametrize("name", ALL)
def test_composes_and_instantiates_at_every_scale(name, scale):
    option = REGISTRY.option("training", name, scale)
    training = make_training(config("training", name, scale))
    assert isinstance(training, Training)
    assert option["title"]
    assert option["requires"] == training.requires
    assert tuple(option["needs"]) == training.needs
    assert training.batch_size % 16 == 0, "keeps a member's bits independent of its neighbours"
    assert option["seeds_per_block"] >= 1


@pytest.mark.parametrize("name", ALL)
def test_docstring_has_formula_and_source(name):
    doc = inspect.getdoc(locate(OPTION[name]["_target_"], Training))
    assert "L =" in doc
    assert any(str(year) in doc for year in range(1800, 2100)) or "arXiv" in doc


@pytest.mark.parametrize("name", ALL)
def test_at_least_one_emulator_fits(name):
    assert name in {t for t, _ in FITTING}


def as_double(emulator: Emulator) -> Emulator:
    emulator.dtype = torch.float64
    return emulator.double()


@pytest.mark.parametrize("rollout_steps", [1, 3])
@pytest.mark.parametrize(("name", "emulator_name"), FITTING)
def test_loss_and_gradient_equal_the_oracle(name, emulator_name, rollout_steps):
    settings = config("training", name)
    if "rollout_steps" in settings:
        settings = settings | {"rollout_steps": rollout_steps}
    training = make_training(settings)
    emulator = as_double(make(emulator_name, S=2))
    one = spec(EMULATORS[emulator_name]["can"])
    steps, horizon = training.window(emulator)
    context, times, target = windows(one, 3, steps, horizon)
    batch = SimpleNamespace(context=context, target=target.expand(2, -1, -1, -1), times=times)
    rng = UpdateRandom(np.array([1, 2], np.uint64), 0)
    loss = training.loss(emulator, batch, system=None, rng=rng, step=0)
    assert loss.shape == (2,)
    parameters = list(emulator.parameters())
    gradients = torch.autograd.grad(loss.sum(), parameters)
    for s in range(2):

        def step(past, s=s):
            times = torch.arange(1.0, 2.0).view(1, 1, 1)
            again = SimpleNamespace(values=past[None, None].expand(2, -1, -1, -1), times=None)
            return emulator.step(emulator.encode(again), times)[0][s, 0, 0]

        expected = ORACLES[name](step, settings, emulator.scale[s], context.values[0], target[0])
        if hasattr(emulator, "penalty"):
            expected = expected + emulator.regularisation[s] * emulator.weight[s].square().sum() / emulator.C
        torch.testing.assert_close(loss[s], expected, rtol=1e-12, atol=1e-14)
        for got, want in zip(gradients, torch.autograd.grad(expected, parameters), strict=True):
            torch.testing.assert_close(got[s], want[s], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "emulator_name"), FITTING)
def test_an_engine_is_given_and_the_emulator_accepted(name, emulator_name):
    training = make_training(config("training", name))
    emulator = make(emulator_name, S=2)
    training.check(emulator)
    data = SimpleNamespace()
    problem = Problem(emulator, training, data, np.array([1, 2], np.uint64), torch.device("cpu"))
    assert isinstance(training.engine(problem), Engine)


@pytest.mark.parametrize("name", ALL)
def test_an_emulator_that_does_not_fit_is_refused(name):
    class Unfit(Emulator):
        can = Can(learns="none")

    with pytest.raises(Exception, match="needs an emulator with"):
        make_training(config("training", name)).check(Unfit())


@pytest.mark.parametrize(("name", "emulator_name"), FITTING)
def test_members_losses_are_their_own(name, emulator_name):
    training = make_training(config("training", name))
    both = as_double(make(emulator_name, S=2))
    alone = as_double(build(config("emulator", emulator_name), both.specs[1:]))
    alone.load_stacked_state({k: v[1:] for k, v in both.stacked_state().items()})
    one = spec(EMULATORS[emulator_name]["can"])
    context, times, target = windows(one, 3, *training.window(both))
    batch = SimpleNamespace(context=context, target=target, times=times)
    rng = UpdateRandom(np.array([1, 2], np.uint64), 0)
    loss = training.loss(both, batch, system=None, rng=rng, step=0)
    torch.testing.assert_close(training.loss(alone, batch, system=None, rng=rng, step=0)[0], loss[1])
