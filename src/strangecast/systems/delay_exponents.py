"""Lyapunov exponents of delay flows, on the function segment that is their state.

Two methods that share nothing but the solver. Tangent dynamics: k functions on the last lag follow the linearised
equation beside the trajectory and are orthonormalised again and again. Two trajectories: a second solution a tiny
function apart, drawn back along the difference again and again. Both act on the stored polynomials, so orthonormalising
and drawing back are exact, and the scalar product is an integral without error.

Source: J. D. Farmer, Physica D 4 (1982) 366.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from strangecast.core.streams import stream
from strangecast.systems.derivatives import tangent
from strangecast.systems.exponent_rates import pair
from strangecast.systems.graph import Graph
from strangecast.systems.integrate import Solver
from strangecast.systems.method_of_steps import DelayLaw, lags_of
from strangecast.systems.segment import COEFFICIENTS, Segment, nested, segment_of

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(COEFFICIENTS)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1), 0.5 * _WEIGHTS
# Values of a piece at the nodes, each times the root of its weight, from its coefficients: squares sum to integrals.
_SAMPLES = np.sqrt(_WEIGHTS)[:, None] * np.stack([nested(row[:, None], _NODES) for row in np.eye(COEFFICIENTS)], axis=1)
_LAG_BUDGET = 10  # periods' worth of evaluations for each lag


def delay_spectrum_rates(
    graph: Graph,
    start: Segment,
    parameters: np.ndarray,
    scale: np.ndarray,
    solver: Solver,
    k: int,
    lags: int,
    key: tuple,
) -> np.ndarray | None:
    """Growth rates [lags, k] of k orthogonal functions over consecutive longest lags, or None where they cannot be followed.

    Args:
        graph: with delayed coordinates, D of them.
        start: a segment on the attractor.
        parameters: [P].
        scale: [D], units of the coordinates.
        solver: tolerances of state and tangent functions.
        k: number of exponents.
        lags: length of the average in longest lags; ten percent more come before it, to turn the functions.
        key: of the stream that draws the first functions.
    """
    from strangecast.systems.delay_loop import orthonormalise_functions

    lag = float(lags_of(graph, parameters).max())
    start = segment_of(start, start.end, lag)
    solver = replace(solver, atol=0.1 * solver.rtol * float(scale.min()), limit=math.inf)
    flow = DelayLaw.of(tangent(graph, k), parameters)
    d = graph.dim
    segment = start.joined(_waves(start, lag, scale * stream("delay tangents", *key).standard_normal((k, d))))
    rates = []
    for _ in range(lags + max(2, lags // 10)):
        segment = _onwards(flow, segment, lag, solver)
        if segment is None:
            return None
        coefficients = segment.coefficients.copy()
        tangents = coefficients[:, :, d:].reshape(-1, COEFFICIENTS, k, d) / scale
        growth = orthonormalise_functions(np.ascontiguousarray(_weighted(segment, tangents).T), coefficients)
        if not ((growth > 0) & (growth < math.inf)).all():
            return None
        rates.append(np.log(growth) / lag)
        segment = replace(segment, coefficients=coefficients)
    return np.array(rates[-lags:])


def delay_pair_rates(
    graph: Graph,
    start: Segment,
    parameters: np.ndarray,
    scale: np.ndarray,
    solver: Solver,
    lags: int,
    separation: float,
    key: tuple,
) -> np.ndarray | None:
    """Growth rates [lags] of a small distance between two solutions over consecutive longest lags, or None.

    Args:
        graph, start, parameters, scale, solver, lags: as in :func:`delay_spectrum_rates`.
        separation: distance after each drawing back, in units of ``scale``.
        key: of the stream that draws the first difference, a constant function.
    """
    d, lag = graph.dim, float(lags_of(graph, parameters).max())
    start = segment_of(start, start.end, lag)
    solver = replace(solver, atol=0.1 * solver.rtol * float(scale.min()), limit=math.inf)
    direction = stream("delay pair", *key).standard_normal(d)
    other = start.coefficients.copy()
    other[:, 0] += separation * scale * direction / np.linalg.norm(direction)
    # The equation does not hold for the second history: its slope jumps at the present.
    other = replace(start, coefficients=other)
    segment = replace(start.joined(other), breaks=(*start.breaks, (start.end, 0)))
    flow = DelayLaw.of(pair(graph), parameters)
    rates = []
    for _ in range(lags + max(2, lags // 10)):
        segment = _onwards(flow, segment, lag, solver)
        if segment is None:
            return None
        difference = (segment.coefficients[:, :, d:] - segment.coefficients[:, :, :d])[:, :, None] / scale
        distance = float(np.linalg.norm(_weighted(segment, difference)) / math.sqrt(lag))
        if not 0.0 < distance < math.inf:
            return None
        rates.append(math.log(distance / separation) / lag)
        share = separation / distance
        eye = np.eye(d)
        segment = segment.mapped(np.block([[eye, 0 * eye], [(1 - share) * eye, share * eye]]))
    return np.array(rates[-lags:])


def _onwards(flow: DelayLaw, segment: Segment, span: float, solver: Solver) -> Segment | None:
    times = np.array([segment.end, segment.end + span])
    watched = np.zeros(segment.dim, bool)
    budget = _LAG_BUDGET * solver.evaluations_per_period
    found = flow.follow(segment, times, solver, watched, budget, np.zeros(1))
    return found.segment if found.finished else None


def _weighted(segment: Segment, coefficients: np.ndarray) -> np.ndarray:
    """Samples [M 8 D, k] whose squares sum to the integral, from coefficients [M, 8, k, D]."""
    samples = np.einsum("ij,mjkd->midk", _SAMPLES, coefficients)
    samples *= np.sqrt(segment.widths)[:, None, None, None]
    return samples.reshape(-1, coefficients.shape[2])


def _waves(segment: Segment, lag: float, amplitudes: np.ndarray) -> Segment:
    """Functions cos(j pi s), s from 0 to 1 over the last lag, j < k, times ``amplitudes`` [k, D], on the same pieces."""
    fit = np.linalg.inv(_SAMPLES / np.sqrt(_WEIGHTS)[:, None])
    times = segment.starts[:, None] + segment.widths[:, None] * _NODES
    s = 1 - (segment.end - times) / lag
    values = np.cos(np.pi * np.arange(len(amplitudes)) * s[..., None])[..., None] * amplitudes
    coefficients = np.einsum("ij,mjkd->mikd", fit, values).reshape(len(times), COEFFICIENTS, -1)
    return replace(segment, coefficients=coefficients, breaks=((segment.end, 0),))
