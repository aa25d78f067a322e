"""Which label is good on which system: the median of a metric in every cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from strangecast.paper.frames import labelled_scores, metric_words, ordered_labels
from strangecast.paper.style import figure_style, notice, size, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

WHAT = "figure skill_heatmap"
MANY = 24  # systems beyond which cells carry no number


def draw(
    frames: dict[str, pd.DataFrame],
    *,
    metric: str = "valid_prediction_time",
    suite: str | None = None,
    width: str = "column",
) -> Figure:
    """Systems down, labels across; a frame marks the best label of a system.

    Args:
        frames: ``scores``, ``runs`` and, for system names, ``windows``.
        metric: metric shown, at its longest horizon.
        suite: the first by default.
        width: ``column`` or ``full``.

    Raises:
        ResultsError: a table is missing or the metric is none of the study's.
    """
    scores = labelled_scores(frames, metric, WHAT, suite=suite)
    title, unit, higher = metric_words(frames, metric)
    if scores.empty:
        return notice(f"{title} is not defined for any of these data.", width)
    shown = ordered_labels(frames, scores["label"])
    cells = scores.groupby(["system", "label"])["value"].median().unstack("label").reindex(columns=shown)
    best = cells.max(axis=1) if higher else cells.min(axis=1)
    cells = cells.loc[best.sort_values(ascending=not higher, kind="stable").index]
    values = cells.to_numpy(float)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    many = len(cells) > MANY
    with figure_style() as plt:
        figure, axis = plt.subplots(figsize=size(width, 30 + (2.7 if many else 4.8) * len(cells)))
        image = axis.imshow(
            np.where(np.isfinite(values), values, np.nan),
            aspect="auto",
            cmap=plt.get_cmap("cividis" if higher else "cividis_r").with_extremes(bad="#e8e8e8"),
            vmin=low,
            vmax=high if high > low else low + 1.0,
        )
        if not many:
            _numbers(axis, image, values)
        if len(shown) > 1:
            _frames(axis, values, higher)
        slanted = len(shown) > 4
        axis.set_xticks(
            range(len(shown)), [wrapped(label, 24 if slanted else 11) for label in shown], rotation=35 if slanted else 0
        )
        axis.set_yticks(range(len(cells)), cells.index, fontsize=5 if many else 6.5)
        axis.tick_params(length=0)
        axis.xaxis.tick_top()
        if slanted:
            plt.setp(axis.get_xticklabels(), ha="left", rotation_mode="anchor")
        axis.spines[:].set_visible(False)
        thin = 3.5 / (5 + (2.7 if many else 4.8) * len(cells))
        bar = figure.colorbar(image, ax=axis, orientation="horizontal", fraction=thin, aspect=36, pad=0.02)
        bar.outline.set_visible(False)
        bar.set_label(f"{title}, median ({unit})" if unit else f"{title}, median")
    return figure


def _numbers(axis: Axes, image: AxesImage, values: np.ndarray) -> None:
    for (i, j), value in np.ndenumerate(values):
        red, green, blue, _ = image.to_rgba(value) if np.isfinite(value) else (1, 1, 1, 1)
        ink = "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45 else "black"
        axis.text(j, i, _number(value), ha="center", va="center", fontsize=6, color=ink)


def _frames(axis: Axes, values: np.ndarray, higher: bool) -> None:
    from matplotlib.patches import Rectangle

    for i, row in enumerate(values):
        if np.isfinite(row).any():
            best = np.nanmax(row) if higher else np.nanmin(row)
            for j in np.flatnonzero(row == best):
                place = (j - 0.47, i - 0.44)
                axis.add_patch(Rectangle(place, 0.94, 0.88, fill=False, edgecolor="#D55E00", linewidth=1.1, clip_on=False))


def _number(value: float) -> str:
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "∞"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}"
