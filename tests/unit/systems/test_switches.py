"""The switches of fields that jump."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.systems.graph import evaluate
from strangecast.systems.switches import BY_FLOOR, BY_SIGN, BY_STEP, switches_of
from strangecast.systems.symbols import Builder


def graph_of(slopes, dim=2, n_parameters=1):
    b = Builder(dim, n_parameters)
    return b.graph(slopes(b, *b.state))


CASES = {
    "sign": (lambda b, x, y: [y, b.add("sign", (x - b.parameters[0],)) * y], BY_SIGN, lambda x, y, p: x - p, [1, 0]),
    "heaviside": (lambda b, x, y: [y, b.add("heaviside", (x * y,), 0.5) - x], BY_STEP, lambda x, y, p: x * y, None),
    "less": (lambda b, x, y: [b.add("less", (x, y)), x + y], BY_STEP, lambda x, y, p: y - x, [-1, 1]),
    "floor": (lambda b, x, y: [b.add("floor", (2 * x,)), y], BY_FLOOR, lambda x, y, p: 2 * x, [2, 0]),
    "mod": (lambda b, x, y: [b.add("mod", (x, b.parameters[0])), y], BY_FLOOR, lambda x, y, p: x / p, None),
}


@pytest.mark.parametrize("name", CASES)
def test_levels_and_the_field_with_switches_held(name):
    slopes, kind, level, gradient = CASES[name]
    graph = graph_of(slopes)
    found = switches_of(graph)
    assert found.kinds == (kind,)
    for x, y in [(1.3, 0.4), (-0.7, 0.2), (0.6, -1.9), (2.4, 2.6)]:
        p, u = 0.8, level(x, y, 0.8)
        value = {BY_SIGN: np.sign(u), BY_STEP: float(u > 0), BY_FLOOR: np.floor(u)}[kind]
        state, held = np.array([x, y]), np.array([p, value])
        levels = evaluate(found.levels, 0.0, state, held)
        assert levels[0] == pytest.approx(u)
        if gradient:
            np.testing.assert_allclose(levels[1:], gradient)
        plain = evaluate(graph, 0.0, state, held[:1])
        np.testing.assert_allclose(evaluate(found.field, 0.0, state, held), plain)


def test_kinks_are_no_switches():
    assert switches_of(graph_of(lambda b, x, y: [b.add("abs", (x,)), b.add("max", (x, y))])) is None


def test_switches_inside_switches():
    # sign(y + sign(x)): the level of the second depends on the value of the first.
    graph = graph_of(lambda b, x, y: [b.add("sign", (y + b.add("sign", (x,)),)), x])
    found = switches_of(graph)
    assert found.kinds == (BY_SIGN, BY_SIGN)
    levels = evaluate(found.levels, 0.0, np.array([2.0, 0.5]), np.array([0.8, -1.0, 1.0]))
    np.testing.assert_allclose(levels, [2.0, -0.5, 1.0, 0.0, 0.0, 1.0])
