"""Where a vector field jumps: its switches, the surfaces on which they change, and the field with switches held.

``sign``, ``heaviside``, ``less``, ``floor`` and ``mod`` take one of a few discrete values on each side of a surface.
With these values held as if they were parameters the field is continuous, which is what is needed at the surface
itself: the field on either side of the same point, and hence the saltation matrix. Kinks (``abs``, ``min``, ``max``)
are no switches: the field is continuous there and tangent vectors pass unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from strangecast.systems.derivatives import jacobian
from strangecast.systems.graph import Graph, Node
from strangecast.systems.symbols import Builder, Scalar, operate

SWITCHING = frozenset({"sign", "heaviside", "less", "floor", "mod"})
# What a switch is worth: -1 or 1, 0 or 1, or the whole number below.
BY_SIGN, BY_STEP, BY_FLOOR = range(3)


@dataclass(frozen=True)
class Switches:
    """The switches of a field, n of them, in an order in which none depends on a later one.

    Attributes:
        kinds: [n] of ``BY_SIGN``, ``BY_STEP``, ``BY_FLOOR``: the value of a switch from its level u. ``BY_SIGN``: 1 for
            u > 0, else -1. ``BY_STEP``: 1 for u > 0, else 0. ``BY_FLOOR``: the whole number below u.
        field: the right-hand side with P + n parameters, the last n the values of the switches.
        levels: u and its gradient, likewise with P + n parameters: n outputs, then n D.
    """

    kinds: tuple[int, ...]
    field: Graph
    levels: Graph


@lru_cache(maxsize=256)
def switches_of(graph: Graph) -> Switches | None:
    """The switches of a graph without lags, or None where its field is continuous as written."""
    numbers = [i for i, n in enumerate(graph.nodes) if n.op in SWITCHING]
    if not numbers:
        return None
    builder = Builder(graph.dim, graph.n_parameters + len(numbers))
    held = dict(zip(numbers, builder.parameters[graph.n_parameters :], strict=True))
    values: list[Scalar] = []
    kinds, levels = [], []
    for i, node in enumerate(graph.nodes):
        args = [values[a] for a in node.args]
        if i in held:
            kind, level, value = _switch(node, args, held[i])
            kinds.append(kind)
            levels.append(level)
            values.append(value)
        else:
            values.append(_plain(node, builder, args))
    field = builder.graph([values[o] for o in graph.outputs])
    bare = builder.graph(levels)
    gradients = jacobian(bare)
    both = Builder(graph.dim, builder.n_parameters)
    return Switches(tuple(kinds), field, both.graph(_run(bare, both) + _run(gradients, both)))


def _switch(node: Node, args: list[Scalar], held: Scalar) -> tuple[int, Scalar, Scalar]:
    """Kind, level, and the node's value given the switch's."""
    if node.op == "sign":
        return BY_SIGN, args[0], held
    if node.op == "heaviside":
        return BY_STEP, args[0], held
    if node.op == "less":
        return BY_STEP, operate("sub", args[1], args[0]), held
    if node.op == "floor":
        return BY_FLOOR, args[0], held
    return BY_FLOOR, operate("div", *args), operate("sub", args[0], operate("mul", args[1], held))


def _plain(node: Node, builder: Builder, args: list[Scalar]) -> Scalar:
    leaves: dict[str, Callable[[], Scalar]] = {
        "constant": lambda: node.value,
        "time": lambda: builder.time,
        "state": lambda: builder.state[node.value],
        "parameter": lambda: builder.parameters[node.value],
    }
    return leaves[node.op]() if node.op in leaves else operate(node.op, *args, value=node.value)


def _run(graph: Graph, builder: Builder) -> list[Scalar]:
    from strangecast.systems.symbols import apply

    return apply(graph, builder.time, builder.state, builder.parameters)
