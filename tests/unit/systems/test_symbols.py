"""Symbols compute what floats compute, and refuse what a graph cannot hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.systems.graph import BINARY, UNARY, evaluate
from strangecast.systems.symbol_arrays import symbol_array
from strangecast.systems.symbols import Builder, apply, less, maximum, minimum, operate, where

STATE, PARAMETERS = np.array([0.3, 0.5, -0.7]), np.array([1.5, 2.0])


def of(function, state=STATE, parameters=PARAMETERS, t=0.0):
    """What a function of (state, parameters) gives by way of a graph."""
    builder = Builder(len(state), len(parameters))
    out = function(symbol_array(builder.state), symbol_array(builder.parameters))
    graph = builder.graph(np.ravel(np.array(out, dtype=object)))
    return evaluate(graph, t, state, parameters)


EXPRESSIONS = {
    "arithmetic": lambda x, p: x[0] * 2 - 3 / x[1] + (-x[2]) ** 2 - +x[0],
    "reflected": lambda x, p: 2 - x[0] + 2 * x[1] / 4 + 1.5**x,
    "scalars of numpy": lambda x, p: np.float64(2.0) * x[0] + np.int64(3) - np.float32(0.5) * x[1],
    "modulo": lambda x, p: [x[2] % 0.4, x[2] // 0.4, np.mod(x, p[0])[2]],
    "powers": lambda x, p: [x[0] ** n for n in (0, 1, 2, 3, 7, 16, 17, -1, -3, 0.5, -0.5, 1.25)],
    "power of symbols": lambda x, p: x[:2] ** p,
    "functions": lambda x, p: [np.exp(x), np.sin(x), np.cos(x), np.tan(x), np.sinh(x), np.cosh(x), np.tanh(x)],
    "inverse functions": lambda x, p: [np.arcsin(x), np.arccos(x), np.arctan(x), np.arctan2(x, x[::-1])],
    "roots and logarithms": lambda x, p: [np.sqrt(p), np.log(p), np.log2(p), np.log10(p), np.log1p(p), np.hypot(*p)],
    "exponentials": lambda x, p: [np.expm1(x), np.exp2(x), np.reciprocal(x), np.square(x), np.radians(x)],
    "kinks": lambda x, p: [abs(x[2]), np.sign(x), np.floor(x), np.ceil(x), np.heaviside(x, 0.5), np.fabs(x)],
    "least and greatest": lambda x, p: [np.minimum(x, 0.1), np.maximum(x[0], x[1]), np.clip(x, -0.1, 0.4)],
    "branches": lambda x, p: [np.where(x > 0, x, 2 * x), np.where(x <= 0.3, 1, 0), np.where(x >= 0.3, 1, 0)],
    "both": lambda x, p: [np.where((x > 0) & (x < 0.4), 1, 0), np.where((x < 0) | ~(x > 0.4), 1, 0)],
    "sums": lambda x, p: [np.sum(x), x.sum(), np.prod(x), np.mean(x), np.sum(x * x, keepdims=True)[0]],
    "extremes": lambda x, p: [np.min(x), x.max(), np.max(np.outer(x, x), axis=1)[1], np.min(np.outer(x, x))],
    "products": lambda x, p: [np.dot(x, x), np.arange(9).reshape(3, 3) @ x, x @ np.ones((3, 2)), np.inner(x, x)],
    "outer": lambda x, p: [np.outer(x, x)[1], np.multiply.outer(x, p)[2, 1], np.einsum("i,i", x, x), np.cross(x, x)],
    "rearranged": lambda x, p: [np.roll(x, 1), x[::-1], np.stack([x, x])[1], np.concatenate([x, p])[3], np.diff(x)],
    "scanned": lambda x, p: [np.cumsum(x)[2], np.cumprod(x)[1], np.linalg.norm(x)],
    "arrays of scalars": lambda x, p: [np.sin(np.array([x[0], x[1]])), np.array([x[0], 1.0]) * x[1]],
    "stacked scalars": lambda x, p: np.stack([x[0], p[1], x[2]]),
    "like the state": lambda x, p: np.zeros_like(x) + x[0],
    "math's rounding": lambda x, p: [math.floor(x[2]), math.ceil(x[2])],
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_symbols_compute_what_floats_compute(name):
    function = EXPRESSIONS[name]
    parts = function(STATE.copy(), PARAMETERS.copy())
    expected = np.concatenate([np.ravel(np.asarray(p, float)) for p in (parts if isinstance(parts, list) else [parts])])
    found = of(lambda x, p: np.concatenate([np.ravel(np.array(q, dtype=object)) for q in _listed(function(x, p))]))
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-16)


def _listed(parts):
    return parts if isinstance(parts, list) else [parts]


def test_in_place_operations():
    def function(x, p):
        total = x[0]
        total += x[1]
        total *= 2
        row = x * 1.0
        row *= p[0]
        row[0] += 1
        return [total, *row]

    np.testing.assert_allclose(of(function), function(STATE.copy(), PARAMETERS))


REFUSED = {
    "if": (lambda x: 1 if x[0] else 2, "decides by the value"),
    "comparison in if": (lambda x: 1 if x[0] > 0 else 2, "decides by the value"),
    "and": (lambda x: x[0] and x[1], "decides by the value"),
    "equality": (lambda x: x[0] == 1.0, "decides by the value"),
    "membership": (lambda x: x[0] in [1.0, 2.0], "decides by the value"),
    "builtin max": (lambda x: max(x[0], 0), "decides by the value"),
    "argmax": (lambda x: np.argmax(x), "decides by the value"),
    "sort": (lambda x: np.sort(x), "decides by the value"),
    "where without values": (lambda x: np.where(x > 0), "decides by the value"),
    "float": (lambda x: float(x[0]), "asks for the value"),
    "index": (lambda x: [1, 2, 3][x[0]], "asks for the value"),
    "math": (lambda x: math.sin(x[0]), "asks for the value"),
    "array of floats": (lambda x: np.zeros(3).__setitem__(0, x[0]), "asks for the value"),
    "out": (lambda x: np.add(x, 1, out=np.zeros(3)), "array of floats"),
    "unknown function": (lambda x: np.arccosh(x), "no function 'arccosh'"),
    "text": (lambda x: x[0] + "1", "no real number"),
    "complex": (lambda x: x[0] + 1j, "no real number"),
    "where=": (lambda x: np.sum(x, where=[True, False, True]), "where="),
    "heaviside": (lambda x: np.heaviside(x, x), "np.heaviside"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_graph_holds_is_refused(name):
    function, message = REFUSED[name]
    with pytest.raises(ConfigError, match=message):
        function(symbol_array(Builder(3, 0).state))


def test_equal_operations_exist_once():
    builder = Builder(2, 0)
    x, y = builder.state
    graph = builder.graph([x * y + y * x, np.sin(x) + np.sin(x)])
    assert sorted(n.op for n in graph.nodes) == ["add", "add", "mul", "sin", "state", "state"]


def test_what_no_output_needs_is_left_out():
    builder = Builder(2, 3)
    np.exp(builder.parameters[1])
    graph = builder.graph([builder.state[1] * 2])
    assert [n.op for n in graph.nodes] == ["state", "constant", "mul"]
    assert (graph.dim, graph.n_parameters) == (2, 3)


def test_rewriting():
    builder = Builder(2, 0)
    x, y = builder.state
    for short, wanted in (
        (x + 0, x), (0 + x, x), (x - 0, x), (1 * x, x), (x / 1, x), (np.negative(-x), x), (x**1, x), (0 - x, -x), (-1 * x, -x),
        (x + -y, x - y), (x - -y, x + y), (-x + y, y - x), (-x * -y, x * y), (-x * y, -(x * y)), (-x / y, -(x / y)),
        (x / 4, x * 0.25), (x**2, x * x), (x**0.5, np.sqrt(x)), (x**-1, 1 / x), (where(1.0, x, y), x),
    ):  # fmt: skip
        assert short.number == wanted.number
    assert x**0 == 1.0
    assert operate("mul", 3.0, 4.0) == 12.0


def test_zero_times_a_symbol_is_not_zero():
    found = of(lambda x, p: [0 * x[0], x[1] - x[1]], state=np.array([math.nan, math.inf]))
    assert np.isnan(found).all()


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_every_operation_folds_as_it_evaluates(a, b):
    builder = Builder(2, 0)
    for op in (*UNARY, *BINARY):
        args, symbols = ((a,), builder.state[:1]) if op in UNARY else ((a, b), builder.state)
        value = 0.5 if op == "heaviside" else None
        graph = builder.graph([builder.add(op, symbols, value)])
        folded = operate(op, *args, value=value)
        np.testing.assert_equal(folded, evaluate(graph, 0.0, np.array([a, b]), np.zeros(0))[0])


def test_explicit_choices():
    x = [0.3, -0.4]
    found = of(lambda s, p: [less(s[0], s[1]), less(s[1], s[0]), minimum(*s), maximum(*s)], state=np.array(x))
    np.testing.assert_array_equal(found, [0, 1, -0.4, 0.3])


def test_a_graph_of_other_symbols():
    inner = Builder(2, 1)
    (x, y), (p,) = inner.state, inner.parameters
    graph = inner.graph([x * y + np.sin(inner.time), p * y / 2])
    outer = Builder(3, 2)
    outputs = apply(graph, 2 * outer.time, [outer.state[2], outer.state[0] ** 2], [outer.parameters[1]])
    found = evaluate(outer.graph(outputs), 0.2, STATE, PARAMETERS)
    expected = evaluate(graph, 0.4, np.array([STATE[2], STATE[0] ** 2]), PARAMETERS[1:])
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    numbers = apply(graph, 0.4, [STATE[2], STATE[0] ** 2], [PARAMETERS[1]])
    np.testing.assert_allclose(numbers, expected, rtol=1e-15)


def test_a_graph_of_the_wrong_symbols():
    builder = Builder(2, 0)
    graph = builder.graph([builder.delayed(0, 1.0)])
    with pytest.raises(ConfigError, match="was given 1 and 0"):
        apply(graph, 0.0, [1.0], [])
    with pytest.raises(ConfigError, match="delayed coordinates"):
        apply(graph, 0.0, [1.0, 2.0], [])
    assert apply(graph, 0.0, [1.0, 2.0], [], lambda i, lag: 10 * i + lag) == [1.0]


def test_two_traces_do_not_mix():
    with pytest.raises(ConfigError, match="two different traces"):
        Builder(1, 0).state[0] + Builder(1, 0).state[0]


def test_random_programs_agree_with_numpy():
    rng = stream("test", "symbols")
    for _ in range(50):
        picks = rng.integers(0, 6, size=30)
        pairs = rng.integers(0, 3, size=(30, 2))

        def program(x, p, picks=picks, pairs=pairs):
            known = [x[0], x[1], x[2]]
            for pick, (i, j) in zip(picks, pairs + np.arange(30)[:, None], strict=True):
                a, b = known[i], known[j]
                known.append([a + b, a - b, -a * b, np.tanh(a), np.where(a < b, a, 0.5 * b), np.maximum(a, -b)][pick])
            return known[-3:]

        np.testing.assert_allclose(of(program), np.array(program(STATE, None)), rtol=1e-12, atol=1e-14)
