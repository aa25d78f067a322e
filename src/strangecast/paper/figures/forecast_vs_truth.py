"""What forecasts look like: one window of a few systems, every label beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from strangecast.core.errors import ResultsError, unknown
from strangecast.paper.frames import need, one_suite, ordered_labels
from strangecast.paper.style import FAINT, TRUTH, colours, figure_style, size, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHAT = "figure forecast_vs_truth"
_COLUMNS = ["suite", "dataset", "system", "label", "step", "lyapunov_time", "channel", "truth", "forecast"]


def draw(
    frames: dict[str, pd.DataFrame],
    *,
    systems: list[str] | int = 3,
    labels: list[str] | int = 6,
    channel: int = 0,
    lyapunov_times: float | None = None,
    suite: str | None = None,
    width: str = "full",
) -> Figure:
    """A grid of panels, systems down and labels across; the truth in grey, the forecast in the label's colour.

    Where an emulator draws samples, the line is their median and a pale band spans their 10 % to 90 % quantiles.

    The ordinate of a row spans the truth: a forecast that leaves it leaves the panel, and one that is not finite ends.
    Thin vertical lines mark whole Lyapunov times.

    Args:
        frames: ``analysis/forecast_examples``.
        systems: names of systems or datasets, or how many of the first.
        labels: labels, or how many of the first.
        channel: index of the channel shown.
        lyapunov_times: length of the abscissa; the whole horizon by default.
        suite: the first by default.
        width: ``column`` or ``full``.

    Raises:
        ResultsError: the analysis is missing or lacks what is asked for.
    """
    table = one_suite(need(frames, "analysis/forecast_examples", _COLUMNS, WHAT), suite, WHAT)
    datasets = _chosen_datasets(table, systems)
    shown = ordered_labels(frames, table["label"])
    if isinstance(labels, int):
        shown = shown[:labels]
    else:
        for label in labels:
            if label not in shown:
                raise ResultsError(f"{WHAT}: {unknown('label with forecasts', label, shown)}")
        shown = list(labels)
    colour = colours(frames, table["label"])
    with figure_style() as plt:
        shape = (len(datasets), len(shown))
        figure, axes = plt.subplots(*shape, figsize=size(width, 13 + 24 * len(datasets)), squeeze=False)
        known = table["lyapunov_time"].notna().all()
        for row, dataset in zip(axes, datasets, strict=True):
            own = table[table["dataset"] == dataset]
            channels = list(dict.fromkeys(own["channel"]))
            name = channels[min(channel, len(channels) - 1)]
            own = own[own["channel"] == name].sort_values("step")
            end = own["lyapunov_time" if known else "step"].max()
            end = min(lyapunov_times, end) if lyapunov_times and known else end
            for axis, label in zip(row, shown, strict=True):
                _panel(axis, own[own["label"] == label], colour[label], known)
            _frame(row, own, end, known)
            row[0].set_ylabel(f"{own['system'].iloc[0]}\n{name}")
        for axis, label in zip(axes[0], shown, strict=True):
            axis.set_title(wrapped(label), color=colour[label])
        figure.supxlabel(
            "Time since the context ended (Lyapunov times)" if known else "Samples since the context ended", fontsize=7
        )
        figure.align_ylabels()
    return figure


def _chosen_datasets(table: pd.DataFrame, systems: list[str] | int) -> list[str]:
    names = table[["dataset", "system"]].drop_duplicates()
    if isinstance(systems, int):
        return list(names["dataset"])[:systems]
    chosen: list[str] = []
    for wanted in systems:
        found = names[(names["system"] == wanted) | (names["dataset"] == wanted)]
        if found.empty:
            raise ResultsError(f"{WHAT}: {unknown('system with forecasts', wanted, map(str, names['system']))}")
        chosen += [d for d in found["dataset"] if d not in chosen]
    return chosen


def _panel(axis: Axes, own: pd.DataFrame, colour: str, known: bool) -> None:
    if own.empty:
        axis.text(0.5, 0.5, "no forecast", transform=axis.transAxes, ha="center", va="center", fontsize=6)
        return
    time = own["lyapunov_time" if known else "step"].to_numpy(float)
    truth, forecast = own["truth"].to_numpy(float), own["forecast"].to_numpy(float)
    axis.plot(time, truth, color=TRUTH, linewidth=0.8, alpha=0.7)
    axis.plot(time, _seen(forecast, truth), color=colour, linewidth=1.0)
    if "low" in own and own["low"].notna().any():
        low, high = (_seen(own[c].to_numpy(float), truth) for c in ("low", "high"))
        axis.fill_between(time, low, high, color=colour, alpha=0.25, linewidth=0)


def _seen(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Values to draw: NaN where they are not finite.

    What lies beyond the panel is not seen, but numbers near the largest float upset the transforms.
    """
    room = np.ptp(truth) or 1.0
    return np.where(np.isfinite(values), np.clip(values, truth.min() - 3 * room, truth.max() + 3 * room), np.nan)


def _frame(row: np.ndarray, own: pd.DataFrame, end: float, known: bool) -> None:
    """The same limits and few ticks for all panels of a row; numbers on the ordinate of the first only."""
    low, high = own["truth"].min(), own["truth"].max()
    room = 0.12 * (high - low) or 1.0
    for i, axis in enumerate(row):
        axis.set_ylim(low - room, high + room)
        axis.set_xlim(0, end)
        axis.locator_params(axis="x", nbins=4 if len(row) > 3 else 6)
        axis.locator_params(axis="y", nbins=3)
        if i:
            axis.tick_params(axis="y", labelleft=False)
        if known and end <= 25:
            for whole in range(1, int(end) + 1):
                axis.axvline(whole, color=FAINT, linewidth=0.35, alpha=0.5, zorder=0)
