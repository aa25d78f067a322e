"""Growth rates of tangent vectors and of small distances along trajectories, lane by lane, block of time by block.

The tangent equation of a field with jumps lacks what happens at the jump: there the saltation matrix is applied
(``switches.py``, ``tangent_loop.py``). Fields with kinks alone need none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from strangecast.core.streams import stream
from strangecast.systems.derivatives import divergence, tangent
from strangecast.systems.graph import Graph
from strangecast.systems.lyapunov_starts import Starts, enough
from strangecast.systems.pausing_lanes import PausingLanes
from strangecast.systems.scalar_field import ScalarField, compiled_field
from strangecast.systems.switches import switches_of
from strangecast.systems.symbols import Builder, apply

BLOCKS = 10
_LENGTH_BOUND = 20.0  # logarithm: a longer ratio of lengths costs the shortest vector its digits
_FINISHED = 0


@dataclass(frozen=True)
class Pace:
    """How long and how finely a measurement goes.

    Attributes:
        skip: time to turn vectors before anything is counted.
        span: time that is counted.
        first_step: to try first.
        budget: evaluations of one trajectory.
        rtol: relative tolerance; the absolute one is ``rtol * min(scale) / 10``.
    """

    skip: float
    span: float
    first_step: float
    budget: int
    rtol: float


@dataclass(frozen=True)
class TangentRates:
    """Letters: N initial conditions that could be followed, B blocks of time, k vectors.

    Attributes:
        rates: [N, B, k] growth rates; NaN in blocks after a trajectory has left.
        divergences: [N, B] mean divergence of the field in the same blocks.
        saltation: whether the field was seen to jump, and saltation matrices were applied.
        slides: whether the flow was seen to slide along a surface. One direction is lost there altogether: the last of
            D exponents is minus infinity, and at most D - 1 have rates.
    """

    rates: np.ndarray
    divergences: np.ndarray
    saltation: bool
    slides: bool


def tangent_rates(
    graph: Graph,
    starts: Starts,
    parameters: np.ndarray,
    limits: np.ndarray,
    pace: Pace,
    k: int,
    key: tuple,
    once: bool = False,
) -> TangentRates | None:
    """Rates of k orthogonal tangent vectors, or None where half of the time cannot be followed.

    Args:
        graph: right-hand side, of D coordinates.
        starts: N states.
        parameters: [P].
        limits: [D], absolute values beyond which a trajectory counts as diverged.
        pace: how long.
        k: number of vectors, 1 to D.
        key: of the stream that draws the first vectors.
        once: whether nobody will ask for this graph again.
    """
    from strangecast.systems.tangent_loop import follow_tangents

    parameters = np.ascontiguousarray(parameters, np.float64)
    lanes = PausingLanes.of(variational(graph, k), pace.rtol, 0.1 * pace.rtol * float(starts.scale.min()), once)
    found = switches_of(graph)
    if found is None:
        levels, held, kinds = ScalarField(), ScalarField(), np.zeros(0, np.int64)
    else:
        levels, held = compiled_field(found.levels), compiled_field(found.field)
        kinds = np.array(found.kinds, np.int64)
    vectors = np.linalg.qr(stream("tangents", *key).standard_normal((graph.dim, k)))[0].T.copy()
    # One vector only has to stay finite, several have to stay apart.
    rounds = 1 if found else (12 if k == 1 else 3)
    while True:
        n = len(starts.states)
        logs, volumes = np.zeros((n, k, BLOCKS)), np.zeros((n, BLOCKS))
        status, until = np.zeros(n, np.int64), np.full(n, starts.time)
        worst, jumped, slid = 0.0, 0, 0
        for i in range(0, n, lanes.width):
            part = slice(i, i + lanes.width)
            ratio, jumps, slides = follow_tangents(
                lanes.handles, (levels.address, held.address, kinds), starts.states[part], vectors, parameters, starts.scale, limits,
                (starts.time, pace.skip, pace.span), (rounds, pace.first_step, pace.budget),
                (logs[part], volumes[part], status[part], until[part]),
            )  # fmt: skip
            worst, jumped, slid = min(worst, ratio), jumped + jumps, slid + slides
        if worst > -_LENGTH_BOUND or rounds == 1:
            break
        rounds = 1
    if slid and k == graph.dim > 1:
        # The last direction is gone: follow the others.
        return tangent_rates(graph, starts, parameters, limits, pace, k - 1, key, once)
    kept = _blocks_kept(status, until, starts, pace)
    if kept is None:
        return None
    rates, divergences = (np.where(kept[..., None], x, np.nan) for x in (logs.swapaxes(1, 2), volumes[..., None]))
    some, width = kept.any(axis=1), pace.span / BLOCKS
    return TangentRates(rates[some] / width, divergences[some, :, 0] / width, jumped > 0, slid > 0)


def pair_rates(
    graph: Graph,
    starts: Starts,
    parameters: np.ndarray,
    limits: np.ndarray,
    pace: Pace,
    separation: float,
    key: tuple,
) -> np.ndarray | None:
    """Rates [N, B], or NaN, at which a small distance grows; arguments and None as for :func:`tangent_rates`.

    Across a jump of the field the two trajectories are told apart only if steps there are much shorter than the time
    between their crossings: let ``pace.rtol`` be far below ``separation``.
    """
    from strangecast.systems.pair_loop import follow_pairs

    parameters = np.ascontiguousarray(parameters, np.float64)
    lanes = PausingLanes.of(pair(graph), pace.rtol, 0.1 * pace.rtol * float(starts.scale.min()))
    n = len(starts.states)
    directions = np.array([stream("pair", *key, i).standard_normal(graph.dim) for i in range(n)])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    logs = np.zeros((n, BLOCKS))
    status, until = np.zeros(n, np.int64), np.full(n, starts.time)
    for i in range(0, n, lanes.width):
        part = slice(i, i + lanes.width)
        follow_pairs(
            lanes.handles, starts.states[part], directions[part], parameters, starts.scale, limits,
            (starts.time, pace.skip, pace.span), (4, pace.first_step, pace.budget), separation,
            (logs[part], status[part], until[part]),
        )  # fmt: skip
    kept = _blocks_kept(status, until, starts, pace)
    if kept is None:
        return None
    return np.where(kept, logs, np.nan)[kept.any(axis=1)] / (pace.span / BLOCKS)


def _blocks_kept(status: np.ndarray, until: np.ndarray, starts: Starts, pace: Pace) -> np.ndarray | None:
    """[N, B] of bool: blocks that were followed to their ends, or None where that is not more than half of them.

    A trajectory that leaves its attractor for ever counts until then.
    """
    done = np.floor((until - starts.time - pace.skip) / pace.span * BLOCKS)
    kept = np.arange(BLOCKS) < np.where(status == _FINISHED, BLOCKS, done)[:, None]
    return kept if enough(kept.ravel()) else None


@lru_cache(maxsize=256)
def variational(graph: Graph, k: int) -> Graph:
    """The flow, k tangent vectors, and one coordinate more whose derivative is the divergence: D (1 + k) + 1 in all."""
    flow = tangent(graph, k)
    builder = Builder(flow.dim + 1, graph.n_parameters)
    outputs = apply(flow, builder.time, builder.state[:-1], builder.parameters)
    outputs += apply(divergence(graph), builder.time, builder.state[: graph.dim], builder.parameters)
    return builder.graph(outputs)


@lru_cache(maxsize=256)
def pair(graph: Graph) -> Graph:
    """Two copies of a flow with the same parameters side by side: coordinates 0 to D - 1 and D to 2 D - 1."""
    d = graph.dim
    builder = Builder(2 * d, graph.n_parameters)
    outputs = []
    for c in (0, d):
        state = builder.state[c : c + d]
        outputs += apply(
            graph, builder.time, state, builder.parameters, lambda i, lag, c=c: builder.delayed(c + i, lag)
        )
    return builder.graph(outputs)
