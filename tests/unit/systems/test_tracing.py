"""Traced right-hand sides against the Python they were traced from."""

from __future__ import annotations

import builtins
import math
import time

import numba
import numpy as np
import pytest
from dysts import flows

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.systems import catalogue
from strangecast.systems.dysts_flows import flat_parameters, instance
from strangecast.systems.graph import evaluate
from strangecast.systems.tracing import overrides_rhs, trace, trace_delay, trace_flow, trace_observation

FLOWS = [e.name for e in catalogue.entries().values() if e.kind == "flow"]
DELAYS = [e.name for e in catalogue.entries().values() if e.kind == "delay"]
POINTS = 10


def close(found, expected):
    """Equal to 1e-12 of the largest entry."""
    expected = np.asarray(expected, float)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


# The flows of dysts; as Python where they are one function, since compiling each takes longer than all tests


def slope(flow, state, t):
    """The time derivative as dysts has it."""
    if overrides_rhs(type(flow)):
        return flow.rhs(state, t)
    return getattr(flow._rhs, "py_func", flow._rhs)(*state, t, *flow.param_list)


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_is_that_of_dysts(name):
    flow = instance(name)
    graph, (_, values) = trace_flow(flow), flat_parameters(flow)
    start, rng = np.ravel(flow.ic).astype(float), stream("test", name)
    scale = np.abs(start).max()
    for _ in range(POINTS):
        state = start * (1 + 0.05 * rng.standard_normal(len(start))) + 1e-3 * scale * rng.standard_normal(len(start))
        t = 3 * rng.random()
        close(evaluate(graph, t, state, values), slope(flow, state, t))


@pytest.mark.parametrize("name", DELAYS)
def test_a_delay_flow_is_that_of_dysts(name):
    flow = instance(name)
    graph, (names, values) = trace_delay(flow), flat_parameters(flow)
    lag = values[names.index("tau")]
    assert graph.dim == 1
    assert len(graph.lags) == 1
    rng = stream("test", name)
    for _ in range(POINTS):
        start, speed, t = float(flow.ic[0]), rng.standard_normal(), 5 * rng.random()
        past = lambda s, start=start, speed=speed: start * (1 + 0.2 * np.sin(speed * s))  # noqa: E731
        found = evaluate(graph, t, [past(t)], values, lambda i, by, t=t, past=past: past(t - by))
        close(found, [flow.delayed_rhs(past, t, lag)])
    other = values.copy()
    other[names.index("tau")] = 2 * lag
    asked = []
    evaluate(graph, 0.0, [0.5], other, lambda i, by: asked.append((i, by)) or 0.5)
    assert asked == [(0, 2 * lag)]


@pytest.mark.parametrize("name", FLOWS)
def test_an_observation_is_that_of_dysts(name):
    flow = instance(name)
    graph = trace_observation(flow)
    if not hasattr(flow, "_postprocessing"):
        assert graph is None
        return
    state = np.ravel(flow.ic) * (1 + 0.1 * stream("test", name).standard_normal((5, flow.dimension)))
    close(evaluate(graph, 0.0, state, flat_parameters(flow)[1]), np.stack(flow._postprocessing(*state.T), -1))


