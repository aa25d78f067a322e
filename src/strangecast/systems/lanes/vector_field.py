"""A graph's operations as vector instructions.

What depends on parameters alone is computed once for each call of a kernel, not at each evaluation. A division by such
a value, or by one that divides twice, is a multiplication by its reciprocal. A product used once, by a sum, is fused
with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from strangecast.systems.graph import Graph, Node
from strangecast.systems.lanes.vector_ir import Emitter

# Operations that are a call of the C library.
LIBRARY = {
    "exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "pow": "pow",
}  # fmt: skip


class Plan:
    """What of a graph is computed when.

    Attributes:
        graph: the program.
        fixed: numbers of nodes that depend on parameters alone and are used at each evaluation, constants left out.
        reciprocals: nodes, fixed or constant, by which something is divided at each evaluation.
        moving: numbers of nodes computed at each evaluation, in order.
        inverted: moving nodes that divide more than once.
        fused: of a moving sum, which of its arguments is a product that enters it; ``swallowed`` are these products.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        nodes = graph.nodes
        steady = self.steady = [False] * len(nodes)
        for i, node in enumerate(nodes):
            steady[i] = node.op in ("constant", "parameter") or (
                node.op not in ("time", "state", "delayed") and all(steady[a] for a in node.args)
            )
        used: set[int] = {o for o in graph.outputs if steady[o]}
        divisors: set[int] = set()
        self.moving = [i for i in range(len(nodes)) if not steady[i]]
        uses = [0] * len(nodes)
        for o in graph.outputs:
            uses[o] += 1
        for i in self.moving:
            node = nodes[i]
            for at, a in enumerate(node.args):
                uses[a] += 1
                if steady[a]:
                    (divisors if node.op == "div" and at == 1 else used).add(a)
        self.fixed = sorted(i for i in used if nodes[i].op != "constant")
        self.reciprocals = sorted(divisors)
        divides = Counter(nodes[i].args[1] for i in self.moving if nodes[i].op == "div")
        self.inverted = {a for a, times in divides.items() if times > 1 and not steady[a]}
        self.fused: dict[int, int] = {}
        for i in self.moving:
            node = nodes[i]
            if node.op in ("add", "sub"):
                for at in (1, 0):
                    a = node.args[at]
                    if nodes[a].op == "mul" and not steady[a] and uses[a] == 1 and node.args[0] != node.args[1]:
                        self.fused[i] = at
                        break
        self.swallowed = {nodes[i].args[at] for i, at in self.fused.items()}

    @property
    def operations(self) -> int:
        """Operations of one evaluation."""
        return sum(self.graph.nodes[i].op not in ("time", "state") for i in self.moving) - len(self.swallowed)


class Fixed:
    """Values that stay the same for all evaluations of a kernel's call."""

    def __init__(self, node: Callable[[int], str], reciprocal: Callable[[int], str]) -> None:
        self.node, self.reciprocal = node, reciprocal


def emit_fixed(e: Emitter, plan: Plan) -> Fixed:
    """Compute what depends on parameters alone."""
    graph, nodes = plan.graph, plan.graph.nodes
    values: dict[int, str] = {}
    needed = _closure(graph, [*plan.fixed, *plan.reciprocals])
    for i in sorted(needed):
        node = nodes[i]
        if node.op == "parameter":
            values[i] = e.load(e.layout.parameters + int(node.value))
        else:
            values[i] = _emit(e, node, [values[a] for a in node.args])
    reciprocals = {}
    for i in plan.reciprocals:
        if nodes[i].op == "constant" and nodes[i].value:
            reciprocals[i] = e.number(1.0 / float(nodes[i].value))
        else:
            reciprocals[i] = e.div(e.number(1.0), values[i])
    return Fixed(lambda i: values[i], lambda i: reciprocals[i])


