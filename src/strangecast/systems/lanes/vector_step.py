"""The kernel that steps: one function of the block that does the whole work between two visits of the feeding loop.

``advance(block)`` steps all lanes, each with its own step size, until a lane wants attention. A round is one step of
order 8 with its error norm, acceptance and next step size; where lanes pass grid times, the dense output follows
(``vector_dense``); then accepted lanes take over the new state. The slope at its end is the first of the next.

Error control is that of ``scipy.integrate.DOP853``: with n5 and n3 the squared norms of the error estimates of order 5
and 3, each coordinate in units of ``atol + rtol max(|y|, |y_new|)``, ``err = |h| n5 / sqrt(D (n5 + 0.01 n3))``; the step
is accepted when err < 1, the next is 0.9 err^(-1/8) times as long, within [0.2, 10], and not longer right after a
rejection. An error that is not a number rejects.

Source: E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I (1993), sections II.4 to II.6.
"""

from __future__ import annotations

from collections.abc import Callable

from strangecast.systems.lanes import layout as rows
from strangecast.systems.lanes.tableau import B3, E5, STAGES, A, C
from strangecast.systems.lanes.vector_dense import emit_dense, emit_output
from strangecast.systems.lanes.vector_ir import Emitter, Vector

# Evaluations of a step, and of its dense output.
STEP_COST, DENSE_COST = 12.0, 3.0
# Vectors of D numbers that a round holds beside state and slope: 15 slopes, trial state, new state, and 7 coefficients
# of the dense output.
VECTORS = 24


class Round:
    """One step of all lanes under construction.

    Attributes:
        e: where the instructions go.
        t, h, t_new: before the step, its length, after it.
        y, y_new: states.
        k: slopes of the stages so far.
    """

    def __init__(self, e: Emitter, field: Callable[[str, Vector, Vector], None], timed: bool) -> None:
        self.e, self._field, self._timed = e, field, timed
        self._rows = iter(range(e.layout.own, e.layout.own + VECTORS * e.layout.dim, e.layout.dim))
        self.trial = self.vector()

    def vector(self) -> Vector:
        """D numbers for each lane that live within the round."""
        return self.e.vector(next(self._rows))

    def begin(self, end: str, step: str) -> str:
        """Load the lanes and fix the length of the step; the mask of lanes whose step is cut to end on the grid."""
        e, place = self.e, self.e.layout
        self.t = e.load(rows.TIME)
        self.y = e.vector(place.state, loaded=True)
        self.k = [e.vector(place.slope, loaded=True)]
        aim = e.add(self.t, step)
        cut = e.compare("ogt", aim, end)
        self.t_new = e.select(cut, end, aim)
        self.h = e.sub(self.t_new, self.t)
        return cut

    def slope(self, d: int) -> Callable[[int], str]:
        """Slopes of coordinate ``d`` by stage."""
        return lambda j: self.k[j].get(d)

    def evaluate(self, stage: int, state: Vector) -> None:
        """Slope of a stage."""
        inside = self._timed and C[stage] != 1.0
        time = self.e.fma(self.h, self.e.number(C[stage]), self.t) if inside else self.t_new
        self.k.append(self.vector())
        self._field(time, state, self.k[stage])

    def stage(self, stage: int) -> None:
        """State and slope of a stage."""

        def body(d: int) -> None:
            change = self.e.combination(A[stage], self.slope(d))
            self.trial.set(d, self.e.fma(self.h, change, self.y.get(d)))

        self.e.each(body)
        self.evaluate(stage, self.trial)

    def finish(self, rtol: str, atol: str) -> tuple[str, str, str]:
        """The new state and its slope; squared error norms n5 and n3, and the mask of lanes outside the limits."""
        e = self.e
        self.y_new = self.vector()
        limit = e.vector(e.layout.limit, loaded=True)

        def body(d: int, n5: str, n3: str, outside: str) -> list[str]:
            slope, old = self.slope(d), self.y.get(d)
            change = e.combination(A[STAGES], slope)
            new = e.fma(self.h, change, old)
            self.y_new.set(d, new)
            size = e.abs(new)
            inverse = e.div(e.number(1.0), e.fma(rtol, e.larger(e.abs(old), size), atol))
            e5 = e.mul(e.combination(E5, slope), inverse)
            e3 = e.mul(e.sub(change, e.combination(B3, slope)), inverse)
            beyond = e.either(outside, e.compare("ugt", size, limit.get(d)))
            return [e.fma(e5, e5, n5), e.fma(e3, e3, n3), beyond]

        zero = e.number(0.0)
        n5, n3, outside = e.each(body, [(zero, e.V), (zero, e.V), ("zeroinitializer", e.M)])
        self.evaluate(STAGES, self.y_new)
        return n5, n3, outside


