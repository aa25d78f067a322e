"""Rollout, normaliser, member-wise layers and baselines against hand-made expectations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from strangecast.core.context import Context
from strangecast.core.errors import ConfigError, DataError
from strangecast.core.spec import Channel, Spec
from strangecast.core.streams import stream
from strangecast.emulators.autoregressive import Autoregressive
from strangecast.emulators.climatology import Climatology
from strangecast.emulators.member_linear import MemberLinear
from strangecast.emulators.mlp import MLP
from strangecast.emulators.normaliser import Normaliser
from strangecast.emulators.persistence import Persistence
from strangecast.emulators.ridge import Ridge

SPEC = Spec((Channel("x"), Channel("y")), dt=0.1)


def context(values, dt=0.1):
    values = torch.as_tensor(values, dtype=torch.float64)
    times = (torch.arange(values.shape[2], dtype=torch.float64) * dt).expand(values.shape[:3])
    return Context(values, times)


def after(c, H, dt=0.1):
    return c.times[:, :, -1:] + dt * torch.arange(1, H + 1, dtype=torch.float64)


class Counter(Autoregressive):
    """Adds 1 per native step, three steps at a time."""

    bundle = 3

    def encode(self, context):
        self.seen = []
        return context.values[:, :, -1:]

    def step(self, carry, times):
        self.seen.append(tuple(times.shape))
        ahead = carry + torch.arange(1, 4).view(1, 1, 3, 1)
        return ahead, ahead[:, :, -1:]


@pytest.mark.parametrize(("H", "calls"), [(1, 1), (3, 1), (4, 2), (7, 3)])
def test_rollout_truncates_the_last_bundle(H, calls):
    emulator = Counter((SPEC,))
    c = context(np.zeros((1, 2, 5, 2)))
    forecast = emulator.forecast(c, after(c, H))
    assert torch.equal(forecast[0, 1, :, 0], torch.arange(1.0, H + 1, dtype=torch.float64))
    assert emulator.seen == [(1, 2, 3)] * calls


def test_a_native_step_cannot_serve_other_times():
    emulator = MLP((SPEC,), hidden=4, layers=1)
    c = context(np.zeros((1, 1, 4, 2)))
    with pytest.raises(DataError, match=r"steps by \[0.1\]"):
        emulator.forecast(c, after(c, 3, dt=0.2))


def test_members_of_different_intervals_cannot_share_times():
    other = Spec(SPEC.channels, dt=0.3)
    c = context(np.zeros((1, 1, 4, 2)))
    with pytest.raises(DataError, match=r"different intervals \(0.1 to 0.3\).*choose one member"):
        MLP((SPEC, other), hidden=4, layers=1).forecast(c, after(c, 3))
    assert MLP((other,), hidden=4, layers=1).forecast(context(c.values, 0.3), after(c, 3, 0.3) + 0.6).shape[2] == 3


def test_uneven_sampling_is_refused():
    c = context(np.zeros((1, 1, 4, 2)))
    with pytest.raises(DataError, match="MLP needs data sampled evenly"):
        MLP((Spec(SPEC.channels),), hidden=4, layers=1).forecast(c, after(c, 3))


def test_too_short_contexts_and_samples_are_refused():
    emulator = Ridge((SPEC,), delays=6, regularisation=0.0)
    c = context(np.zeros((1, 1, 4, 2)))
    with pytest.raises(DataError, match="at least 6 context steps, 4 were given"):
        emulator.forecast(c, after(c, 3))
    with pytest.raises(ConfigError, match="draws no samples"):
        Persistence().forecast(c, after(c, 3), samples=2)


def test_members_need_equal_shapes():
    with pytest.raises(ConfigError, match="equal channels"):
        MLP((SPEC, Spec((Channel("x"),), dt=0.1)), hidden=4, layers=1)


def test_baselines():
    values = np.random.default_rng(0).normal(size=(1, 3, 6, 2))
    c = context(values)
    assert torch.equal(Persistence().forecast(c, after(c, 4))[0, :, 2], c.values[0, :, -1])
    climate = Climatology().forecast(c, after(c, 4))
    np.testing.assert_allclose(climate[0, :, 3].numpy(), values[0].mean(1), rtol=1e-14)


def test_normaliser_pools_pieces_and_survives_constant_channels():
    rng = np.random.default_rng(1)
    pieces = [rng.normal(5.0, 3.0, (40, 2)), rng.normal(5.0, 3.0, (7, 2))]
    for p in pieces:
        p[:, 1] = 4.0
    n = Normaliser(1, 2)
    n.fit([pieces])
    pooled = np.concatenate(pieces)
    np.testing.assert_allclose(n.mean[0], pooled.mean(0))
    np.testing.assert_allclose(n.std[0], [pooled[:, 0].std(), 1.0])
    x = torch.from_numpy(pooled)[None, None]
    z = n.normalise(x, torch.float64)
    np.testing.assert_allclose(z[0, 0].mean(0), [0, 0], atol=1e-12)
    np.testing.assert_allclose(n.physical(z), x, rtol=1e-12)


def test_normaliser_handles_fields():
    field = np.random.default_rng(2).normal(size=(9, 2, 4, 3)) * np.array([1.0, 10.0]).reshape(1, 2, 1, 1)
    n = Normaliser(1, 2)
    n.fit([[field]])
    np.testing.assert_allclose(n.std[0], field.std((0, 2, 3)))
    assert n.normalise(torch.from_numpy(field)[None, None], torch.float32).shape == (1, 1, 9, 2, 4, 3)


@pytest.mark.parametrize("C", [1, 2, 3, 5])
def test_a_lone_member_has_the_bits_it_has_in_company(C):
    many = MemberLinear(5, C, C)
    many.initialise([stream("test", s) for s in range(5)])
    one = MemberLinear(1, C, C)
    one.initialise([stream("test", 3)])
    x = torch.randn(5, 32, C, generator=torch.Generator().manual_seed(0))
    assert torch.equal(one(x[3:4])[0], many(x)[3])


def test_mlp_with_a_silent_last_layer_is_persistence():
    emulator = MLP((SPEC,) * 2, hidden=4, layers=2, delays=3)
    rng = np.random.default_rng(3)
    emulator.fit_normaliser([[rng.normal(2, 3, (30, 2))] for _ in range(2)])
    emulator.initialise([stream("test", s) for s in range(2)])
    with torch.no_grad():
        emulator.layers[-1].weight.zero_()
    c = context(rng.normal(2, 3, (1, 4, 6, 2)))
    expected = c.values[:, :, -1:].expand(2, 4, 5, 2).float()
    torch.testing.assert_close(emulator.forecast(c, after(c, 5)), expected, rtol=1e-5, atol=1e-5)


def test_mlp_measures_increments_inside_segments_only():
    emulator = MLP((SPEC,), hidden=4, layers=1)
    ramp = np.arange(10.0)[:, None] * np.array([[1.0, 2.0]])
    emulator.fit_normaliser([[ramp, ramp + 1000.0]])
    expected = np.array([1.0, 2.0]) / emulator.normaliser.std[0].numpy()
    np.testing.assert_allclose(emulator.increment[0], expected)


def test_ridge_recovers_a_linear_map():
    rotation = np.array([[0.9, -0.4], [0.4, 0.9]])
    x = [np.array([1.0, 0.5])]
    for _ in range(60):
        x.append(rotation @ x[-1] + np.array([0.1, -0.2]))
    x = np.array(x)
    emulator = Ridge((SPEC,), delays=1, regularisation=0.0)
    emulator.fit_normaliser([[x[:40]]])
    emulator.fit([[x[:40]]])
    c = context(x[None, None, :41])
    np.testing.assert_allclose(emulator.forecast(c, after(c, 20))[0, 0], x[41:], rtol=1e-9, atol=1e-9)


def test_ridge_equals_an_augmented_least_squares_problem():
    rng = np.random.default_rng(4)
    pieces = [rng.normal(size=(25, 2)), rng.normal(size=(18, 2))]
    d, alpha = 3, 0.05
    emulator = Ridge((SPEC,), delays=d, regularisation=alpha)
    emulator.fit_normaliser([pieces])
    emulator.fit([pieces])
    mean, std = (b[0].numpy() for b in (emulator.normaliser.mean, emulator.normaliser.std))
    rows, targets = [], []
    for p in pieces:
        z = (p - mean) / std
        for t in range(d, len(z)):
            rows.append(np.append(z[t - d : t].ravel(), 1.0))
            targets.append(z[t] - z[t - 1])
    n = len(rows)
    penalty = np.hstack([np.sqrt(n * alpha) * np.eye(d * 2), np.zeros((d * 2, 1))])
    solution = np.linalg.lstsq(np.vstack([rows, penalty]), np.vstack([targets, np.zeros((d * 2, 2))]), rcond=None)[0]
    np.testing.assert_allclose(emulator.weight[0].detach(), solution[:-1], atol=1e-10)
    np.testing.assert_allclose(emulator.bias[0, 0].detach(), solution[-1], atol=1e-10)


def test_ridge_says_when_data_are_too_short():
    emulator = Ridge((SPEC,), delays=10, regularisation=0.0)
    with pytest.raises(DataError, match="at least 11 samples"):
        emulator.fit([[np.zeros((10, 2))]])
