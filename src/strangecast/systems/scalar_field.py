"""A graph, delayed coordinates or not, as a compiled function of one state that generic compiled loops can call.

The source is written node by node, one local variable each, and compiled in this process; the loops call it by its
address, so they are compiled once for all graphs and cached on disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import cfunc, types
from numba.extending import intrinsic

from strangecast.systems.emission import SCALAR
from strangecast.systems.graph import Graph, Node


@dataclass(frozen=True)
class ScalarField:
    """A function in memory.

    Attributes:
        address: for ``call_scalar``; 0 for none.
        owner: keeps the code alive.
    """

    address: int = 0
    owner: Any = field(default=None, repr=False, compare=False)


@intrinsic
def call_scalar(context, address, t, state, parameters, past, out):
    """Call the function at ``address`` with a time and the addresses of four arrays of float64."""

    def build(context, builder, signature, args):
        number = ir.IntType(64)
        kind = ir.FunctionType(ir.VoidType(), [ir.DoubleType(), *[number] * 4])
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), list(args[1:]))
        return context.get_dummy_value()

    return types.void(types.int64, types.float64, *[types.int64] * 4), build


def delayed_nodes(graph: Graph) -> list[Node]:
    """The delayed coordinates in the order in which the compiled function reads them."""
    return [n for n in graph.nodes if n.op == "delayed"]


def source(graph: Graph) -> str:
    """Python text of ``field(t, state [D], parameters [P], past [number of delayed nodes], out [D'])``."""
    lines = ["def field(t, state, parameters, past, out):"]
    seen = 0
    for i, node in enumerate(graph.nodes):
        lines.append(f"    v{i} = {_text(node, seen)}")
        seen += node.op == "delayed"
    lines += [f"    out[{i}] = v{o}" for i, o in enumerate(graph.outputs)]
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
    if node.op in SCALAR:
        return SCALAR[node.op].format(*names, value=node.value)
    return f"np.{node.op}({', '.join(names)})"


@lru_cache(maxsize=512)
def compiled_field(graph: Graph) -> ScalarField:
    """The function of :func:`source`, compiled, with NumPy's rules for division by zero."""
    namespace: dict[str, Any] = {"np": np}
    exec(compile(source(graph), "<right-hand side>", "exec"), namespace)
    row = types.CPointer(types.float64)
    code = cfunc(types.void(types.float64, row, row, row, row), error_model="numpy")(namespace["field"])
    return ScalarField(code.address, code)
