"""The kernels of one system as the text of one LLVM module.

``field(block, time, state, out)`` is the right-hand side of all lanes: rows of W numbers, in and out.
``advance(block)`` steps (``vector_step``). There are two ways to make them, and both give the same bits:

- straight: both kernels are straight-line code of the system. The fastest; compile time grows with its length.
- called: the system has ``prepare(block)``, which computes what depends on parameters alone, and ``inner(block, t,
  state, out)``, which uses it; ``advance`` is shared by all systems of one D, loops over coordinates, and calls both by
  their addresses in the head of the block. Compiled in a fraction of the time; the steps take up to a third longer.
"""

from __future__ import annotations

from strangecast.systems.graph import Graph
from strangecast.systems.lanes import layout as rows
from strangecast.systems.lanes.layout import Layout
from strangecast.systems.lanes.targets import Target
from strangecast.systems.lanes.vector_field import Fixed, Plan, emit_fixed, emit_moving
from strangecast.systems.lanes.vector_ir import Emitter, Vector
from strangecast.systems.lanes.vector_step import VECTORS, emit_advance

# Instructions of one round, about, up to which straight code pays.
STRAIGHT = 2500


class Kernels:
    """Text and layout of the kernels of a graph.

    Args:
        graph: right-hand side without lags; with other than D outputs there is no ``advance``.
        target: for which processor.
        straight: whether the stepper is the system's own; None to decide by size.
    """

    def __init__(self, graph: Graph, target: Target, straight: bool | None = None) -> None:
        self.graph, self.target, self.plan = graph, target, Plan(graph)
        small = 90 * graph.dim + 17 * self.plan.operations <= STRAIGHT
        self.straight = small if straight is None else straight
        self.kept = 0 if self.straight else len(self.plan.fixed) + len(self.plan.reciprocals)
        scratch = 0 if self.straight else self.kept + VECTORS * graph.dim
        self.layout = Layout(target.width, graph.dim, graph.n_parameters, scratch)
        self._declared: dict[str, str] = {}

    @property
    def steps(self) -> bool:
        """Whether the graph can be stepped: D outputs."""
        return len(self.graph.outputs) == self.graph.dim

    @property
    def vectors(self) -> int:
        """Byte offset in the block of the shared stepper's vectors."""
        return self.layout.at(self.layout.own + self.kept)

    def text(self) -> str:
        """The module."""
        functions = [self._field()]
        if not self.straight:
            functions += [self._inner(), self._prepare()]
        elif self.steps:
            functions.append(self._advance())
        return _module(functions, self._declared, self.target)

    def _emitter(self) -> Emitter:
        return Emitter(self.target, self.layout, rolled=False, declared=self._declared)

    def _advance(self) -> str:
        e = self._emitter()
        fixed = emit_fixed(e, self.plan)

        def field(time: str, state: Vector, out: Vector) -> None:
            out.values = emit_moving(e, self.plan, fixed, time, lambda i: state.values[i])

        emit_advance(e, field, timed=not self.graph.autonomous)
        return _function(e, "advance(ptr %block)")

    def _field(self) -> str:
        e = self._emitter()
        time = e.op(f"load {e.V}, ptr %time, align {8 * self.target.width}")
        self._slopes(e, emit_fixed(e, self.plan), time)
        return _function(e, "field(ptr %block, ptr %time, ptr %state, ptr %out)")

    def _inner(self) -> str:
        e = self._emitter()
        keys = [*(("node", i) for i in self.plan.fixed), *(("reciprocal", i) for i in self.plan.reciprocals)]
        places = {key: at for at, key in enumerate(keys, self.layout.own)}
        known: dict[tuple[str, int], str] = {}

        def read(key: tuple[str, int]) -> str:
            if key not in known:
                known[key] = e.load(places[key])
            return known[key]

        self._slopes(e, Fixed(lambda i: read(("node", i)), lambda i: read(("reciprocal", i))), "%time")
        return _function(e, f"inner(ptr %block, {e.V} %time, ptr %state, ptr %out)")

    def _prepare(self) -> str:
        e = self._emitter()
        fixed = emit_fixed(e, self.plan)
        values = [*map(fixed.node, self.plan.fixed), *map(fixed.reciprocal, self.plan.reciprocals)]
        for row, value in enumerate(values, self.layout.own):
            e.store(value, row)
        e.do("ret void")
        return _function(e, "prepare(ptr %block)")

    def _slopes(self, e: Emitter, fixed: Fixed, time: str) -> None:
        """Evaluate at the state behind ``%state``, write behind ``%out``, return."""
        size = 8 * self.target.width

        def coordinate(i: int) -> str:
            at = e.op(f"getelementptr inbounds i8, ptr %state, i64 {size * i}")
            return e.op(f"load {e.V}, ptr {at}, align {size}")

        for d, value in enumerate(emit_moving(e, self.plan, fixed, time, coordinate)):
            at = e.op(f"getelementptr inbounds i8, ptr %out, i64 {size * d}")
            e.do(f"store {e.V} {value}, ptr {at}, align {size}")
        e.do("ret void")


def shared_stepper(target: Target, dim: int) -> str:
    """The module with ``advance`` for called kernels of D coordinates."""
    declared: dict[str, str] = {}
    e = Emitter(target, Layout(target.width, dim, 0, VECTORS * dim), rolled=True, declared=declared)
    e.far = e.op(f"getelementptr inbounds i8, ptr %block, i64 {e.head(rows.HEAD_VECTORS, 'i64')}")
    inner, prepare = e.head(rows.HEAD_INNER, "ptr"), e.head(rows.HEAD_PREPARE, "ptr")
    e.do(f"call void {prepare}(ptr %block) #0")

    def field(time: str, state: Vector, out: Vector) -> None:
        y, k = e.pointer(state.row), e.pointer(out.row)
        e.do(f"call void {inner}(ptr %block, {e.V} {time}, ptr {y}, ptr {k}) #0")

    emit_advance(e, field, timed=True)
    return _module([_function(e, "advance(ptr %block)")], declared, target)


def _function(e: Emitter, head: str) -> str:
    return "\n".join([f"define void @{head} #0 {{", "entry:", *e.lines, "}"])


def _module(functions: list[str], declared: dict[str, str], target: Target) -> str:
    bits = 64 * target.width
    attributes = f'nounwind "min-legal-vector-width"="{bits}" "prefer-vector-width"="{bits}"'
    return "\n".join([*functions, *declared.values(), f"attributes #0 = {{ {attributes} }}", ""])
