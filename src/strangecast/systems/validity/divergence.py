"""Do neighbouring states of the trajectory separate?"""

from __future__ import annotations

import numpy as np
from numba import njit

from strangecast.systems.validity.record import Record, as_record
from strangecast.systems.validity.verdict import Verdict

_COPIES = 3  # of the state, a delay apart: states that only look alike are told apart by where they came from
_SERIES = 8  # of a field, evenly spread over those that move
_STRIDE = 8  # distances per turn
_LEAST = 30  # pairs


def divergence(values: np.ndarray | Record, min_growth: float = 0.05, references: int = 256) -> Verdict:
    """Fail a trajectory whose neighbouring states keep their distance: a cycle or a torus.

    A turn is taken as four delays of least mutual information (the median over channels). States are three copies of
    all standardised channels, one delay apart. For each of ``references`` states, evenly spaced in time, the nearest
    one more than a turn away in time is followed for two turns. The statistic is the mean of log(distance) over the
    second turn less that over the first: about the largest exponent per turn while distances are small, less once
    they are of the size of the attractor, 0 on a cycle, near 0 on a torus. The 0-1 test needs thousands of turns to
    tell a torus with harmonics from chaos; this one needs some tens. Of random two-frequency tori of 32 turns it passes
    a fifth, of trajectories of default flows with a positive exponent it fails one in a hundred.

    Source: M. T. Rosenstein, J. J. Collins, C. J. De Luca, Physica D 65 (1993) 117, read off after one turn.

    Args:
        values: [T, C, *grid] or its record.
        min_growth: smallest allowed statistic.
        references: number of states followed.
    """
    record = as_record(values)
    if not record.finite:
        return Verdict(False, float("nan"), min_growth, "not finite")
    if not record.moving.any():
        return Verdict(False, 0.0, min_growth, "nothing moves")
    growth = growth_per_turn(record, references)
    note = "too few turns" if np.isnan(growth) else ""
    return Verdict(bool(growth >= min_growth), growth, min_growth, note)


def growth_per_turn(record: Record, references: int = 256) -> float:
    """The statistic; NaN where the record has too few turns for 30 pairs of neighbours."""
    chosen = np.flatnonzero(record.moving)
    if not len(chosen):
        return float("nan")
    chosen = chosen[np.unique(np.linspace(0, len(chosen) - 1, min(_SERIES, len(chosen))).astype(int))]
    delay = int(np.median([record.delay(int(i)) for i in chosen]))
    turn = 4 * delay
    z = (record.series[chosen] - record.mean[chosen, None]) / record.std[chosen, None]
    n = record.length - (_COPIES - 1) * delay
    if n - 2 * turn < turn:
        return float("nan")
    states = np.concatenate([z[:, j * delay : j * delay + n] for j in range(_COPIES)])
    starts = np.unique(np.linspace(0, n - 2 * turn - 1, references).astype(np.int64))
    stride = max(1, turn // _STRIDE)
    logs, pairs = _mean_logs(states, starts, turn, stride)
    if pairs < _LEAST:
        return float("nan")
    half = turn // stride
    return float(logs[half : 2 * half].mean() - logs[:half].mean())


@njit(cache=True)
def _mean_logs(states, starts, turn, stride):
    """Mean log distance after 0, stride, 2 stride, ... < 2 turns of each start and its nearest, and the pairs used."""
    d, n = states.shape
    size = n - 2 * turn
    steps = (2 * turn) // stride
    total = np.zeros(steps)
    pairs = 0
    distance = np.empty(size)
    for i in starts:
        distance[:] = 0.0
        for k in range(d):
            x = states[k, i]
            row = states[k]
            for t in range(size):
                e = row[t] - x
                distance[t] += e * e
        best, nearest = np.inf, -1
        for t in range(size):
            if distance[t] < best and abs(t - i) > turn:
                best, nearest = distance[t], t
        if nearest < 0:
            continue
        pairs += 1
        for s in range(steps):
            square = 0.0
            for k in range(d):
                e = states[k, i + s * stride] - states[k, nearest + s * stride]
                square += e * e
            total[s] += 0.5 * np.log(max(square, 1e-24))
    return total / max(pairs, 1), pairs
