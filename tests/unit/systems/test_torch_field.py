"""Torch fields and steppers against NumPy, symbolic derivatives and a solver."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.systems import catalogue, torch_field
from strangecast.systems.derivatives import jacobian, parameter_jacobian
from strangecast.systems.dysts_flows import flat_parameters, instance
from strangecast.systems.graph import evaluate
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system
from strangecast.systems.numpy_field import batch
from strangecast.systems.torch_field import TorchField
from strangecast.systems.tracing import trace, trace_flow
from tests.unit.systems.test_numpy_field import EDGES, every_operation

FLOWS = [e.name for e in catalogue.entries().values() if e.kind == "flow"]


def tensor(x, **settings):
    """A float64 tensor."""
    return torch.tensor(np.asarray(x), dtype=torch.float64, **settings)


def case(name):
    """Field, graph, parameters and states [2, 5, 3, D] of a flow."""
    flow = instance(name)
    graph, values = trace_flow(flow), flat_parameters(flow)[1]
    rng = stream("test", "torch", name)
    states = np.ravel(flow.ic) * (1 + 0.05 * rng.standard_normal((2, 5, 3, flow.dimension)))
    return TorchField(graph, values), graph, values, states, rng


def close(found, expected):
    """Equal to 1e-12 of the largest entry of each vector."""
    expected = np.asarray(expected)
    size = np.abs(expected).max(axis=-1, keepdims=True)
    assert (np.abs(np.asarray(found) - expected) <= 1e-12 * size).all()


@pytest.mark.parametrize("name", FLOWS)
def test_fields_equal_those_of_numpy(name):
    field, graph, values, states, rng = case(name)
    plain = batch(graph)
    close(field(0.3, tensor(states)), plain(0.3, states, values))
    own = values * (1 + 0.01 * rng.standard_normal((2, 5, len(values))))
    times = rng.random((2, 5))
    close(field(tensor(times), tensor(states), tensor(own)), plain(times[:, :, None], states, own[:, :, None]))
    close(field(times[:1], tensor(states), tensor(own[:, :1])), plain(times[:1, :, None], states, own[:, :1, None]))
    close(field(0.3, tensor(states), tensor(values)), plain(0.3, states, values))


@pytest.mark.parametrize("name", FLOWS)
def test_gradients_are_the_symbolic_derivatives(name):
    field, graph, values, states, rng = case(name)
    state, parameters = tensor(states[0, 0, 0], requires_grad=True), tensor(values, requires_grad=True)
    weights = rng.standard_normal(graph.dim)
    found = torch.autograd.grad(
        (field(0.3, state, parameters) * tensor(weights)).sum(), (state, parameters), allow_unused=True
    )
    for symbolic, gradient in zip((jacobian(graph), parameter_jacobian(graph)), found, strict=True):
        if not symbolic.outputs:
            continue
        matrix = evaluate(symbolic, 0.3, states[0, 0, 0], values).reshape(graph.dim, -1)
        expected, size = weights @ matrix, np.abs(weights) @ np.abs(matrix)
        given = np.zeros_like(expected) if gradient is None else gradient.numpy()
        assert (np.abs(given - expected) <= 1e-12 * size.max()).all()


def test_every_operation():
    graph = every_operation()
    states = np.stack(np.meshgrid(EDGES, EDGES), -1)
    found = TorchField(graph, np.array([2.0]))(0.5, tensor(states)).numpy()
    np.testing.assert_allclose(found, evaluate(graph, 0.5, states, [2.0]), rtol=1e-14)
    found = TorchField(graph, np.array([2.0]))(0.5, tensor(states), tensor([2.0])).numpy()
    np.testing.assert_allclose(found, evaluate(graph, 0.5, states, [2.0]), rtol=1e-14)


@pytest.fixture
def grouped(monkeypatch):
    """Fields are evaluated in groups, whether it pays or not."""
    monkeypatch.setattr(torch_field, "worth_grouping", lambda *_: True)


@pytest.mark.parametrize("name", FLOWS)
def test_groups_equal_single_operations(name, grouped):
    field, graph, values, states, rng = case(name)
    assert field._groups is not None
    plain = batch(graph)
    own = values * (1 + 0.01 * rng.standard_normal((2, 5, len(values))))
    times = rng.random((2, 5))
    close(field(0.3, tensor(states)), plain(0.3, states, values))
    close(field(tensor(times), tensor(states), tensor(own)), plain(times[:, :, None], states, own[:, :, None]))
    close(field(0.3, tensor(states), tensor(own[:, :1])), plain(0.3, states, own[:, :1, None]))


def test_gradients_of_groups(grouped):
    for name in ("MacArthur", "BelousovZhabotinsky", "Torus", "lorenz96_n"):
        system = load_system(name)
        field = TorchField(system.graph, system.values)
        state = tensor(system.initial_condition, requires_grad=True)
        parameters = tensor(system.values, requires_grad=True)
        weights = stream("test", name).standard_normal(system.dim)
        found = torch.autograd.grad(
            (field(0.3, state, parameters) * tensor(weights)).sum(), (state, parameters), allow_unused=True
        )
        x, p = system.initial_condition, system.values
        for symbolic, gradient in zip((jacobian(system.graph), parameter_jacobian(system.graph)), found, strict=True):
            matrix = evaluate(symbolic, 0.3, x, p).reshape(system.dim, -1)
            given = np.zeros(matrix.shape[1]) if gradient is None else gradient.numpy()
            np.testing.assert_allclose(given, weights @ matrix, rtol=1e-10, atol=1e-12 * np.abs(matrix).max())


def test_every_operation_in_groups(grouped):
    graph = every_operation()
    states = np.stack(np.meshgrid(EDGES, EDGES), -1)
    for parameters in (None, tensor([2.0]), tensor(np.full((10, 1, 1), 2.0))):
        found = TorchField(graph, np.array([2.0]))(0.5, tensor(states), parameters).numpy()
        np.testing.assert_allclose(found, evaluate(graph, 0.5, states, [2.0]), rtol=1e-14)


@pytest.mark.parametrize("name", ["Lorenz", "Torus", "BelousovZhabotinsky", "FluidTrampoline", "lorenz96_n"])
def test_everything_stays_on_the_device_of_the_states(name):
    system = load_system(name)
    field = TorchField(system.graph, system.values)
    state = torch.empty((2, 3, system.dim), device="meta", dtype=torch.float32)
    for parameters in (None, torch.empty((2, 1, len(system.values)), device="meta")):
        found = field(0.1, state, parameters)
        assert (found.device.type, found.dtype, found.shape) == ("meta", torch.float32, state.shape)


def test_groups_are_for_lattices():
    fields = {n: TorchField(load_system(n).graph, load_system(n).values) for n in ("Lorenz", "lorenz96_n")}
    assert fields["Lorenz"]._groups is None
    assert fields["lorenz96_n"]._groups.calls < 20


def test_second_derivatives_and_times():
    field = TorchField(
        trace(lambda t, x, p: (x[0] * x[1] * p[0] + np.sin(t * x[0]), np.exp(-x[1] / p[1])), 2, 2), np.ones(2)
    )
    inputs = (tensor(0.7), tensor([[0.3, 0.5], [1.2, -0.4]]), tensor([1.5, 2.0]))
    for x in inputs:
        x.requires_grad_()
    assert torch.autograd.gradcheck(field, inputs)
    assert torch.autograd.gradgradcheck(field, inputs)


def test_parameters_alone_are_computed_once_per_call():
    calls = []
    field = TorchField(trace(lambda t, x, p: (np.sin(p[0]) * x[0],), 1, 1), np.ones(1))
    prepare = field._prepare
    field._prepare = lambda p: calls.append(1) or prepare(p)
    system = load_system("Lorenz")
    step = system.stepper(0.01, method="rk4", substeps=5)
    step.field = field
    step(tensor([[1.0]]), tensor([2.0]))
    assert len(calls) == 1


def test_below_a_kink_the_gradient_is_zero():
    field = TorchField(trace(lambda t, x, p: (np.sqrt(np.maximum(x[0], 0.0)),), 1, 0), np.zeros(0))
    state = tensor([[-1.0], [4.0]], requires_grad=True)
    field(0.0, state).sum().backward()
    np.testing.assert_allclose(state.grad[:, 0], [0.0, 0.25])


def test_precision_is_that_of_the_states():
    field, _, values, states, _ = case("BelousovZhabotinsky")
    half = torch.tensor(states, dtype=torch.float32)
    for parameters in (None, tensor(values)):
        found = field(0.3, half, parameters)
        assert found.dtype == torch.float32
        np.testing.assert_allclose(found, field(0.3, tensor(states)), rtol=2e-3, atol=1e-3)


def test_a_wrong_number_of_parameters():
    field, _, _, states, _ = case("Lorenz")
    with pytest.raises(ConfigError, match="of 3 parameters was given 2"):
        field(0.0, tensor(states), tensor([1.0, 2.0]))


# Steppers


@pytest.mark.parametrize(
    "name", ["Lorenz", "Chua", "ForcedVanDerPol", "Torus", "BlinkingRotlet", "Hopfield", "double_pendulum"]
)
def test_a_step_is_that_of_a_solver(name):
    system = load_system(name)
    times = np.linspace(0.0, 2 * system.period, 201)
    path = system.simulate(system.initial_condition, times, system.values, Solver(rtol=1e-12, atol=1e-13)).states
    step = system.stepper(times[1])
    assert step.error <= 1e-7
    found = step(tensor(path[:-1]), t=tensor(times[:-1])).numpy()
    spread = np.where(system.bounded, path.std(axis=0), np.minimum(path.std(axis=0), 1.0))
    off = (np.abs(found - path[1:]) / spread).max(axis=1)
    assert np.median(off) < 1e-7
    assert off.max() < (1e-6 if system.graph.smooth else 1e-2)


@pytest.mark.parametrize(("method", "order"), [("rk4", 4), ("dop853", 8)])
def test_orders(method, order):
    system = load_system("Lorenz")
    start = tensor(system.initial_condition)
    exact = system.stepper(0.16, method="dop853", substeps=64)(start)
    off = [(system.stepper(0.16, method=method, substeps=n)(start) - exact).abs().max().item() for n in (4, 8)]
    assert abs(np.log2(off[0] / off[1]) - order) < 0.8


def test_members_and_windows_have_their_own_parameters_and_times():
    system = load_system("Torus")
    step = system.stepper(0.05)
    rng = stream("test", "stepper")
    states, times = rng.standard_normal((2, 3, 3)), rng.random((2, 3))
    own = system.values * (1 + 0.1 * rng.standard_normal((2, 3, len(system.values))))
    all_at_once = step(tensor(states), tensor(own), tensor(times))
    for i in np.ndindex(2, 3):
        alone = step(tensor(states[i]), tensor(own[i]), times[i])
        np.testing.assert_allclose(all_at_once[i], alone, rtol=1e-13)
    shared = step(tensor(states), tensor(own[:, :1]), 0.2)
    np.testing.assert_allclose(shared[1, 2], step(tensor(states[1, 2]), tensor(own[1, 0]), 0.2), rtol=1e-13)


def test_gradients_of_a_step():
    system = load_system("Lorenz")
    step = system.stepper(0.05)
    state = tensor(system.initial_condition[None] + [[0.0], [1.0]], requires_grad=True)
    parameters = tensor(np.stack([system.values, 1.1 * system.values]), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, p: step(x, p), (state, parameters), atol=1e-6)


def test_a_step_in_single_precision():
    system = load_system("Rossler")
    state = torch.tensor(system.initial_condition, dtype=torch.float32)
    step = system.stepper(system.period / 100)
    found = step(state)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, step(state.double()), rtol=1e-5)


def test_longer_steps_are_divided():
    system = load_system("Lorenz")
    short, long = system.stepper(system.period / 100), system.stepper(system.period / 5)
    assert long.evaluations > short.evaluations
    assert max(long.error, short.error) <= 1e-7
    loose = system.stepper(system.period / 100, tolerance=1e-3)
    assert loose.evaluations < short.evaluations


def test_stiff_systems_say_that_they_are():
    with pytest.raises(ConfigError, match="too stiff for explicit steps over dt = 2.68"):
        load_system("robertson").stepper(2.683)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dt": 0.0}, "positive dt"),
        ({"dt": np.nan}, "positive dt"),
        ({"dt": 0.1, "method": "rk4"}, "together"),
        ({"dt": 0.1, "method": "euler", "substeps": 1}, "rk4 and dop853"),
        ({"dt": 0.1, "method": "rk4", "substeps": 0}, "substeps >= 1"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ConfigError, match=message):
        load_system("Lorenz").stepper(**settings)
