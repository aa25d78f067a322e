"""Right-hand sides the tests of lanes share: smooth, transcendental, with kinks and jumps, driven, large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strangecast.systems.graph import BINARY, UNARY, Graph, Node
from strangecast.systems.tracing import trace


@dataclass(frozen=True)
class Case:
    """A graph with parameters, a state to start from and a typical time."""

    graph: Graph
    parameters: np.ndarray
    state: np.ndarray
    period: float


def case(function, state, parameters, period) -> Case:
    """Trace ``function(t, y, p)``."""
    state, parameters = np.array(state, float), np.array(parameters, float)
    return Case(trace(function, len(state), len(parameters)), parameters, state, period)


def starts(one: Case, count: int, seed: int = 0) -> np.ndarray:
    """[count, D] states around the case's."""
    return one.state * (1 + 0.05 * np.random.default_rng(seed).standard_normal((count, len(one.state))))


def _oscillator(t, y, p):
    return [y[1], -p[0] * p[0] * y[0]]


def _lorenz(t, y, p):
    return [p[0] * (y[1] - y[0]), y[0] * (p[1] - y[2]) - y[1], y[0] * y[1] - p[2] * y[2]]


def _rossler(t, y, p):
    return [-y[1] - y[2], y[0] + p[0] * y[1], p[1] + y[2] * (y[0] - p[2])]


def _pendulum(t, y, p):
    return [y[1], -p[0] * y[1] - np.sin(y[0]) + p[1] * np.cos(p[2] * t)]


def _network(t, y, p):
    return [
        np.tanh(p[0] * y[1]) - y[0],
        np.exp(-(y[0] ** 2)) / (1 + np.sinh(y[2]) ** 2) - p[1] * y[1],
        np.arctan(y[0] * y[1]) + np.log(1 + y[2] ** 2) - p[2] * y[2] ** 3 + np.abs(p[0]) ** 1.7 * np.sin(2 * t),
    ]


def _friction(t, y, p):
    drive = p[1] * np.cos(y[2])
    return [y[1], -y[0] + np.minimum(np.maximum(y[0], -0.5), 0.5) - p[0] * np.sign(y[1]) * np.abs(y[1]) + drive, p[2]]


def _ring(t, y, p):
    return [(y[(i + 1) % 10] - y[i - 2]) * y[i - 1] - y[i] + p[0] for i in range(10)]


CASES = {
    "oscillator": case(_oscillator, [1.0, 0.0], [1.0], 2 * np.pi),
    "lorenz": case(_lorenz, [-9.8, -9.1, 28.6], [10.0, 28.0, 8 / 3], 1.5),
    "rossler": case(_rossler, [6.5, 0.1, 0.1], [0.2, 0.2, 5.7], 5.9),
    "pendulum": case(_pendulum, [0.4, 0.1], [0.5, 1.15, 2 / 3], 9.4),
    "network": case(_network, [0.5, 0.2, -0.4], [1.3, 0.7, 0.9], 3.1),
    "friction": case(_friction, [0.3, 0.8, 0.0], [0.2, 1.1, 1.3], 4.8),
    "ring": case(_ring, [8.01, 8, 8, 7.9, 8, 8, 8.2, 8, 8, 8], [8.0], 1.0),
}


def every_operation() -> Graph:
    """Three coordinates, two parameters, and an output for every operation, of arguments that move and that do not."""
    nodes = [Node("state", (), i) for i in range(3)] + [Node("parameter", (), i) for i in range(2)]
    nodes += [Node("time"), Node("constant", (), 0.37), Node("constant", (), -1.5)]
    x, y, z, p, q, t, c, m = range(len(nodes))
    outputs = []

    def add(op, args, value=None):
        nodes.append(Node(op, tuple(args), value))
        outputs.append(len(nodes) - 1)
        return outputs[-1]

    for op in UNARY:
        for a in (x, p, t):
            add(op, (a,), 0.25 if op == "heaviside" else None)
    for op in BINARY:
        for pair in ((x, y), (x, p), (p, x), (p, q), (z, c), (c, z), (y, m), (t, x)):
            add(op, pair)
    add("where", (x, y, z))
    add("where", (p, x, q))
    add("where", (add("less", (x, y)), z, p))
    # Products inside sums, once and twice used, on both sides.
    product, shared = add("mul", (x, y)), add("mul", (y, z))
    outputs.remove(product)
    for op in ("add", "sub"):
        only = len(nodes)
        nodes.append(Node("mul", (x, z)))
        add(op, (only, y))
        only = len(nodes)
        nodes.append(Node("mul", (y, y)))
        add(op, (p, only))
        add(op, (shared, shared))
        add(op, (shared, z))
    add("add", (product, z))
    outputs.extend((x, p, c))
    return Graph(tuple(nodes), tuple(outputs), 3, 2)
