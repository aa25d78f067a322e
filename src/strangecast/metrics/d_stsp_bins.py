"""State-space divergence by bins: do truth and forecast visit the same places equally often?"""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.metrics.attractors import by_window, points
from strangecast.metrics.scale import Scale

DEFINITIONS = ("counted", "alrnn", "dynamix")
MARGIN = 0.1  # standard deviations around the truth
MOST = 10  # dimensions; the sources take a Gaussian mixture from 11 on


def d_stsp_bins(
    truth: np.ndarray,
    forecast: np.ndarray,
    scale: Scale,
    bins: int = 30,
    smoothing: float = 1e-5,
    definition: str = "counted",
) -> np.ndarray:
    """Kullback-Leibler divergence, natural logarithm, of the histogram of all forecast states from that of all true ones.

    See :func:`bins_divergence` for cells, smoothing and the three definitions. It depends on the generated length, which
    is the horizon in the table: a cell that the forecast never visits costs about log(length / smoothing) per share of
    the truth in it, so a collapsed forecast scores worse the longer it runs. Compare at one length, and with the floor.

    Known values: the truth scores 0, in any order of time. Never negative. Unchanged when channels are shifted, rescaled
    or exchanged. Not symmetric. On Lorenz-63 with 5 % noise in the truth, 10,000 clean samples score 0.4 to
    0.6 and an untrained network 13.6 (``dynamix``).

    Sources: G. Koppe, H. Toutounji, P. Kirsch, S. Lis, D. Durstewitz, PLoS Comput. Biol. 15, e1007263 (2019); the
    almost-linear RNN (Brenner et al., NeurIPS 2024, arXiv 2410.14240) uses it with 30 bins up to ten dimensions.

    Args:
        truth: [B, H, C, *grid], C * grid at most 10.
        forecast: [S, B, H, C, *grid].
        scale: gives the climate, in whose deviations coordinates are taken (they cancel).
        bins: per dimension.
        smoothing: added to the count of every cell.
        definition: of ``DEFINITIONS``.

    Returns:
        [S, B], at least 0, in nats, lower is better; infinite where the forecast diverged.
    """
    _check(bins, smoothing, definition)
    return by_window(
        truth,
        forecast,
        scale,
        lambda true, b: true,
        lambda true, mine: bins_divergence(true, mine, bins, smoothing, definition),
        np.inf,
    )


def defined(
    truth: np.ndarray, scale: Scale, bins: int = 30, smoothing: float = 1e-5, definition: str = "counted"
) -> np.ndarray:
    """[B] of bool: at most ten dimensions."""
    dims = [points(truth[b, :1], scale.climate_mean[b], scale.climate_std[b]).shape[1] for b in range(len(truth))]
    return np.array(dims, np.int64) <= MOST


def bins_divergence(
    truth: np.ndarray, generated: np.ndarray, bins: int = 30, smoothing: float = 1e-5, definition: str = "counted"
) -> float:
    """sum over the K = bins^D cells of p log(p / q), with p = (n + a) / (N + a K), a the smoothing.

    ``counted`` (this project's): per dimension ``bins`` equal cells from the truth's least value less 0.1 of its standard
    deviations to its greatest plus 0.1. N is the number of all points, so that a point outside the cells is lost mass:
    a generator that leaves them pays log(1 / share inside) and, where it leaves them altogether, the worst possible.

    ``alrnn``: the same cells, but points outside are dropped before counting (the reference in Julia). Equal to
    ``counted`` as long as there are none.

    ``dynamix``: cells from the least to the greatest value of the truth; the first cell of each dimension and the
    greatest value itself are thrown away on both sides (the reference in Python and its notebook). Infinite where nothing
    is left of either.

    Args:
        truth: [T, D], finite.
        generated: [T', D], finite; the lengths may differ.
        bins: per dimension.
        smoothing: a.
        definition: of ``DEFINITIONS``.

    Raises:
        ConfigError: numbers or a definition that cannot be.
    """
    _check(bins, smoothing, definition)
    low, high = truth.min(axis=0), truth.max(axis=0)
    if definition != "dynamix":
        margin = MARGIN * truth.std(axis=0, ddof=1) if len(truth) > 1 else 0.0
        low, high = low - margin, high + margin
    true, mine = (_cells(x, low, high, bins, definition) for x in (truth, generated))
    if definition == "dynamix" and not (len(true) and len(mine)):
        return float("inf")
    n_true, n_mine = (len(truth), len(generated)) if definition == "counted" else (len(true), len(mine))
    visited, where = np.unique(np.concatenate([true, mine]), return_inverse=True)
    count = (np.bincount(w, minlength=len(visited)) for w in (where[: len(true)], where[len(true) :]))
    cells = float(bins) ** truth.shape[1]
    base = [n + smoothing * cells for n in (n_true, n_mine)]
    p, q = ((c + smoothing) / n for c, n in zip(count, base, strict=True))
    empty = (cells - len(visited)) * (smoothing / base[0]) * np.log(base[1] / base[0])
    return float(max((p * np.log(p / q)).sum() + empty, 0.0))  # what is negative is rounding


def _cells(x: np.ndarray, low: np.ndarray, high: np.ndarray, bins: int, definition: str) -> np.ndarray:
    """Number of the cell of each point [T, D] that lies in one."""
    width = np.where(high > low, high - low, 1.0)  # a dimension that stands still is one cell wide, at its value
    position = bins * ((x - low) / width)
    first = 1 if definition == "dynamix" else 0
    # A point on the upper edge is in the last cell, and one far outside must not overflow an integer.
    edge = bins if definition == "dynamix" else np.nextafter(float(bins), np.inf)
    still = high <= low
    inside = np.where(still, x == low, (position >= first) & (position < edge)).all(axis=1)
    cell = np.minimum(position[inside].astype(np.int64), bins - 1)
    return cell @ (bins ** np.arange(x.shape[1], dtype=np.int64))


def _check(bins: int, smoothing: float, definition: str) -> None:
    if definition not in DEFINITIONS:
        raise ConfigError(unknown("definition of d_stsp by bins", definition, DEFINITIONS))
    if bins < 2 or not smoothing > 0:
        raise ConfigError(f"d_stsp by bins needs at least 2 bins and positive smoothing, found {bins} and {smoothing}")
