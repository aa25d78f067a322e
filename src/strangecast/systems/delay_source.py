"""The right-hand side of a delay equation as a compiled scalar function, from its graph.

The source is written node by node, one local variable each, and compiled in this process; the solver that calls it is
generic and cached on disk.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from strangecast.systems.graph import Graph, Node

_CALLS = {
    "sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arctan2",
    "sign", "floor",
}  # fmt: skip
_TEXT = {
    "neg": "-{0}", "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "div": "{0} / {1}",
    "pow": "{0} ** {1}", "mod": "np.mod({0}, {1})", "abs": "abs({0})", "less": "1.0 if {0} < {1} else 0.0",
    "min": "np.minimum({0}, {1})", "max": "np.maximum({0}, {1})", "where": "{1} if {0} != 0.0 else {2}",
}  # fmt: skip


def delayed_nodes(graph: Graph) -> list[Node]:
    """The delayed coordinates in the order in which the compiled function reads them."""
    return [n for n in graph.nodes if n.op == "delayed"]


def source(graph: Graph) -> str:
    """Python text of ``field(t, state [D], parameters [P], past [number of delayed nodes], slope [D])``."""
    lines = ["def field(t, state, parameters, past, slope):"]
    seen = 0
    for i, node in enumerate(graph.nodes):
        lines.append(f"    v{i} = {_text(node, seen)}")
        seen += node.op == "delayed"
    lines += [f"    slope[{i}] = v{o}" for i, o in enumerate(graph.outputs)]
    return "\n".join(lines) + "\n"


def _text(node: Node, seen: int) -> str:
    names = [f"v{a}" for a in node.args]
    if node.op == "constant":
        value = float(node.value)
        return repr(value) if np.isfinite(value) else f"np.{value!r}".replace("np.-", "-np.")
    if node.op == "time":
        return "t"
    if node.op in ("state", "parameter"):
        return f"{'state' if node.op == 'state' else 'parameters'}[{node.value}]"
    if node.op == "delayed":
        return f"past[{seen}]"
    if node.op == "heaviside":
        return f"1.0 if {names[0]} > 0.0 else (0.0 if {names[0]} < 0.0 else {float(node.value)!r} + 0.0 * {names[0]})"
    if node.op in _CALLS:
        return f"np.{node.op}({', '.join(names)})"
    return _TEXT[node.op].format(*names)


@lru_cache(maxsize=512)
def compiled_field(graph: Graph) -> Any:
    """The function of :func:`source`, compiled, as the solver takes it."""
    import numba
    from numba import types

    row = types.float64[::1]
    namespace: dict[str, Any] = {"np": np}
    exec(compile(source(graph), "<right-hand side>", "exec"), namespace)
    signature = types.void(types.float64, row, row, row, row)
    return numba.cfunc(signature, error_model="numpy")(namespace["field"])
