"""Right-hand sides as graphs of scalar operations: the single source of every other form of a vector field.

A graph is a straight-line program: its nodes stand in an order in which arguments come before their use, equal nodes
exist once, and the outputs are the D time derivatives (or any other D' numbers). Compiled kernels, torch steppers,
Jacobians, tangent dynamics and skew products are all made from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Leaves. `delayed` has the lag as its argument and the number of the coordinate as its value.
LEAVES = ("constant", "time", "state", "parameter", "delayed")
UNARY = (
    "neg", "sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan",
    "abs", "sign", "floor", "heaviside",
)  # fmt: skip
# `less` is 1.0 or 0.0; `mod` has the sign of the divisor, as in Python.
BINARY = ("add", "sub", "mul", "div", "pow", "min", "max", "arctan2", "mod", "less")
OPERATIONS = (*LEAVES, *UNARY, *BINARY, "where")
# A graph with one of these has a kink or a jump: tangent dynamics alone do not give its exponents.
KINKS = frozenset({"abs", "sign", "floor", "heaviside", "min", "max", "mod", "less", "where"})


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        op: of ``OPERATIONS``.
        args: numbers of earlier nodes; ``where`` has condition, value if not zero, value if zero.
        value: of a constant; number of a state coordinate, delayed coordinate or parameter; of ``heaviside`` at zero.
    """

    op: str
    args: tuple[int, ...] = ()
    value: float | int | None = None


@dataclass(frozen=True)
class Graph:
    """``outputs = f(t, state [D], parameters [P])``.

    Attributes:
        nodes: arguments before use, no node twice, none that no output needs.
        outputs: numbers of nodes.
        dim: D.
        n_parameters: P.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    dim: int
    n_parameters: int

    @property
    def smooth(self) -> bool:
        """Whether no operation has a kink or a jump."""
        return not any(n.op in KINKS for n in self.nodes)

    @property
    def autonomous(self) -> bool:
        """Whether time is not read."""
        return not any(n.op == "time" for n in self.nodes)

    @property
    def lags(self) -> tuple[int, ...]:
        """Nodes that are lags of delayed coordinates; empty for ordinary differential equations."""
        return tuple(dict.fromkeys(n.args[0] for n in self.nodes if n.op == "delayed"))

    @property
    def operations(self) -> int:
        """Number of operations, leaves not counted."""
        return sum(n.op not in LEAVES for n in self.nodes)


_NUMPY = {
    "neg": np.negative, "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power,
    "min": np.minimum, "max": np.maximum, "abs": np.abs,
}  # fmt: skip


def evaluate(graph: Graph, t: float, state: np.ndarray, parameters: np.ndarray, delayed=None) -> np.ndarray:
    """The outputs [..., D'] by NumPy, node by node: what every other form is tested against.

    Args:
        graph: the program.
        t: time.
        state: [..., D].
        parameters: [P] or [..., P].
        delayed: ``delayed(i, lag) -> [...]``, coordinate i at ``t - lag``; only where the graph has lags.
    """
    state, parameters = np.asarray(state, np.float64), np.asarray(parameters, np.float64)
    values: list[np.ndarray] = []
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            values.append(_apply(node, [values[a] for a in node.args], t, state, parameters, delayed))
    shape = np.broadcast_shapes(state.shape[:-1], parameters.shape[:-1])
    return np.stack([np.broadcast_to(values[o], shape) for o in graph.outputs], axis=-1).astype(np.float64)


def _apply(node: Node, args: list, t: float, state: np.ndarray, parameters: np.ndarray, delayed):
    if node.op == "constant":
        return np.float64(node.value)
    if node.op == "time":
        return np.float64(t)
    if node.op == "state":
        return state[..., node.value]
    if node.op == "parameter":
        return parameters[..., node.value]
    if node.op == "delayed":
        return delayed(node.value, args[0])
    if node.op == "heaviside":
        return np.heaviside(args[0], node.value)
    if node.op == "less":
        return np.less(*args).astype(np.float64)
    if node.op == "where":
        return np.where(args[0] != 0, args[1], args[2])
    return (_NUMPY.get(node.op) or getattr(np, node.op))(*args)
