"""Symbolic derivatives against finite differences, against dysts, and against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.systems import catalogue
from strangecast.systems.derivatives import divergence, jacobian, parameter_jacobian, tangent
from strangecast.systems.dysts_flows import flat_parameters, instance
from strangecast.systems.graph import evaluate
from strangecast.systems.symbols import Builder
from strangecast.systems.tracing import trace, trace_delay, trace_flow, trace_observation

FLOWS = [e.name for e in catalogue.entries().values() if e.kind == "flow"]
WITH_JACOBIAN = [n for n in FLOWS if instance(n).has_jacobian()]


def case(name):
    """Graph, parameters and three states of a flow, phases in their first turns."""
    flow = instance(name)
    start, rng = np.ravel(flow.ic).astype(float), stream("test", "derivatives", name)
    states = start * (1 + 0.05 * rng.standard_normal((3, len(start))))
    states[:, flow.unbounded_indices] %= 7.0
    return flow, trace_flow(flow), flat_parameters(flow)[1], states


def matrix(graph, t, x, p, columns):
    """The outputs as a matrix."""
    return evaluate(graph, t, x, p).reshape(-1, columns)


def differences(function, at):
    """Richardson-extrapolated central differences, [outputs, inputs], and their estimated errors."""
    columns, errors = [], []
    for j in range(len(at)):
        h = 1e-3 * max(abs(at[j]), 1e-2)
        by = [
            (function(at + s * e) - function(at - s * e)) / (2 * s)
            for s in (h, h / 2, h / 4)
            for e in [np.eye(len(at))[j]]
        ]
        finer = [(4 * by[1] - by[0]) / 3, (4 * by[2] - by[1]) / 3]
        best = (16 * finer[1] - finer[0]) / 15
        columns.append(best)
        errors.append(np.abs(best - finer[1]))
    return np.stack(columns, -1), np.stack(errors, -1)


def equal_to_differences(found, function, at):
    """Every entry within ten times the differences' own error, or rounding."""
    expected, error = differences(function, at)
    rounding = 1e-13 * np.abs(function(at)).max() / (1e-3 * np.maximum(np.abs(at), 1e-2))
    bound = 10 * error + 100 * rounding + 1e-9 * np.abs(found).max()
    assert (np.abs(found - expected) <= bound).all(), np.abs(found - expected) / bound


@pytest.mark.parametrize("name", FLOWS)
def test_jacobians_equal_finite_differences(name):
    _, graph, values, states = case(name)
    by_state = jacobian(graph)
    for x in states:
        equal_to_differences(matrix(by_state, 0.3, x, values, graph.dim), lambda y: evaluate(graph, 0.3, y, values), x)
    if len(values):
        found = matrix(parameter_jacobian(graph), 0.3, states[0], values, len(values))
        equal_to_differences(found, lambda p: evaluate(graph, 0.3, states[0], p), values)


@pytest.mark.parametrize("name", WITH_JACOBIAN)
def test_jacobians_equal_those_of_dysts(name):
    flow, graph, values, states = case(name)
    theirs = getattr(flow._jac, "py_func", flow._jac)
    for x in states:
        expected = np.array(theirs(*x, 0.3, *flow.param_list), float)
        found = matrix(jacobian(graph), 0.3, x, values, graph.dim)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def test_sixty_flows_of_dysts_have_one():
    assert len(WITH_JACOBIAN) == 60


@pytest.mark.parametrize("name", FLOWS)
def test_tangents_and_divergence_are_of_the_jacobian(name):
    _, graph, values, states = case(name)
    rng = stream("test", "tangents", name)
    for k in (1, graph.dim):
        grown = tangent(graph, k)
        assert grown.dim == len(grown.outputs) == graph.dim * (1 + k)
        for x in states:
            J = matrix(jacobian(graph), 0.3, x, values, graph.dim)
            V = rng.standard_normal((k, graph.dim))
            found = evaluate(grown, 0.3, np.concatenate([x, V.ravel()]), values).reshape(1 + k, graph.dim)
            np.testing.assert_array_equal(found[0], evaluate(graph, 0.3, x, values))
            size = np.abs(V) @ np.abs(J.T)
            assert (np.abs(found[1:] - V @ J.T) <= 1e-12 * size + 1e-300).all()
            trace_of = evaluate(divergence(graph), 0.3, x, values)
            assert abs(trace_of[0] - np.trace(J)) <= 1e-12 * np.abs(np.diag(J)).sum()