def test_all_of_them_take_little_time():
    instances = {name: instance(name) for name in (*FLOWS, *DELAYS)}
    begin = time.process_time()
    graphs = [(trace_delay if name in DELAYS else trace_flow)(flow) for name, flow in instances.items()]
    print(f"{len(graphs)} right-hand sides traced in {time.process_time() - begin:.2f} s CPU")
    operations = sorted(g.operations for g in graphs)
    assert operations[len(operations) // 2] <= 14
    assert operations[-1] <= 170


@pytest.mark.parametrize("name", ["Lorenz", "MacArthur", "InteriorSquirmer", "BelousovZhabotinsky", "BickleyJet"])
def test_two_traces_are_the_same_program(name):
    assert repr(trace_flow(instance(name))) == repr(trace_flow(instance(name)))
    assert repr(trace_observation(instance(name))) == repr(trace_observation(instance(name)))


def test_nothing_is_left_behind():
    before = dict(vars(flows)), max, min, abs, dict(vars(np)), dict(vars(math))
    flow = instance("MacArthur")
    kept = dict(vars(flow))
    trace_flow(flow)

    class Broken(flows.Lorenz):
        def rhs(self, X, t):
            raise RuntimeError("no")

    with pytest.raises(ConfigError, match="RuntimeError: no"):
        trace_flow(Broken(metadata_path=None, metadata={"parameters": {"a": 1.0}, "dimension": 3}))
    after = dict(vars(flows)), builtins.max, builtins.min, builtins.abs, dict(vars(np)), dict(vars(math))
    assert all(a is b for x, y in zip(before, after, strict=True) for a, b in _pairs(x, y))
    assert flow.__dict__.keys() == kept.keys()
    assert all(flow.__dict__[k] is v for k, v in kept.items())


def _pairs(x, y):
    if not isinstance(x, dict):
        return [(x, y)]
    assert x.keys() == y.keys()
    return [(x[k], y[k]) for k in x]


# A user's own


def own(function, dim=2, n=1, **settings):
    """Trace a function of a test."""
    return trace(function, dim, n, name="mine", **settings)


@numba.njit
def _inner(x):
    return np.tanh(x) + max(x, 0.25)


FUNCTIONS = {
    "tuple": lambda t, x, p: (x[1], -p[0] * x[0]),
    "list with numbers": lambda t, x, p: [1, x[0] * p[0]],
    "array": lambda t, x, p: np.array([x[1], np.sin(t) - x[0]]),
    "array expression": lambda t, x, p: -x + p[0] * np.roll(x, 1) ** 3,
    "row": lambda t, x, p: np.array([[x[1], -x[0]]]),
    "math": lambda t, x, p: (math.sin(x[0]) + math.fabs(x[1]), math.atan2(x[0], x[1]) + math.pi),
    "builtins": lambda t, x, p: (max(x[0], x[1], 0.1), min(x) - abs(x[1])),
    "branch": lambda t, x, p: (np.where(x[0] > 0, x[1], 0.0), max(1, 2) * x[1]),
    "unpacked": lambda t, x, p: [a * q for a in x for q in p],
    "matrix": lambda t, x, p: np.array([[0.0, 1.0], [-1.0, 0.0]]) @ x,
    "compiled inside": lambda t, x, p: (_inner(x[0]), x[1]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_ones_own(name):
    function = FUNCTIONS[name]
    graph = own(function)
    for state in stream("test", name).standard_normal((5, 2)):
        close(evaluate(graph, 0.7, state, [1.3]), np.ravel(function(0.7, state, np.array([1.3]))))


def test_filling_an_array():
    def function(t, x, p):
        out = np.zeros(3)
        for i in range(3):
            out[i] = x[i] * i + np.ones(2)[1] + np.full(2, p[0])[0]
        return out

    graph = own(function, dim=3)
    close(evaluate(graph, 0.0, [1.0, 2.0, 3.0], [0.5]), function(0.0, np.array([1.0, 2.0, 3.0]), [0.5]))


def test_a_compiled_function_and_a_method():
    compiled = numba.njit(lambda t, x, p: (x[1], -p[0] * x[0]))
    assert own(compiled) == own(FUNCTIONS["tuple"])

    class Mine:
        stiffness = 2.0

        def slope(self, t, x, p):
            return x[1], -self.stiffness * p[0] * x[0]

    close(evaluate(own(Mine().slope), 0.0, [1.0, 2.0], [3.0]), [2.0, -6.0])


WRONG = {
    "too few": (lambda t, x, p: x[0], "function of mine returns 1 numbers, 2 are needed"),
    "too many": (lambda t, x, p: (*x, 1.0), "returns 3 numbers, 2 are needed"),
    "nothing": (lambda t, x, p: None, "returns None, which is no number"),
    "text": (lambda t, x, p: ("a", x[0]), "returns 'a'"),
    "if": (lambda t, x, p: x if x[0] > 0 else -x, "function of mine decides by the value"),
    "while": (lambda t, x, p: [x[0] for _ in iter(lambda: x[0] > 1, True)], "decides by the value"),
    "float": (lambda t, x, p: (float(x[0]), 1.0), "asks for the value"),
    "unknown function": (lambda t, x, p: np.arccosh(x), "function of mine calls a function that no graph has"),
    "index": (lambda t, x, p: (x[0], x[2]), "fails when it is traced: IndexError"),
    "unpacking": (lambda t, x, p: (lambda a: a)(*x), "fails when it is traced: TypeError"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_functions_say_so_in_one_sentence(name):
    function, message = WRONG[name]
    with pytest.raises(ConfigError, match=message) as caught:
        own(function)
    assert len(str(caught.value).splitlines()) == 1


def test_another_number_of_outputs():
    assert len(own(lambda t, x, p: (x[0], x[1], x[0] * x[1]), outputs=3).outputs) == 3
