"""Coupling maps of skew products: how the motion of a driver enters the motion of a response.

With the driver's flow ``v = x'`` and the response's own flow ``g(y)``, of Dx and Dy coordinates:

additive
    ``y' = drive v + own * g(y)``. Each response coordinate is driven by one coordinate of the driver, chosen without
    replacement from the driver's coordinates and, where the response has more, as many zeros; so ``drive`` [Dy, Dx] has
    at most one entry per row and column. ``own`` [Dy] is 1.
activated
    ``y' = gain * act(drive v) + own g(y)`` with act tanh, sin or relu. ``drive`` [Dy, Dx] is a normal random matrix, of
    full rank or of rank 1 with equal probability; ``own`` [Dy, Dy] is the identity plus a matrix of rank 1.

Amplitudes are normalised by root mean square flows (``flow_scales.csv``): with strength s, a driven coordinate gets a
drive of s times the size of its own flow. s is drawn log-uniform between 0.05 and 1; every further attempt halves that,
down to 0.02, because a response that was driven out of its basin may stand a weaker drive. Because matrices, gains and
selections are parameters, all couplings of one pair and kind (and activation) share one graph and one compiled kernel,
and the parameter sampler perturbs them like any other parameter.

Sources: Lai, Bao and Gilpin, arXiv 2505.13755; there the flow of the response is divided by its size too, coordinate by
coordinate, which makes another system of it. Here the response keeps its own flow and units.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from strangecast.systems.symbols import Scalar, maximum, operate

STRENGTH, LEAST = (0.05, 1.0), 0.02
SELF_MIXING = 0.3


def coupled(
    kind: str, activation: str, v: Sequence[Scalar], g: Sequence[Scalar], parameters: Sequence[Scalar]
) -> list[Scalar]:
    """The response's flow [Dy].

    Args:
        kind: additive or activated.
        activation: tanh, sin or relu; read by activated alone.
        v: [Dx], the driver's flow.
        g: [Dy], the response's own flow.
        parameters: in the order of ``skew_names.coupling_parameters``.
    """
    n, m = len(g), len(v)
    if kind == "additive":
        drive, own = parameters[: n * m], parameters[n * m :]
        return [_dot(drive[i * m : (i + 1) * m], v) + own[i] * g[i] for i in range(n)]
    gain, drive, own = parameters[:n], parameters[n : n + n * m], parameters[n + n * m :]
    return [
        gain[i] * _bent(activation, _dot(drive[i * m : (i + 1) * m], v)) + _dot(own[i * n : (i + 1) * n], g)
        for i in range(n)
    ]


def draw(kind: str, speed_v: np.ndarray, speed_g: np.ndarray, rng: np.random.Generator, attempt: int = 0) -> np.ndarray:
    """Parameters of a coupling.

    Args:
        kind: additive or activated.
        speed_v: [Dx], root mean square of the driver's flow.
        speed_g: [Dy], of the response's.
        rng: keyed to the product and the attempt.
        attempt: how many have failed.
    """
    n, m = len(speed_g), len(speed_v)
    strength = max(LEAST, float(np.exp(rng.uniform(*np.log(STRENGTH)))) * 0.5**attempt)
    per_unit = np.divide(1.0, speed_v, out=np.zeros(m), where=speed_v > 0)
    if kind == "additive":
        drive = np.zeros((n, m))
        for i, j in enumerate(rng.permutation(max(n, m))[:n]):
            if j < m:
                drive[i, j] = strength * speed_g[i] * per_unit[j]
        return np.concatenate([drive.ravel(), np.ones(n)])
    full = rng.random() < 0.5
    matrix = rng.standard_normal((n, m)) if full else np.outer(rng.standard_normal(n), rng.standard_normal(m))
    direction = rng.standard_normal(n)
    direction /= np.linalg.norm(direction)
    mixing = SELF_MIXING * strength * rng.standard_normal() * np.outer(direction, direction)
    ratio = np.divide(speed_g[:, None], speed_g[None, :], out=np.zeros((n, n)), where=speed_g[None, :] > 0)
    own = np.eye(n) + mixing * ratio
    return np.concatenate([strength * speed_g, (matrix * per_unit / np.sqrt(m)).ravel(), own.ravel()])


def _dot(row: Sequence[Scalar], vector: Sequence[Scalar]) -> Scalar:
    total = row[0] * vector[0]
    for a, b in zip(row[1:], vector[1:], strict=True):
        total = total + a * b
    return total


def _bent(activation: str, x: Scalar) -> Scalar:
    return maximum(x, 0.0) if activation == "relu" else operate(activation, x)