def test_tangents_are_as_cheap_as_the_cheaper_way():
    # One vector: along with the values. Six: the matrix once and its products.
    graph = trace_flow(instance("Hopfield"))
    assert tangent(graph, 1).operations <= 216
    assert tangent(graph, 6).operations <= 631


def test_every_rule():
    def function(t, x, p):
        a, b = x
        return np.concatenate(
            [
                np.exp(x), np.sin(x), np.cos(x), np.tan(x), np.sinh(x), np.cosh(x), np.tanh(x), np.arctan(x),
                np.arcsin(x / 3), np.arccos(x / 3), np.log(2 + x), np.sqrt(2 + x), np.abs(x), np.sign(x), np.floor(x),
                np.heaviside(x, 0.5), [a**2.5, (2 + b) ** p[0], p[1] ** b, a / b, -a * b, np.mod(a, 0.3), np.mod(2.2, b)],
                [np.arctan2(a, b), np.arctan2(b, p[0]), np.minimum(a, b), np.maximum(a, b), np.minimum(0.0, b)],
                [np.where(a > b, a * b, a - b), np.where(a > b, 1.0, b), np.maximum(np.sqrt(a), a * b), t * a],
            ]
        )  # fmt: skip

    graph = trace(function, 2, 2, outputs=48)
    p = np.array([1.7, 2.3])
    for x in ([0.4, 1.3], [1.3, 0.45], [0.7, -0.8]):
        x = np.array(x)
        found = matrix(jacobian(graph), 0.7, x, p, 2)
        expected, _ = differences(lambda y: evaluate(graph, 0.7, y, p), x)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
        found = matrix(parameter_jacobian(graph), 0.7, x, p, 2)
        expected, _ = differences(lambda q, x=x: evaluate(graph, 0.7, x, q), p)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_below_a_kink_nothing_moves():
    # 0 times the infinite slope of the root would not be a number.
    graph = trace(lambda t, x, p: [np.sqrt(max(x[0], 0)), np.maximum(x[0], 0) ** 0.3], 1, 0, outputs=2)
    for x, expected in ((-1.0, [0.0, 0.0]), (4.0, [0.25, 0.3 * 4**-0.7])):
        np.testing.assert_allclose(evaluate(jacobian(graph), 0.0, [x], []), expected)
        found = evaluate(tangent(trace(lambda t, x, p: np.sqrt(max(x[0], 0)), 1, 0), 1), 0.0, [x, 2.0], [])
        assert found[1] == 2 * expected[0]


def test_an_exponent_at_base_zero():
    graph = trace(lambda t, x, p: x[0] ** p[0], 1, 1)
    assert evaluate(parameter_jacobian(graph), 0.0, [0.0], [2.0])[0] == 0.0
    assert evaluate(jacobian(graph), 0.0, [0.0], [2.0])[0] == 0.0


def test_observations_have_jacobians_too():
    graph = trace_observation(instance("BlinkingRotlet"))
    tau = flat_parameters(instance("BlinkingRotlet"))
    r, th = 0.5, 1.2
    found = matrix(jacobian(graph), 0.0, np.array([r, th, 0.3]), tau[1], 3)
    expected = [[math.cos(th), -r * math.sin(th)], [math.sin(th), r * math.cos(th)]]
    np.testing.assert_allclose(found[:2, :2], expected, rtol=1e-14)
    assert (found[:2, 2] == 0).all()


def test_delay_flows():
    flow = instance("MackeyGlass")
    graph, (names, values) = trace_delay(flow), flat_parameters(flow)
    beta, gamma, n = (values[names.index(k)] for k in ("beta", "gamma", "n"))
    x, late, v, v_late = 0.9, 1.1, 0.3, -0.2
    grown = tangent(graph, 1)
    assert (grown.dim, len(grown.lags)) == (2, 1)
    found = evaluate(grown, 0.0, [x, v], values, lambda i, lag: (late, v_late)[i])
    slope = beta * (1 + (1 - n) * late**n) / (1 + late**n) ** 2
    np.testing.assert_allclose(found[1], slope * v_late - gamma * v, rtol=1e-13)
    assert evaluate(jacobian(graph), 0.0, [x], values, lambda i, lag: late)[0] == -gamma
    with pytest.raises(ConfigError, match="lag"):
        parameter_jacobian(graph)


def test_tangents_of_what_is_no_flow():
    builder = Builder(2, 0)
    with pytest.raises(ConfigError, match="D = 2 outputs"):
        tangent(builder.graph([builder.state[0]]), 1)
