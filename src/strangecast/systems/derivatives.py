"""Exact derivatives of graphs, as graphs: forward mode, operation by operation.

Only derivatives that can differ from zero are carried, so a Jacobian costs what its filled entries cost. Where a
function has a kink or a jump, the derivative is the one that holds almost everywhere: that of ``abs`` is the sign, of
``sign``, ``floor``, ``heaviside`` and comparisons zero, of ``min``, ``max`` and ``where`` that of the chosen branch. The
jumps themselves are not seen: exponents of such flows need more than this (``Graph.smooth`` tells).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from strangecast.core.errors import ConfigError
from strangecast.systems.graph import KINKS, LEAVES, Graph, Node
from strangecast.systems.symbols import Builder, Scalar, apply, less, operate, where

Tangent = dict[Any, Scalar]  # derivative by what; what is missing is zero


def jacobian(graph: Graph) -> Graph:
    """Derivatives by the state: D' * D outputs, ``[o * D + j]`` that of output o by coordinate j.

    Delayed coordinates are held fixed.
    """
    return _matrix(graph, "state", graph.dim)


def parameter_jacobian(graph: Graph) -> Graph:
    """Derivatives by the parameters: D' * P outputs, ``[o * P + j]`` that of output o by parameter j.

    Raises:
        ConfigError: a parameter is, or changes, a lag.
    """
    return _matrix(graph, "parameter", graph.n_parameters)


def divergence(graph: Graph) -> Graph:
    """One output, the trace of the Jacobian: the rate at which volumes grow."""
    builder, _, tangents = _forward(graph, "state")
    total: Scalar = 0.0
    for i, o in enumerate(graph.outputs):
        total = operate("add", total, tangents[o].get(i, 0.0))
    return builder.graph([total])


def tangent(graph: Graph, k: int) -> Graph:
    """The flow together with k tangent vectors, a graph of dimension D (1 + k).

    Coordinates D (1 + j) to D (2 + j) hold tangent vector j, whose derivative is the Jacobian times it; with delays,
    the past of a tangent vector is read as the past of the state is. Of the two ways to compute it (vector by vector,
    or the Jacobian once and its products) the one with fewer operations is taken.

    Args:
        graph: of D outputs.
        k: number of tangent vectors, at least 1.
    """
    if len(graph.outputs) != graph.dim or k < 1:
        raise ConfigError(f"tangent dynamics need D = {graph.dim} outputs and k >= 1, found {len(graph.outputs)}, {k}")
    found = [_by_vectors(graph, k)] if graph.lags else [_by_jacobian(graph, k), _by_vectors(graph, k)]
    return min(found, key=lambda g: g.operations)


def _matrix(graph: Graph, by: str, columns: int) -> Graph:
    builder, _, tangents = _forward(graph, by)
    return builder.graph([tangents[o].get(j, 0.0) for o in graph.outputs for j in range(columns)])


def _by_jacobian(graph: Graph, k: int) -> Graph:
    d = graph.dim
    builder = Builder(d * (1 + k), graph.n_parameters)
    matrix = jacobian(graph)
    entries = apply(matrix, builder.time, builder.state[:d], builder.parameters)
    outputs = apply(graph, builder.time, builder.state[:d], builder.parameters)
    for j in range(1, 1 + k):
        vector = builder.state[d * j : d * (1 + j)]
        for i in range(d):
            filled = [(entries[i * d + m], vector[m]) for m in range(d) if not _zero(matrix, i * d + m)]
            outputs.append(_sum([operate("mul", a, v) for a, v in filled]))
    return builder.graph(outputs)


def _by_vectors(graph: Graph, k: int) -> Graph:
    d = graph.dim
    builder = Builder(d * (1 + k), graph.n_parameters)

    def seed(node: Node, lag: Scalar | None) -> Tangent:
        if node.op == "state":
            return {j: builder.state[d * (1 + j) + node.value] for j in range(k)}
        if node.op == "delayed":
            return {j: builder.delayed(d * (1 + j) + node.value, lag) for j in range(k)}
        return {}

    values, tangents = _carry(graph, builder, builder.state[:d], seed)
    outputs = [values[o] for o in graph.outputs]
    return builder.graph(outputs + [tangents[o].get(j, 0.0) for j in range(k) for o in graph.outputs])


def _forward(graph: Graph, by: str) -> tuple[Builder, list[Scalar], list[Tangent]]:
    """Values of all nodes, and their derivatives by each ``state`` or ``parameter``."""
    builder = Builder(graph.dim, graph.n_parameters)
    values, tangents = _carry(
        graph, builder, builder.state, lambda node, lag: {node.value: 1.0} if node.op == by else {}
    )
    return builder, values, tangents


def _carry(
    graph: Graph, builder: Builder, state: Sequence[Scalar], seed: Callable[[Node, Scalar | None], Tangent]
) -> tuple[list[Scalar], list[Tangent]]:
    """Run a graph in a builder with derivatives along: ``seed(leaf, lag)`` gives those of the leaves."""
    values: list[Scalar] = []
    tangents: list[Tangent] = []
    kinked: list[bool] = []  # whether a node stands behind a kink
    for node in graph.nodes:
        args = [values[a] for a in node.args]
        kinked.append(node.op in KINKS or any(kinked[a] for a in node.args))
        if node.op in LEAVES:
            if node.op == "delayed" and tangents[node.args[0]]:
                raise ConfigError("the derivative by what a lag depends on is not a graph of the delayed state")
            values.append(_leaf(node, builder, state, args))
            tangents.append(seed(node, args[0] if args else None))
            continue
        value = operate(node.op, *args, value=node.value)
        values.append(value)
        inner = [tangents[a] for a in node.args]
        rule = _RULES.get(node.op)
        seeds = dict.fromkeys(s for t in inner for s in t) if rule else {}
        found = {s: rule(value, args, [t.get(s) for t in inner]) for s in seeds}
        if node.op in ("sqrt", "pow") and kinked[node.args[0]]:
            found = {s: _guarded(d, inner[0].get(s), value) for s, d in found.items()}
        tangents.append({s: d for s, d in found.items() if d is not None})
    return values, tangents


def _leaf(node: Node, builder: Builder, state: Sequence[Scalar], args: list[Scalar]) -> Scalar:
    if node.op == "constant":
        return node.value
    if node.op == "time":
        return builder.time
    if node.op == "delayed":
        return builder.delayed(node.value, args[0])
    return (state if node.op == "state" else builder.parameters)[node.value]


def _guarded(derivative: Scalar, inner: Scalar | None, value: Scalar) -> Scalar:
    """Zero where the inner derivative is: the root of max(0, x) is constant below zero, not 0 times infinity there."""
    return derivative if inner is None else where(inner, derivative, 0.0)


def _zero(graph: Graph, output: int) -> bool:
    node = graph.nodes[graph.outputs[output]]
    return node.op == "constant" and node.value == 0.0


def _sum(terms: Sequence[Scalar | None]) -> Scalar | None:
    total: Scalar | None = None
    for term in terms:
        if term is not None:
            total = term if total is None else operate("add", total, term)
    return 0.0 if total is None else total


# Rules: value of the operation, its arguments, and their derivatives (None: zero). At least one is not None.
Rule = Callable[[Scalar, list[Scalar], list[Scalar | None]], Scalar | None]


def _times(derivative: Scalar | None, factor: Scalar) -> Scalar | None:
    return None if derivative is None else operate("mul", derivative, factor)


def _minus(derivative: Scalar | None) -> Scalar | None:
    return None if derivative is None else operate("neg", derivative)


def _chain(factor: Callable[[Scalar, Scalar], Scalar]) -> Rule:
    """The rule of a function of one variable from its derivative ``factor(argument, value)``."""
    return lambda value, args, d: operate("mul", d[0], factor(args[0], value))


def _over(divisor: Callable[[Scalar, Scalar], Scalar]) -> Rule:
    """The same from one over its derivative."""
    return lambda value, args, d: operate("div", d[0], divisor(args[0], value))


def _div(value: Scalar, args: list[Scalar], d: list[Scalar | None]) -> Scalar:
    return operate("div", _sum([d[0], _minus(_times(d[1], value))]), args[1])


def _pow(value: Scalar, args: list[Scalar], d: list[Scalar | None]) -> Scalar:
    a, b = args
    by_base = None if d[0] is None else _times(_times(d[0], operate("pow", a, operate("sub", b, 1.0))), b)
    # The exponent's part is zero at base 0 and has no meaning below.
    by_exponent = None if d[1] is None else where(less(0.0, a), _times(_times(d[1], operate("log", a)), value), 0.0)
    return _sum([by_base, by_exponent])


def _arctan2(value: Scalar, args: list[Scalar], d: list[Scalar | None]) -> Scalar:
    y, x = args
    return operate("div", _sum([_times(d[0], x), _minus(_times(d[1], y))]), x * x + y * y)


def _mod(value: Scalar, args: list[Scalar], d: list[Scalar | None]) -> Scalar:
    turns = None if d[1] is None else operate("floor", operate("div", *args))
    return _sum([d[0], None if d[1] is None else _minus(_times(d[1], turns))])


def _branch(condition: Callable[[list[Scalar]], Scalar], first: int) -> Rule:
    """The derivative of argument ``first`` where the condition holds, of the one after it elsewhere."""

    def rule(value: Scalar, args: list[Scalar], d: list[Scalar | None]) -> Scalar | None:
        chosen = [0.0 if x is None else x for x in d[first : first + 2]]
        return where(condition(args), *chosen)

    return rule


_RULES: dict[str, Rule] = {
    "neg": lambda value, args, d: _minus(d[0]),
    "add": lambda value, args, d: _sum(d),
    "sub": lambda value, args, d: _sum([d[0], _minus(d[1])]),
    "mul": lambda value, args, d: _sum([_times(d[0], args[1]), _times(d[1], args[0])]),
    "div": _div,
    "pow": _pow,
    "sqrt": _over(lambda x, root: operate("mul", 2.0, root)),
    "exp": _chain(lambda x, y: y),
    "log": _over(lambda x, y: x),
    "sin": _chain(lambda x, y: operate("cos", x)),
    "cos": _chain(lambda x, y: operate("neg", operate("sin", x))),
    "tan": _chain(lambda x, y: 1.0 + y * y),
    "sinh": _chain(lambda x, y: operate("cosh", x)),
    "cosh": _chain(lambda x, y: operate("sinh", x)),
    "tanh": _chain(lambda x, y: 1.0 - y * y),
    "arcsin": _over(lambda x, y: operate("sqrt", 1.0 - x * x)),
    "arccos": _over(lambda x, y: operate("neg", operate("sqrt", 1.0 - x * x))),
    "arctan": _over(lambda x, y: 1.0 + x * x),
    "abs": _chain(lambda x, y: operate("sign", x)),
    "arctan2": _arctan2,
    "mod": _mod,
    "min": _branch(lambda args: operate("sub", 1.0, less(args[1], args[0])), 0),
    "max": _branch(lambda args: operate("sub", 1.0, less(args[0], args[1])), 0),
    "where": _branch(lambda args: args[0], 1),
}
