"""What holds for every emulator of conf/emulator."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from strangecast.emulators import run_folder
from strangecast.emulators.autoregressive import Autoregressive
from strangecast.emulators.base import Emulator
from strangecast.emulators.build import build, locate
from tests.contracts.options import REGISTRY, config, make, series, spec, windows

ALL = REGISTRY.names("emulator")
OPTION = {name: REGISTRY.option("emulator", name, "smoke") for name in ALL}
LEARNERS = [name for name in ALL if OPTION[name]["can"]["learns"] != "none"]
BY_GRADIENT = [name for name in ALL if OPTION[name]["can"]["learns"] == "gradient"]
T, H = 40, 7


def data(name, B=4, steps=T, horizon=H):
    return windows(spec(OPTION[name]["can"]), B, steps, horizon)


@pytest.mark.parametrize("scale", ["smoke", "laptop", "full"])
@pytest.mark.parametrize("name", ALL)
def test_composes_and_instantiates_at_every_scale(name, scale):
    option = REGISTRY.option("emulator", name, scale)
    assert option["title"]
    assert isinstance(option["gpu"], bool)
    emulator = build(config("emulator", name, scale), [spec(option["can"])] * 2)
    assert isinstance(emulator, Emulator)
    assert not emulator.training


@pytest.mark.parametrize("name", ALL)
def test_yaml_says_what_the_class_can(name):
    cls = locate(OPTION[name]["_target_"], Emulator)
    assert OPTION[name]["can"] == cls.can.to_yaml()
    assert cls.can.step == issubclass(cls, Autoregressive)
    assert (cls.objective is not Emulator.objective) == cls.can.objective
    assert (cls.fit is not Emulator.fit) == (cls.can.learns == "fit")
    assert cls.__doc__
    for key in OPTION[name]["members"] or []:
        assert key in config("emulator", name)


@pytest.mark.parametrize("name", ALL)
def test_member_values_may_be_tuples(name):
    keys = OPTION[name]["members"] or []
    given = config("emulator", name)
    emulator = build(given, [spec(OPTION[name]["can"])] * 2, [{k: given[k] for k in keys}] * 2)
    assert emulator.S == 2


@pytest.mark.parametrize("name", ALL)
def test_forecast_shape_and_repeatability(name):
    emulator = make(name)
    context, times, target = data(name)
    forecast = emulator.forecast(context, times)
    assert forecast.shape == (emulator.S, *target.shape[1:])
    assert forecast.is_floating_point()
    assert torch.isfinite(forecast).all()
    assert not forecast.requires_grad
    assert torch.equal(forecast, make(name).forecast(context, times))


@pytest.mark.parametrize("name", LEARNERS)
def test_members_may_have_windows_of_their_own(name):
    emulator = make(name)
    context, times, _ = data(name)
    own = replace(
        context,
        values=torch.cat([context.values + s for s in range(3)]),
        times=context.times.expand(3, -1, -1),
        state=torch.cat([context.state + s for s in range(3)]),
    )
    forecast = emulator.forecast(own, times.expand(3, -1, -1))
    for s in range(3):
        same = replace(own, values=own.values[s : s + 1], times=context.times, state=own.state[s : s + 1])
        torch.testing.assert_close(emulator.forecast(same, times)[s], forecast[s])


@pytest.mark.parametrize("name", ALL)
def test_no_look_ahead(name):
    """What lies behind the origin in memory, and how far is asked, change nothing of what is forecast."""
    emulator = make(name)
    context, times, _ = data(name, horizon=H)
    whole = torch.cat([context.values, torch.full_like(context.values, float("nan"))], 2)
    blind = replace(context, values=whole[:, :, :T])
    forecast = emulator.forecast(context, times)
    assert torch.equal(emulator.forecast(blind, times), forecast)
    assert torch.equal(emulator.forecast(context, times[:, :, :3]), forecast[:, :, :3])


@pytest.mark.parametrize("name", ALL)
def test_forecast_changes_with_the_context(name):
    emulator = make(name)
    context, times, _ = data(name)
    moved = replace(context, values=context.values + 0.5, state=context.state + 0.5)
    difference = (emulator.forecast(moved, times) - emulator.forecast(context, times)).abs()
    assert (difference.flatten(3).amax((2, 3)) > 1e-3).all()


@pytest.mark.parametrize("name", ALL)
def test_forecasts_do_not_depend_on_what_else_is_in_a_padded_batch(name):
    emulator = make(name)
    context, times, _ = data(name, B=32)
    order = torch.cat([torch.arange(5).flip(0), torch.zeros(27, dtype=torch.int64)])
    few = replace(
        context, values=context.values[:, order], times=context.times[:, order], state=context.state[:, order]
    )
    forecast = emulator.forecast(context, times)
    assert torch.equal(emulator.forecast(few, times[:, order])[:, :5], forecast[:, order[:5]])


@pytest.mark.parametrize("name", BY_GRADIENT)
def test_a_gradient_reaches_every_parameter(name):
    emulator = make(name)
    context, times, target = data(name)
    error = emulator.rollout(emulator.encode(context), times) - target
    for s, loss in enumerate(error.square().flatten(1).mean(1)):
        gradients = torch.autograd.grad(loss, list(emulator.parameters()), retain_graph=True)
        for (key, _), g in zip(emulator.named_parameters(), gradients, strict=True):
            assert g[s].abs().max() > 0, f"{key} of member {s}"
            assert g[torch.arange(emulator.S) != s].abs().max() == 0, f"{key}: member {s} reaches another member"


@pytest.mark.parametrize("name", LEARNERS)
def test_state_round_trips_through_a_run_folder(name, tmp_path):
    emulator = make(name)
    context, times, _ = data(name)
    state = emulator.stacked_state()
    members = [{"run_id": f"r{s}", "key": f"k{s}", "emulator": {}} for s in range(3)]
    states = [{k: v[s] for k, v in state.items()} for s in range(3)]
    written = {"name": name, "config": config("emulator", name)}
    run_folder.save(tmp_path, written, None, emulator.specs, members, states)
    loaded = run_folder.load(tmp_path)
    assert loaded.specs == emulator.specs
    assert all(torch.equal(v, state[k]) for k, v in loaded.stacked_state().items())
    assert torch.equal(loaded.forecast(context, times), emulator.forecast(context, times))


@pytest.mark.parametrize("name", LEARNERS)
def test_members_are_initialised_from_their_own_stream(name):
    three, one = make(name), make(name, S=1)
    assert all(torch.equal(v[0], three.stacked_state()[k][0]) for k, v in one.stacked_state().items())
    if name in BY_GRADIENT:
        other = make(name, seed=1).stacked_state()
        assert any(not torch.equal(v, other[k]) for k, v in three.stacked_state().items())


@pytest.mark.parametrize("name", LEARNERS)
def test_overfits_two_windows(name):
    one = spec(OPTION[name]["can"])
    emulator = make(name, S=2)
    steps = emulator.context_range[1] or T
    pieces = [[series(one, 7 + w, steps + 2) for w in range(2)] for _ in range(2)]
    values = torch.stack([torch.from_numpy(p) for p in pieces[0]])[None]
    context, _, _ = windows(one, 2, steps, 2)
    context = replace(context, values=values[:, :, :steps])
    times = context.times[:, :, -1:] + 0.1 * torch.arange(1, 3)
    target = values[:, :, steps:]

    def loss():
        error = (emulator.rollout(emulator.encode(context), times) - target).flatten(3)
        return error.square().flatten(1).mean(1)

    variance = target.var()
    if OPTION[name]["can"]["learns"] == "fit":
        emulator.fit(pieces)
    else:
        optimizer = torch.optim.Adam(emulator.parameters(), lr=3e-3)
        for _ in range(300):
            optimizer.zero_grad()
            loss().sum().backward()
            optimizer.step()
    assert (loss() < 1e-4 * variance).all()
