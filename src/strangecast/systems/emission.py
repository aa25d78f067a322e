"""Graphs as Python functions: straight-line code, one line per operation, for numbers, arrays or tensors.

The text holds nothing but names made here and constants of the graph; it is compiled, never evaluated, and the
function is made from its code object.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import CodeType, FunctionType
from typing import Any

from strangecast.core.errors import ConfigError
from strangecast.systems.graph import LEAVES, Graph, Node

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
# Of tensors, with the functions that torch lacks or that need two of them supplied by name.
TENSOR = _ARITHMETIC | {
    "pow": "{0} ** {1}",
    "mod": "mod({0}, {1})",
    "arctan2": "arctan2({0}, {1})",
    "min": "least({0}, {1})",
    "max": "greatest({0}, {1})",
    "less": "less({0}, {1})",
    "where": "where({0}, {1}, {2})",
    "heaviside": "heaviside({0}, {value})",
    "sign": "sign({0})",
    "sqrt": "root({0})",
}


def emit(
    graph: Graph, templates: Mapping[str, str], library: Mapping[str, Any], *, store: bool = False
) -> FunctionType:
    """A function ``field(t, state, parameters)`` that returns the outputs as a list.

    ``state[i]`` and ``parameters[i]`` are read once each. A graph with delays has none of these forms.

    Args:
        graph: the program.
        templates: per operation an expression of its arguments ``{0}``, ``{1}``, ``{2}`` and ``{value}``; the others
            become ``np.<operation>(...)``.
        library: global names of the function, ``np`` among them.
        store: write to a fourth argument ``out`` instead, leaving out what is always zero.
    """
    names, lines = _lines(graph, templates, {})
    if store:
        kept = [(i, o) for i, o in enumerate(graph.outputs) if not _is_zero(graph.nodes[o])]
        lines += [f"out[{i}] = {names[o]}" for i, o in kept] or ["pass"]
    else:
        lines.append(f"return [{', '.join(names[o] for o in graph.outputs)}]")
    return _function(f"field(t, state, parameters{', out' if store else ''})", lines, library)


def split(graph: Graph) -> tuple[list[bool], list[int]]:
    """Per node whether parameters alone determine it, and those of these (constants aside) that the others read."""
    still: list[bool] = []
    for node in graph.nodes:
        still.append(
            node.op in ("constant", "parameter") or (node.op not in LEAVES and all(still[a] for a in node.args))
        )
    read = {a for i, node in enumerate(graph.nodes) if not still[i] for a in node.args} | set(graph.outputs)
    return still, [i for i in sorted(read) if still[i] and graph.nodes[i].op != "constant"]


def emit_in_two(
    graph: Graph, templates: Mapping[str, str], library: Mapping[str, Any]
) -> tuple[FunctionType, FunctionType]:
    """The same in two functions: ``prepare(parameters)`` gives ``fixed``, ``evaluate(t, state, fixed)`` the outputs.

    ``fixed`` holds the parameters and what depends on nothing else, as far as the rest needs it.
    """
    still, handed = split(graph)
    names, lines = _lines(graph, templates, {}, [i for i, s in enumerate(still) if s])
    prepare = _function("prepare(parameters)", [*lines, f"return [{', '.join(names[i] for i in handed)}]"], library)
    given = {i: f"fixed[{place}]" for place, i in enumerate(handed)}
    names, lines = _lines(graph, templates, given, [i for i, s in enumerate(still) if not s])
    outputs = f"return [{', '.join(names[o] for o in graph.outputs)}]"
    return prepare, _function("evaluate(t, state, fixed)", [*lines, outputs], library)


def _lines(
    graph: Graph, templates: Mapping[str, str], given: Mapping[int, str], chosen: Iterable[int] | None = None
) -> tuple[dict[int, str], list[str]]:
    """Per node the name that stands for it, and the lines that compute the chosen ones from the given."""
    names = dict(given)
    lines: list[str] = []
    wanted = set(range(len(graph.nodes)) if chosen is None else chosen)
    for number, node in enumerate(graph.nodes):
        if node.op in ("constant", "time"):
            names[number] = _expression(node, [], templates)
        elif number in wanted:
            lines.append(f"v{number} = {_expression(node, [names[a] for a in node.args], templates)}")
            names[number] = f"v{number}"
    return names, lines


def _function(head: str, lines: list[str], library: Mapping[str, Any]) -> FunctionType:
    text = "\n    ".join([f"def {head}:", *lines]) + "\n"
    module = compile(text, "<right-hand side>", "exec")
    code = next(c for c in module.co_consts if isinstance(c, CodeType))
    return FunctionType(code, {"inf": math.inf, "nan": math.nan, **library}, code.co_name)


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
        raise ConfigError("a right-hand side with delays is read by the method of steps alone")
    if node.op in templates:
        return templates[node.op].format(*args, value=node.value)
    return f"np.{node.op}({', '.join(args)})"


def _is_zero(node: Node) -> bool:
    return node.op == "constant" and node.value == 0.0