def emit_advance(e: Emitter, field: Callable[[str, Vector, Vector], None], *, timed: bool) -> None:
    """The body of ``advance``.

    Args:
        e: at the end of the entry block.
        field: emits the slopes at a time and state.
        timed: whether the right-hand side reads the time.
    """
    rtol, atol = e.splat(e.head(rows.HEAD_RTOL)), e.splat(e.head(rows.HEAD_ATOL))
    e.do("br label %round")
    e.label("round")
    active, rejected = e.flag(rows.ACTIVE), e.flag(rows.REJECTED)
    step, end = e.load(rows.STEP), e.load(rows.END)
    r = Round(e, field, timed)
    cut = r.begin(end, step)
    for s in range(1, STAGES):
        r.stage(s)
    n5, n3, outside = r.finish(rtol, atol)

    error = _error(e, r.h, n5, n3)
    accepted = e.compare("olt", error, e.number(1.0))
    t_next = e.select(accepted, r.t_new, r.t)
    following = e.mul(r.h, _factor(e, error, accepted, rejected))
    least = e.mul(e.number(10.0), _spacing(e, t_next))
    tiny = e.compare("olt", following, least)
    following = e.select(e.both(tiny, accepted), least, following)
    # A step cut to end on the last grid time says nothing of the next.
    following = e.select(e.both(cut, accepted), step, following)

    taken = e.both(accepted, active)
    bad = e.both(outside, taken)
    good = e.without(taken, bad)
    passing = e.both(good, e.compare("ole", e.load(rows.NEXT), r.t_new))
    work = e.select(active, e.number(STEP_COST), e.number(0.0))
    evaluations = e.add(e.load(rows.EVALUATIONS), work)
    evaluations = e.select(passing, e.add(evaluations, e.number(DENSE_COST)), evaluations)
    e.store(evaluations, rows.EVALUATIONS)
    steps = e.load(rows.STEPS)
    e.store(e.select(taken, e.add(steps, e.number(1.0)), steps), rows.STEPS)
    e.do(f"br i1 {e.any(passing)}, label %dense, label %commit")

    e.label("dense")
    coefficients = emit_dense(e, r)
    emit_output(e, r, coefficients, passing, "commit")

    e.label("commit")
    e.store(t_next, rows.TIME)
    e.store(following, rows.STEP)
    e.store(e.op(f"sext {e.M} {e.opposite(accepted)} to {e.I}"), rows.REJECTED, e.I)

    def take(d: int) -> None:
        r.y.write(d, e.select(taken, r.y_new.get(d), r.y.get(d)))
        r.k[0].write(d, e.select(taken, r.k[STAGES].get(d), r.k[0].get(d)))

    e.each(take)
    finished = e.both(good, e.compare("oge", r.t_new, end))
    small = e.both(e.without(active, accepted), tiny)
    spent = e.both(active, e.compare("ogt", evaluations, e.load(rows.BUDGET)))
    attention = e.either(e.either(finished, bad), e.either(small, spent))
    e.do(f"br i1 {e.any(attention)}, label %attend, label %round")

    e.label("attend")
    reason = e.integer(0)
    for mask, bit in (
        (finished, rows.FINISHED),
        (bad, rows.OUTSIDE),
        (small, rows.SMALL),
        (spent, rows.SPENT),
        (e.both(attention, e.compare("uno", error, error)), rows.UNDEFINED),
    ):
        reason = e.op(f"or {e.I} {reason}, {e.select(mask, e.integer(bit), e.integer(0), e.I)}")
    e.store(reason, rows.REASON, e.I)
    e.do("ret void")


def _error(e: Emitter, h: str, n5: str, n3: str) -> str:
    """The error norm; 0 where both estimates are 0, not a number where one is not."""
    size = e.mul(e.fma(e.number(0.01), n3, n5), e.number(float(e.layout.dim)))
    # `larger` keeps its second argument where that is not a number.
    return e.div(e.mul(h, n5), e.sqrt(e.larger(e.number(1e-300), size)))


def _factor(e: Emitter, error: str, accepted: str, rejected: str) -> str:
    """Next step by this one."""
    factor = e.div(e.number(0.9), e.sqrt(e.sqrt(e.sqrt(error))))
    longer = e.smaller(factor, e.number(10.0))
    longer = e.select(rejected, e.smaller(longer, e.number(1.0)), longer)
    return e.select(accepted, longer, e.larger(factor, e.number(0.2)))


def _spacing(e: Emitter, t: str) -> str:
    """Distance from |t| to the next larger double."""
    size = e.abs(t)
    above = e.op(f"add {e.I} {e.op(f'bitcast {e.V} {size} to {e.I}')}, {e.integer(1)}")
    return e.sub(e.op(f"bitcast {e.I} {above} to {e.V}"), size)
