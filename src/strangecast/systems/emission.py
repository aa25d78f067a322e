"""Graphs as Python functions: straight-line code, one line per operation, for numbers, arrays or tensors.

The text holds nothing but names made here and constants of the graph; it is compiled, never evaluated, and the
function is made from its code object.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import CodeType, FunctionType
from typing import Any

from strangecast.systems.graph import Graph, Node

_ARITHMETIC = {
    "neg": "-{0}", "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "div": "{0} / {1}", "abs": "abs({0})",
}  # fmt: skip
# Of numbers, as numba compiles it (with NumPy's rules for division by zero).
SCALAR = _ARITHMETIC | {
    "pow": "{0} ** {1}",
    "mod": "np.mod({0}, {1})",
    "min": "np.minimum({0}, {1})",
    "max": "np.maximum({0}, {1})",
    "less": "1.0 if {0} < {1} else 0.0",
    "where": "{1} if {0} != 0.0 else {2}",
    "heaviside": "1.0 if {0} > 0.0 else (0.0 if {0} < 0.0 else {value} + 0.0 * {0})",
}
ARRAY = _ARITHMETIC | {
    "pow": "np.power({0}, {1})",
    "mod": "np.mod({0}, {1})",
    "min": "np.minimum({0}, {1})",
    "max": "np.maximum({0}, {1})",
    "less": "np.less({0}, {1}) * 1.0",
    "where": "np.where({0} != 0.0, {1}, {2})",
    "heaviside": "np.heaviside({0}, {value})",
}


def emit(graph: Graph, templates: Mapping[str, str], library: Mapping[str, Any], *, store: bool = False) -> Any:
    """A function ``field(t, state, parameters)`` that returns the outputs as a list.

    ``state[i]`` and ``parameters[i]`` are read once each. A graph with delays has none of these forms.

    Args:
        graph: the program.
        templates: per operation an expression of its arguments ``{0}``, ``{1}``, ``{2}`` and ``{value}``; the others
            become ``np.<operation>(...)``.
        library: global names of the function, ``np`` among them.
        store: write to a fourth argument ``out`` instead, leaving out what is always zero.
    """
    names: list[str] = []
    lines: list[str] = []
    for number, node in enumerate(graph.nodes):
        text = _expression(node, [names[a] for a in node.args], templates)
        if node.op in ("constant", "time"):
            names.append(text)
            continue
        names.append(f"v{number}")
        lines.append(f"v{number} = {text}")
    if store:
        kept = [(i, o) for i, o in enumerate(graph.outputs) if not _is_zero(graph.nodes[o])]
        lines += [f"out[{i}] = {names[o]}" for i, o in kept] or ["pass"]
    else:
        lines.append(f"return [{', '.join(names[o] for o in graph.outputs)}]")
    head = f"def field(t, state, parameters{', out' if store else ''}):"
    return _function("\n    ".join([head, *lines]) + "\n", library)


def _function(text: str, library: Mapping[str, Any]) -> FunctionType:
    module = compile(text, "<right-hand side>", "exec")
    code = next(c for c in module.co_consts if isinstance(c, CodeType))
    return FunctionType(code, {"inf": math.inf, "nan": math.nan, **library}, "field")


def _expression(node: Node, args: list[str], templates: Mapping[str, str]) -> str:
    if node.op == "constant":
        return f"({float(node.value)!r})" if node.value < 0 else repr(float(node.value))
    if node.op == "time":
        return "t"
    if node.op == "state":
        return f"state[{node.value}]"
    if node.op == "parameter":
        return f"parameters[{node.value}]"
    if node.op == "delayed":
        raise NotImplementedError("delayed coordinates are read by the method of steps alone")
    if node.op in templates:
        return templates[node.op].format(*args, value=node.value)
    return f"np.{node.op}({', '.join(args)})"


def _is_zero(node: Node) -> bool:
    return node.op == "constant" and node.value == 0.0
