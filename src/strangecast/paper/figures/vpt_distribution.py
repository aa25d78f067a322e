"""How long every label's forecasts stay valid: all windows, systems' medians, and the pooled median."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from strangecast.paper.frames import labelled_scores, metric_words, need, one_suite, ordered_labels
from strangecast.paper.style import TRUTH, colours, figure_style, notice, size, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHAT = "figure vpt_distribution"


def draw(
    frames: dict[str, pd.DataFrame],
    *,
    metric: str = "valid_prediction_time",
    suite: str | None = None,
    scale: str = "linear",
    width: str = "column",
) -> Figure:
    """One row per label: faint points are (window, seed), open circles systems' medians, the bar the pooled median.

    The pooled median and its interval are those of the comparison table, not computed again. Values that are not
    finite stand at the panel's worse edge as crosses. Points are spread by their order, not at random.

    Args:
        frames: ``scores``, ``runs``, ``comparisons`` and, for system names, ``windows``.
        metric: metric shown, at its longest horizon.
        suite: the first by default.
        scale: ``linear``, ``log`` or ``symlog``, of the abscissa.
        width: ``column`` or ``full``.

    Raises:
        ResultsError: a table is missing or the metric is none of the study's.
    """
    scores = labelled_scores(frames, metric, WHAT, suite=suite)
    title, unit, higher = metric_words(frames, metric)
    if scores.empty:
        return notice(f"{title} is not defined for any of these data.", width)
    summary = one_suite(need(frames, "comparisons", ["suite", "metric", "label", "median"], WHAT), suite, WHAT)
    summary = summary[summary["peer"].isna() & (summary["metric"] == metric)]
    summary = summary[summary["horizon"] == summary["horizon"].max()].set_index("label")
    shown = ordered_labels(frames, scores["label"])
    colour = colours(frames, shown)
    with figure_style() as plt:
        figure, axis = plt.subplots(figsize=size(width, 20 + 9 * len(shown)))
        axis.set_xscale(scale)
        for place, label in enumerate(shown):
            pooled = summary.loc[label] if label in summary.index else None
            _row(axis, place, scores[scores["label"] == label], pooled, colour[label], higher)
        axis.set_yticks(range(len(shown)), [wrapped(label) for label in shown])
        axis.set_ylim(len(shown) - 0.4, -0.5)
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
        axis.grid(axis="x")
        if scale == "linear":
            axis.locator_params(axis="x", nbins=6)
        axis.set_xlabel(f"{title} ({unit})" if unit else title)
        finite = scores["value"][np.isfinite(scores["value"])]
        if scale == "linear" and len(finite) and finite.min() >= 0:
            axis.set_xlim(-0.015 * (finite.max() or 1.0), 1.03 * (finite.max() or 1.0))
        _key(axis)
    return figure


def _row(axis: Axes, place: int, own: pd.DataFrame, pooled: pd.Series | None, colour: str, higher: bool) -> None:
    own = own.sort_values(["dataset", "window", "seed", "run_id"])
    value = own["value"].to_numpy(float)
    finite = np.isfinite(value)
    spread = place + 0.27 * (2 * ((np.arange(len(value)) * 0.6180339887) % 1) - 1)
    axis.plot(value[finite], spread[finite], ".", color=colour, alpha=0.35, markersize=2.8, markeredgewidth=0, zorder=2)
    if (~finite).any():
        axis.plot(
            np.full((~finite).sum(), 0.0 if higher else 1.0), spread[~finite], "x", color=colour, markersize=3,
            markeredgewidth=0.6, transform=axis.get_yaxis_transform(), clip_on=False,
        )  # fmt: skip
    medians = own.groupby("dataset")["value"].median().to_numpy(float)
    medians = medians[np.isfinite(medians)]
    axis.plot(
        medians, np.full(len(medians), place), "o", markerfacecolor="white", markeredgecolor=colour,
        markeredgewidth=0.9, markersize=3.8, zorder=3, clip_on=False,
    )  # fmt: skip
    if pooled is None or not np.isfinite(pooled["median"]):
        return
    ends = np.array([pooled["low"], pooled["high"]], float)
    if np.isfinite(ends).all():
        axis.plot(ends, [place + 0.38] * 2, color=TRUTH, linewidth=1.3, solid_capstyle="butt", zorder=4, clip_on=False)
    axis.plot([pooled["median"]], [place + 0.38], "D", color=TRUTH, markersize=2.8, zorder=5, clip_on=False)


def _key(axis: Axes) -> None:
    grey = "#777777"
    axis.plot([], [], ".", color=grey, alpha=0.6, markersize=3.5, markeredgewidth=0, label="window and seed")
    axis.plot([], [], "o", markerfacecolor="white", markeredgecolor=grey, markersize=4, label="system's median")
    axis.plot([], [], "D-", color=TRUTH, markersize=2.8, linewidth=1.3, label="median, 95 % interval")
    axis.figure.legend(loc="outside lower center", ncols=3, handletextpad=0.4, columnspacing=1.0)
