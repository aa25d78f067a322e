"""Values between the ends of a step: coefficients from three more stages, and a loop over each lane's grid times.

With x the fraction of the step, ``y(x) = y + x (F0 + (1-x) (F1 + x (F2 + (1-x) (F3 + x (F4 + (1-x) (F5 + x F6))))))``.

Source: E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I (1993), section II.6.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from strangecast.systems.lanes import layout as rows
from strangecast.systems.lanes.tableau import STAGES, D
from strangecast.systems.lanes.vector_ir import Emitter, Vector

if TYPE_CHECKING:
    from strangecast.systems.lanes.vector_step import Round


def emit_dense(e: Emitter, r: Round) -> list[Vector]:
    """F0 to F6 of a finished round."""
    for stage in range(STAGES + 1, STAGES + 4):
        r.stage(stage)
    f = [r.vector() for _ in range(7)]

    def body(d: int) -> None:
        first, last = r.k[0].get(d), r.k[STAGES].get(d)
        change = e.sub(r.y_new.get(d), r.y.get(d))
        f[0].set(d, change)
        f[1].set(d, e.fma(r.h, first, e.neg(change)))
        ends = e.mul(r.h, e.add(last, first))
        f[2].set(d, e.fma(e.number(2.0), change, e.neg(ends)))
        for i, terms in enumerate(D):
            f[3 + i].set(d, e.mul(r.h, e.combination(terms, r.slope(d))))

    e.each(body)
    return f


def emit_output(e: Emitter, r: Round, f: list[Vector], passing: str, after: str) -> None:
    """Write the state at every grid time that a lane passes; lanes without one write to a sink.

    Args:
        e: in the block where ``f`` was made.
        r: the finished round.
        f: coefficients.
        passing: lanes with at least one grid time in the step.
        after: label to go to.
    """
    width, dim = e.target.width, e.layout.dim
    grid = e.head(rows.HEAD_GRID, "i64")
    tabled = e.op(f"icmp ne i64 {grid}, 0")
    last = e.splat(e.op(f"sitofp i64 {e.head(rows.HEAD_TIMES, 'i64')} to double"))
    sink = e.op(f"ptrtoint ptr {e.pointer(e.layout.sink)} to i64")
    sinks = e.splat(sink, "i64")
    places = ", ".join(f"i64 {8 * dim * lane}" for lane in range(width))
    sinks = e.op(f"add {e.I} {sinks}, <{places}>")
    before = e.block
    e.do("br label %output")

    e.label("output")
    e.named("%writing", f"phi {e.M} [ {passing}, %{before} ], [ %still, %counted ]")
    out = e.load(rows.OUT, e.I)
    to = e.select("%writing", out, sinks, e.I)
    pointers = [e.op(f"inttoptr i64 {e.op(f'extractelement {e.I} {to}, i32 {lane}')} to ptr") for lane in range(width)]
    x = e.div(e.sub(e.load(rows.NEXT), r.t), r.h)
    rest = e.sub(e.number(1.0), x)

    def body(d: int) -> None:
        value = f[6].get(d)
        for i, by in zip(range(5, -1, -1), (x, rest, x, rest, x, rest), strict=True):
            value = e.fma(value, by, f[i].get(d))
        value = e.fma(value, x, r.y.get(d))
        for lane, pointer in enumerate(pointers):
            at = e.op(f"getelementptr inbounds i8, ptr {pointer}, i64 {e.element or 8 * d}")
            e.do(f"store double {e.op(f'extractelement {e.V} {value}, i32 {lane}')}, ptr {at}, align 8")

    e.each(body)
    further = e.select("%writing", e.integer(8 * dim), e.integer(0), e.I)
    e.store(e.op(f"add {e.I} {out}, {further}"), rows.OUT, e.I)
    index = e.add(e.load(rows.INDEX), e.select("%writing", e.number(1.0), e.number(0.0)))
    e.store(index, rows.INDEX)
    # Not fused: the caller computes the same times from the same two roundings.
    spaced = e.add(e.load(rows.START), e.mul(index, e.load(rows.SPACING)))
    here = e.block
    e.do(f"br i1 {tabled}, label %table, label %counted")

    e.label("table")
    listed = "undef"
    for lane in range(width):
        number = e.op(f"fptosi double {e.op(f'extractelement {e.V} {index}, i32 {lane}')} to i64")
        at = e.op(f"getelementptr inbounds double, ptr {e.op(f'inttoptr i64 {grid} to ptr')}, i64 {number}")
        listed = e.op(f"insertelement {e.V} {listed}, double {e.op(f'load double, ptr {at}, align 8')}, i32 {lane}")
    e.do("br label %counted")

    e.label("counted")
    following = e.op(f"phi {e.V} [ {spaced}, %{here} ], [ {listed}, %table ]")
    following = e.select(e.compare("olt", index, last), following, e.number(math.inf))
    e.store(following, rows.NEXT)
    e.named("%still", f"and {e.M} %writing, {e.compare('ole', following, r.t_new)}")
    e.do(f"br i1 {e.any('%still')}, label %output, label %{after}")
