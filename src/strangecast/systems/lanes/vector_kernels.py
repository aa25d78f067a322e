"""The kernels of one system as the text of one LLVM module.

``advance_<name>(block)`` steps (``vector_step``); ``field_<name>(block, time, state, out)`` is the right-hand side of
all lanes: rows of W numbers, in and out. Small systems are straight-line code; beyond a size, coordinates are looped
over and the right-hand side is called, because compile time grows with the length of straight-line code.
"""

from __future__ import annotations

from strangecast.systems.graph import Graph
from strangecast.systems.lanes.layout import Layout
from strangecast.systems.lanes.targets import Target
from strangecast.systems.lanes.vector_field import Fixed, Plan, emit_fixed, emit_moving
from strangecast.systems.lanes.vector_ir import Emitter, Vector
from strangecast.systems.lanes.vector_step import VECTORS, emit_advance

# Instructions of one round, about, up to which it is straight-line code.
STRAIGHT = 8000


class Kernels:
    """Text and layout of the kernels of a graph.

    Args:
        graph: right-hand side without lags; with other than D outputs there is ``field`` alone.
        target: for which processor.
        name: ends the kernels' names.
        rolled: whether to loop over coordinates; None to decide by size.
    """

    def __init__(self, graph: Graph, target: Target, name: str, rolled: bool | None = None) -> None:
        if graph.lags:
            raise ValueError("a graph with lags is no ordinary differential equation")
        self.graph, self.target, self.name = graph, target, name
        self.plan = Plan(graph)
        self.rolled = 90 * graph.dim + 17 * self.plan.operations > STRAIGHT if rolled is None else rolled
        self._kept = len(self.plan.fixed) + len(self.plan.reciprocals) if self.rolled else 0
        scratch = self._kept + VECTORS * graph.dim if self.rolled else 0
        self.layout = Layout(target.width, graph.dim, graph.n_parameters, scratch)
        self._declared: dict[str, str] = {}

    @property
    def steps(self) -> bool:
        """Whether there is ``advance``."""
        return len(self.graph.outputs) == self.graph.dim

    def text(self) -> str:
        """The module."""
        functions = [self._field()]
        if self.steps:
            functions.append(self._advance())
        if self.rolled:
            functions += [self._inner(), self._prepare()]
        bits = 64 * self.target.width
        attributes = f'nounwind "min-legal-vector-width"="{bits}" "prefer-vector-width"="{bits}"'
        return "\n".join([*functions, *self._declared.values(), f"attributes #0 = {{ {attributes} }}", ""])

    def _emitter(self) -> Emitter:
        return Emitter(self.target, self.layout, rolled=self.rolled, declared=self._declared)

    @staticmethod
    def _function(e: Emitter, head: str) -> str:
        return "\n".join([f"define {head} #0 {{", "entry:", *e.lines, "}"])

    def _field(self) -> str:
        e = self._emitter()
        fixed = self._at_entry(e) or self._kept_values(e)
        time = e.op(f"load {e.V}, ptr %time, align {8 * self.target.width}")
        self._slopes(e, fixed, time)
        return self._function(e, f"void @field_{self.name}(ptr %block, ptr %time, ptr %state, ptr %out)")

    def _advance(self) -> str:
        e = self._emitter()
        fixed = self._at_entry(e)

        def field(e: Emitter, time: str, state: Vector, out: Vector) -> None:
            if fixed is not None:
                out.values = emit_moving(e, self.plan, fixed, time, lambda i: state.values[i])
                return
            y, k = e.pointer(state.row), e.pointer(out.row)
            e.do(f"call void @inner_{self.name}(ptr %block, {e.V} {time}, ptr {y}, ptr {k})")

        emit_advance(e, field, timed=not self.graph.autonomous, own=self.layout.own + self._kept)
        return self._function(e, f"void @advance_{self.name}(ptr %block)")

    def _at_entry(self, e: Emitter) -> Fixed | None:
        """What depends on parameters alone: values, or None when rows of the scratch hold them."""
        if not self.rolled:
            return emit_fixed(e, self.plan)
        e.do(f"call void @prepare_{self.name}(ptr %block)")
        return None

    def _prepare(self) -> str:
        e = self._emitter()
        fixed = emit_fixed(e, self.plan)
        values = [*map(fixed.node, self.plan.fixed), *map(fixed.reciprocal, self.plan.reciprocals)]
        for at, value in enumerate(values):
            e.store(value, self.layout.own + at)
        e.do("ret void")
        return self._function(e, f"internal void @prepare_{self.name}(ptr %block)")

    def _kept_values(self, e: Emitter) -> Fixed:
        """Values from the rows that ``prepare`` wrote, loaded where first used."""
        rows = {("node", i): at for at, i in enumerate(self.plan.fixed, self.layout.own)}
        rows |= {("by", i): at for at, i in enumerate(self.plan.reciprocals, self.layout.own + len(rows))}
        known: dict[tuple[str, int], str] = {}

        def read(key: tuple[str, int]) -> str:
            if key not in known:
                known[key] = e.load(rows[key])
            return known[key]

        return Fixed(lambda i: read(("node", i)), lambda i: read(("by", i)))

    def _inner(self) -> str:
        e = self._emitter()
        self._slopes(e, self._kept_values(e), "%time")
        return self._function(e, f"internal void @inner_{self.name}(ptr %block, {e.V} %time, ptr %state, ptr %out)")

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
