"""From a trajectory in two or three coordinates to ink on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from strangecast.paper.style import tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Where the eye stands: that of most printed pictures of attractors.
AZIMUTH, ELEVATION = np.deg2rad(-60.0), np.deg2rad(25.0)
# Ink from the farthest quarter of a curve to the nearest.
STRENGTH = (0.45, 0.62, 0.8, 1.0)


def projected(points: np.ndarray, frame: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Points as seen, and how near they are.

    Coordinates are first measured in units of their range, so that no unit decides what is seen. Three are then seen
    obliquely, from above; two are seen as they are.

    Args:
        points: [n, 3]; the third coordinate is NaN where there are two.
        frame: [m, 3], points whose range counts; ``points`` by default.

    Returns:
        [n, 2] on the page and [n] depth, larger being nearer (0 where there are two coordinates). Points that are not
        finite stay so.
    """
    points = np.asarray(points, np.float64)
    frame = points if frame is None else np.asarray(frame, np.float64)
    finite = frame[np.isfinite(frame[:, :2]).all(axis=1)]
    low, high = (finite.min(axis=0), finite.max(axis=0)) if len(finite) else (np.zeros(3), np.ones(3))
    unit = (points - (low + high) / 2) / np.where(high > low, high - low, 1.0)
    if not np.isfinite(finite[:, 2]).any():
        return unit[:, :2], np.zeros(len(unit))
    s, c = np.sin(AZIMUTH), np.cos(AZIMUTH)
    up, out = np.sin(ELEVATION), np.cos(ELEVATION)
    right = np.array([-s, c, 0.0])
    above = np.array([-up * c, -up * s, out])
    towards = np.array([out * c, out * s, up])
    return np.stack([unit @ right, unit @ above], axis=1), unit @ towards


def draw_curve(axis: Axes, page: np.ndarray, depth: np.ndarray, colour: str, width: float = 0.4) -> None:
    """A curve [n, 2], what is nearer in stronger ink and on top."""
    finite = np.isfinite(page).all(axis=1)
    if not finite.any():
        return
    if np.ptp(depth[finite]) == 0:
        axis.plot(page[:, 0], page[:, 1], color=colour, linewidth=width)
        return
    edges = np.quantile(depth[finite], np.linspace(0, 1, len(STRENGTH) + 1)[1:-1])
    band = np.searchsorted(edges, depth)
    for i, strength in enumerate(STRENGTH):
        own = band == i
        # A piece goes on to the first point of the next one, so that no gap opens where the ink changes.
        shown = own.copy()
        shown[1:] |= own[:-1]
        piece = np.where(shown[:, None], page, np.nan)
        axis.plot(piece[:, 0], piece[:, 1], color=tint(colour, strength), linewidth=width, zorder=2 + 0.1 * i)


def bare(axis: Axes, page: np.ndarray, room: float = 0.06) -> None:
    """No axes, and limits around the finite points of ``page`` [n, 2]."""
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    finite = page[np.isfinite(page).all(axis=1)]
    if len(finite):
        for set_limits, values in ((axis.set_xlim, finite[:, 0]), (axis.set_ylim, finite[:, 1])):
            low, high = float(values.min()), float(values.max())
            space = room * (high - low) or 1.0
            set_limits(low - space, high + space)
