"""Text of LLVM functions on vectors of W doubles, one trajectory in each lane.

Every operation is written out as it shall be computed: sums of products as fused multiply-adds where the processor has
them, no reordering, no contraction by the compiler. So the bits of a lane depend on that lane alone, and are the same
on every processor of one level.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

from strangecast.systems.lanes.layout import Layout
from strangecast.systems.lanes.targets import Target

Body = Callable[..., Sequence[str] | None]


class Emitter:
    """One function under construction; values are names or constants in LLVM's notation.

    Args:
        target: width, fused multiply-add, libraries.
        layout: of the block, whose address is ``%block``.
        rolled: whether ``each`` makes a loop over coordinates, not one copy for each.
        declared: filled with declarations of external functions, shared by the functions of a module.
    """

    def __init__(self, target: Target, layout: Layout, *, rolled: bool, declared: dict[str, str]) -> None:
        self.target, self.layout, self.rolled, self.declared = target, layout, rolled, declared
        self.lines: list[str] = []
        self.block = "entry"
        self._count = 0
        self.V = f"<{target.width} x double>"
        self.I = f"<{target.width} x i64>"
        self.M = f"<{target.width} x i1>"
        self.far: str | None = None  # address of the kernels' own rows where it is not fixed
        self.loop: str | None = None  # byte offset of the coordinate in a rolled loop
        self.element: str | None = None  # its number times 8

    # Text.
    def op(self, text: str) -> str:
        """A new value."""
        self._count += 1
        name = f"%v{self._count}"
        self.lines.append(f"  {name} = {text}")
        return name

    def named(self, name: str, text: str) -> str:
        """A new value whose name is known to a phi before it."""
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """An instruction without a value."""
        self.lines.append(f"  {text}")

    def label(self, name: str) -> None:
        """Begin a basic block."""
        self.lines.append(f"{name}:")
        self.block = name

    def fresh(self, stem: str) -> str:
        """A label not used before."""
        self._count += 1
        return f"{stem}{self._count}"

    # Constants.
    def number(self, x: float) -> str:
        """``x`` in every lane."""
        return f"splat (double {literal(x)})"

    def integer(self, x: int) -> str:
        """``x`` in every lane."""
        return f"splat (i64 {x})"

    # Arithmetic.
    def add(self, a: str, b: str) -> str:
        return self.op(f"fadd {self.V} {a}, {b}")

    def sub(self, a: str, b: str) -> str:
        return self.op(f"fsub {self.V} {a}, {b}")

    def mul(self, a: str, b: str) -> str:
        return self.op(f"fmul {self.V} {a}, {b}")

    def div(self, a: str, b: str) -> str:
        return self.op(f"fdiv {self.V} {a}, {b}")

    def neg(self, a: str) -> str:
        return self.op(f"fneg {self.V} {a}")

    def fma(self, a: str, b: str, c: str) -> str:
        """``a b + c``, rounded once where the processor can."""
        if not self.target.fma:
            return self.add(self.mul(a, b), c)
        return self.intrinsic("fma", a, b, c)

    def sqrt(self, a: str) -> str:
        return self.intrinsic("sqrt", a)

    def abs(self, a: str) -> str:
        return self.intrinsic("fabs", a)

    def intrinsic(self, name: str, *args: str) -> str:
        """An LLVM intrinsic on vectors."""
        full = f"llvm.{name}.v{self.target.width}f64"
        self.declared[full] = f"declare {self.V} @{full}({', '.join([self.V] * len(args))})"
        return self.op(f"call {self.V} @{full}({', '.join(f'{self.V} {a}' for a in args)})")

    def library(self, name: str, *args: str) -> str:
        """A function of the C library: its vector variant, else lane by lane."""
        vector = self.target.vector_function(name, len(args))
        if vector:
            types = ", ".join([self.V] * len(args))
            self.declared[vector] = f"declare {self.V} @{vector}({types}) #0"
            return self.op(f"call {self.V} @{vector}({', '.join(f'{self.V} {a}' for a in args)}) #0")
        self.declared[name] = f"declare double @{name}({', '.join(['double'] * len(args))})"
        result = "undef"
        for lane in range(self.target.width):
            scalars = [self.op(f"extractelement {self.V} {a}, i32 {lane}") for a in args]
            value = self.op(f"call double @{name}({', '.join(f'double {s}' for s in scalars)})")
            result = self.op(f"insertelement {self.V} {result}, double {value}, i32 {lane}")
        return result

    def combination(self, terms: Mapping[int, float], value: Callable[[int], str]) -> str:
        """``sum of terms[j] * value(j)``, the newest value last so that the rest can be done while it is awaited."""
        (first, weight), *rest = sorted(terms.items())
        total = self.mul(value(first), self.number(weight))
        for j, weight in rest:
            total = self.fma(value(j), self.number(weight), total)
        return total

    # Masks.
    def compare(self, predicate: str, a: str, b: str) -> str:
        return self.op(f"fcmp {predicate} {self.V} {a}, {b}")

    def both(self, a: str, b: str) -> str:
        return self.op(f"and {self.M} {a}, {b}")

    def either(self, a: str, b: str) -> str:
        return self.op(f"or {self.M} {a}, {b}")

    def opposite(self, mask: str) -> str:
        return self.op(f"xor {self.M} {mask}, splat (i1 true)")

    def without(self, a: str, b: str) -> str:
        """``a`` and not ``b``."""
        return self.both(a, self.opposite(b))

    def select(self, mask: str, a: str, b: str, kind: str | None = None) -> str:
        kind = kind or self.V
        return self.op(f"select {self.M} {mask}, {kind} {a}, {kind} {b}")

    def smaller(self, a: str, b: str) -> str:
        """The smaller; ``b`` where one is not a number."""
        return self.select(self.compare("olt", a, b), a, b)

    def larger(self, a: str, b: str) -> str:
        """The larger; ``b`` where one is not a number."""
        return self.select(self.compare("ogt", a, b), a, b)

    def any(self, mask: str) -> str:
        """One bit: whether the mask holds in some lane."""
        bits = self.op(f"bitcast {self.M} {mask} to i{self.target.width}")
        return self.op(f"icmp ne i{self.target.width} {bits}, 0")

    # Memory.
    def pointer(self, row: int) -> str:
        """Address of a row of the block."""
        if self.far and row >= self.layout.own:
            offset = 8 * self.target.width * (row - self.layout.own)
            return self.op(f"getelementptr inbounds i8, ptr {self.far}, i64 {offset}")
        return self.op(f"getelementptr inbounds i8, ptr %block, i64 {self.layout.at(row)}")

    def load(self, row: int, kind: str | None = None) -> str:
        """A row of the block."""
        return self.op(f"load {kind or self.V}, ptr {self.pointer(row)}, align {8 * self.target.width}")

    def store(self, value: str, row: int, kind: str | None = None) -> None:
        """Set a row of the block."""
        self.do(f"store {kind or self.V} {value}, ptr {self.pointer(row)}, align {8 * self.target.width}")

    def head(self, word: int, kind: str = "double") -> str:
        """A scalar of the block's head."""
        at = self.op(f"getelementptr inbounds i8, ptr %block, i64 {8 * word}")
        return self.op(f"load {kind}, ptr {at}, align 8")

    def flag(self, row: int) -> str:
        """Mask of lanes whose number in a row is not 0."""
        return self.op(f"icmp ne {self.I} {self.load(row, self.I)}, zeroinitializer")

    def splat(self, scalar: str, kind: str = "double") -> str:
        """A scalar in every lane."""
        many = f"<{self.target.width} x {kind}>"
        one = self.op(f"insertelement {many} undef, {kind} {scalar}, i32 0")
        return self.op(f"shufflevector {many} {one}, {many} undef, <{self.target.width} x i32> zeroinitializer")

    # Coordinates.
    def each(self, body: Body, sums: Sequence[tuple[str, str]] = ()) -> list[str]:
        """Run ``body(d, *accumulators) -> accumulators`` for every coordinate; the accumulators at the end.

        Args:
            body: emits the work for coordinate ``d``, which it hands to ``Vector.get`` and ``set``.
            sums: initial value and type of each accumulator.
        """
        values = [start for start, _ in sums]
        if not self.rolled:
            for d in range(self.layout.dim):
                values = list(body(d, *values) or ())
            return values
        before, head, after = self.block, self.fresh("each"), self.fresh("after")
        stride = 8 * self.target.width
        self.do(f"br label %{head}")
        self.label(head)
        offset, following = f"%{head}.at", f"%{head}.next"
        self.do(f"{offset} = phi i64 [ 0, %{before} ], [ {following}, %{head} ]")
        phis = [f"%{head}.sum{i}" for i in range(len(sums))]
        holes = len(self.lines)
        self.loop = offset
        self.element = self.op(f"udiv exact i64 {offset}, {self.target.width}")
        results = list(body(0, *phis) or ())
        self.loop = self.element = None
        self.lines[holes:holes] = [
            f"  {phi} = phi {kind} [ {start}, %{before} ], [ {result}, %{head} ]"
            for phi, (start, kind), result in zip(phis, sums, results, strict=True)
        ]
        self.do(f"{following} = add i64 {offset}, {stride}")
        more = self.op(f"icmp ult i64 {following}, {stride * self.layout.dim}")
        self.do(f"br i1 {more}, label %{head}, label %{after}")
        self.label(after)
        return results

    def vector(self, row: int, *, loaded: bool = False) -> Vector:
        """D numbers for each lane: rows of the block where loops are rolled, else values.

        Args:
            row: first row, used when rolled.
            loaded: whether to begin with what the rows hold.
        """
        values: list[str] = [""] * self.layout.dim
        if loaded and not self.rolled:
            values = [self.load(row + d) for d in range(self.layout.dim)]
        return Vector(self, row, values)


class Vector:
    """D numbers for each lane; see ``Emitter.vector``."""

    def __init__(self, emitter: Emitter, row: int, values: list[str]) -> None:
        self.emitter, self.row, self.values = emitter, row, values

    def _address(self) -> str:
        e = self.emitter
        return e.op(f"getelementptr inbounds i8, ptr {e.pointer(self.row)}, i64 {e.loop}")

    def get(self, d: int) -> str:
        """Coordinate ``d``; in a rolled loop, that of the loop."""
        e = self.emitter
        if e.loop is None:
            return self.values[d]
        return e.op(f"load {e.V}, ptr {self._address()}, align {8 * e.target.width}")

    def set(self, d: int, value: str) -> None:
        """Set coordinate ``d``; in a rolled loop, that of the loop."""
        e = self.emitter
        if e.loop is None:
            self.values[d] = value
        else:
            e.do(f"store {e.V} {value}, ptr {self._address()}, align {8 * e.target.width}")

    def write(self, d: int, value: str) -> None:
        """Set the row of the block that belongs to coordinate ``d``."""
        if self.emitter.loop is None:
            self.emitter.store(value, self.row + d)
        else:
            self.set(d, value)


def literal(x: float) -> str:
    """A double in LLVM's notation, exact."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"
