"""A page that shows what augmentations do: shape and course before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from strangecast.analyses.portraits import portrait
from strangecast.paper.projection import bare, draw_curve, projected
from strangecast.paper.style import PALETTE, TRUTH, figure_style, size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEPS = 600  # of a course


class Pair(Protocol):
    """A series before and after: ``data/augmentations/examples.py`` makes them."""

    title: str
    of: tuple[str, ...]
    before: np.ndarray
    after: np.ndarray


def draw(pairs: Sequence[Pair], per_period: int = 100) -> Figure:
    """One row per augmentation: the series before it (grey) and after it (colour), as shapes and against time.

    Args:
        pairs: [T, C] before and [T', K] after, standardised.
        per_period: samples of a period; the lag by which a single channel is shown is a quarter of it.
    """
    with figure_style() as plt:
        figure, axes = plt.subplots(
            len(pairs), 4, figsize=size("full", 8 + 29 * len(pairs)), squeeze=False, width_ratios=(0.8, 1.2, 0.8, 1.2)
        )
        for row, pair in zip(axes, pairs, strict=True):
            for i, (values, colours) in enumerate(((pair.before, (TRUTH,)), (pair.after, PALETTE))):
                _shape(row[2 * i], values, colours[0], max(1, per_period // 4))
                _course(row[2 * i + 1], values, colours)
            row[0].set_title(f"{pair.title}: {' and '.join(pair.of)}")
            row[2].set_title(
                f"{pair.after.shape[1]} channels after" if pair.after.shape[1] > 1 else "one channel after"
            )
        for axis in axes[-1][1::2]:
            axis.set_xlabel("Time (samples)")
    return figure


def _shape(axis: Axes, values: np.ndarray, colour: str, lag: int) -> None:
    names = [f"{i}" for i in range(values.shape[1])]
    page, depth = projected(portrait(values, names, lag=lag, points=len(values)).points)
    bare(axis, page)
    draw_curve(axis, page, depth, colour, 0.4)


def _course(axis: Axes, values: np.ndarray, colours: Sequence[str]) -> None:
    shown = values[:STEPS, :6]
    low, high = shown.min(axis=0), shown.max(axis=0)
    scaled = (shown - low) / np.where(high > low, high - low, 1.0)
    for c in range(shown.shape[1]):
        axis.plot(scaled[:, c] - 1.15 * c, color=colours[c % len(colours)], linewidth=0.6)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.set_xlim(0, len(shown) - 1)
