"""Series to try metrics on."""

from __future__ import annotations

from functools import cache

import numpy as np

from strangecast.metrics.scale import Scale, window_scale

LORENZ_DT = 0.015


@cache
def _lorenz(n: int, dt: float, substeps: int) -> np.ndarray:
    def slope(s):
        x, y, z = s
        return np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])

    state = np.array([1.0, 2.0, 20.0])
    h = dt / substeps
    out = np.empty((n, 3))
    for i in range(-1000, n):
        for _ in range(substeps):
            a = slope(state)
            b = slope(state + h / 2 * a)
            c = slope(state + h / 2 * b)
            d = slope(state + h * c)
            state = state + h / 6 * (a + 2 * b + 2 * c + d)
        if i >= 0:
            out[i] = state
    out.setflags(write=False)
    return out


def lorenz(n: int, dt: float = LORENZ_DT, first: int = 0) -> np.ndarray:
    """[n, 3] of Lorenz-63, from sample ``first`` of one long trajectory on."""
    return _lorenz(4000 if n + first <= 4000 else n + first, dt, 2)[first : first + n]


def henon(n: int) -> np.ndarray:
    """[n, 2] of Henon's map."""
    out = np.empty((n + 100, 2))
    out[0] = 0.1, 0.1
    for i in range(n + 99):
        out[i + 1] = 1 - 1.4 * out[i, 0] ** 2 + out[i, 1], 0.3 * out[i, 0]
    return out[100:]


def standard(points: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and deviation 1."""
    return (points - points.mean(axis=0)) / points.std(axis=0)


def unit_scale(B: int, C: int, dt: float = 1.0, lyapunov: float = 1.0) -> Scale:
    """A climate of mean 0 and deviation 1, so that values are in its units."""
    zero, one = np.zeros((B, C)), np.ones((B, C))
    return Scale(zero, one, zero, one, np.full(B, dt), np.full(B, lyapunov))


def case(kind: str, H: int = 60, S: int = 2, B: int = 3, T: int = 50):
    """Truth [B, H, 3], forecast [S, B, H, 3] and scale of random walks or of Lorenz-63."""
    rng = np.random.default_rng(1)
    if kind == "random":
        series = rng.standard_normal((B, T + H, 3)).cumsum(axis=1)
        climate = rng.standard_normal((B, 3)), rng.uniform(2, 4, (B, 3))
    else:
        series = np.stack([lorenz(T + H, first=300 * b) for b in range(B)])
        whole = lorenz(4000)
        climate = np.tile(whole.mean(axis=0), (B, 1)), np.tile(whole.std(axis=0), (B, 1))
    context, truth = series[:, :T], series[:, T:]
    growth = np.exp(np.linspace(-4, 1, H))[:, None] * climate[1][:, None]
    forecast = truth + growth * rng.standard_normal((S, B, H, 3))
    return truth, forecast, window_scale(context, *climate, np.full(B, 0.1), np.full(B, 0.9))