def emit_moving(e: Emitter, plan: Plan, fixed: Fixed, time: str, state: Callable[[int], str]) -> list[str]:
    """The outputs of one evaluation.

    Args:
        e: where to write.
        plan: of the graph.
        fixed: what depends on parameters alone.
        time: value of the time.
        state: value of a coordinate; asked once for each.
    """
    nodes, values, inverses = plan.graph.nodes, {}, {}

    def value(i: int) -> str:
        if plan.steady[i]:
            return e.number(float(nodes[i].value)) if nodes[i].op == "constant" else fixed.node(i)
        return values[i]

    for i in plan.moving:
        node = nodes[i]
        if i in plan.swallowed:
            continue
        if node.op == "time":
            values[i] = time
        elif node.op == "state":
            values[i] = state(int(node.value))
        elif i in plan.fused:
            at = plan.fused[i]
            a, b = (value(x) for x in nodes[node.args[at]].args)
            other = value(node.args[1 - at])
            if node.op == "add":
                values[i] = e.fma(a, b, other)
            elif at == 0:
                values[i] = e.fma(a, b, e.neg(other))
            else:
                values[i] = e.fma(e.neg(a), b, other)
        elif node.op == "div" and plan.steady[node.args[1]]:
            values[i] = e.mul(value(node.args[0]), fixed.reciprocal(node.args[1]))
        elif node.op == "div" and node.args[1] in plan.inverted:
            by = node.args[1]
            if by not in inverses:
                inverses[by] = e.div(e.number(1.0), value(by))
            values[i] = e.mul(value(node.args[0]), inverses[by])
        else:
            values[i] = _emit(e, node, [value(a) for a in node.args])
    return [value(o) for o in plan.graph.outputs]


def _closure(graph: Graph, roots: Iterable[int]) -> set[int]:
    found, stack = set(), list(roots)
    while stack:
        i = stack.pop()
        if i not in found:
            found.add(i)
            stack.extend(graph.nodes[i].args)
    return found


def _emit(e: Emitter, node: Node, args: list[str]) -> str:
    """One operation; every case gives what ``graph.evaluate`` gives, not-a-number included."""
    op = node.op
    if op == "constant":
        return e.number(float(node.value))
    if op in ("add", "sub", "mul", "div", "neg", "sqrt", "abs"):
        return getattr(e, op)(*args)
    if op == "floor":
        return e.intrinsic("floor", *args)
    if op in LIBRARY:
        return e.library(LIBRARY[op], *args)
    zero, one = e.number(0.0), e.number(1.0)
    a = args[0]
    if op == "sign":
        # The argument itself at zero and where it is not a number.
        negative = e.select(e.compare("olt", a, zero), e.number(-1.0), a)
        return e.select(e.compare("ogt", a, zero), one, negative)
    if op == "heaviside":
        at_zero = e.select(e.compare("oeq", a, zero), e.number(float(node.value)), a)
        low = e.select(e.compare("olt", a, zero), zero, at_zero)
        return e.select(e.compare("ogt", a, zero), one, low)
    if op in ("min", "max"):
        # Of two numbers, else the one that is none.
        chosen = e.smaller(*args) if op == "min" else e.larger(*args)
        return e.select(e.compare("uno", a, a), a, chosen)
    if op == "less":
        return e.select(e.compare("olt", *args), one, zero)
    if op == "where":
        return e.select(e.compare("une", a, zero), args[1], args[2])
    if op == "mod":
        return _modulo(e, *args)
    raise ValueError(f"operation '{op}' has no vector form")


def _modulo(e: Emitter, a: str, b: str) -> str:
    """Remainder with the sign of the divisor; the C library's is exact and has the sign of ``a``."""
    rest = e.library("fmod", a, b)
    zero = e.number(0.0)
    wrong = e.op(f"xor {e.M} {e.compare('olt', rest, zero)}, {e.compare('olt', b, zero)}")
    shifted = e.select(wrong, e.add(rest, b), rest)
    return e.select(e.compare("oeq", rest, zero), e.intrinsic("copysign", zero, b), shifted)
