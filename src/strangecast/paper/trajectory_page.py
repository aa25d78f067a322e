"""A page that shows trajectories one below the other: shape, course and spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from strangecast.analyses.shown import Shown
from strangecast.paper.projection import bare, draw_curve, projected
from strangecast.paper.style import FAINT, PALETTE, REJECTED, figure_style, size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TURNS = 12  # periods of the course that are shown
SERIES = 6  # channels that are shown


def draw(shown: Sequence[Shown], title: str = "") -> Figure:
    """One row per trajectory; of more than six channels the first six, of a field the first point of its grid.

    Channels are drawn in units of their range, one above the other; spectra are those of the standardised channels
    under a Hann window, against frequency in turns.

    Args:
        shown: at least one.
        title: of the page.
    """
    with figure_style() as plt:
        figure, axes = plt.subplots(
            len(shown), 3, figsize=size("full", 12 + 34 * len(shown)), squeeze=False, width_ratios=(0.8, 1.6, 1.0)
        )
        for row, one in zip(axes, shown, strict=True):
            _shape(row[0], one)
            series = _series(one.values)
            if len(series) > 1:
                _course(row[1], one, series)
                _spectrum(row[2], one, series)
            _name(row[0], one)
        axes[-1][1].set_xlabel("Time (periods; thin lines: Lyapunov times)" if shown[-1].period else "Time")
        axes[-1][2].set_xlabel("Frequency" + (" (per period)" if shown[-1].period else " (per sample)"))
        if title:
            figure.suptitle(title)
    return figure


def _shape(axis: Axes, one: Shown) -> None:
    seen = one.portrait
    page, depth = projected(seen.points)
    bare(axis, page)
    draw_curve(axis, page, depth, PALETTE[0], 0.4)
    axis.set_xlabel(seen.axes, fontsize=6)


def _series(values: np.ndarray) -> np.ndarray:
    """[T, C], of a field the first point of its grid, without samples that are not finite."""
    flat = (
        np.asarray(values, np.float64).reshape(len(values), values.shape[1], -1)[:, :SERIES, 0]
        if len(values)
        else values
    )
    return flat[np.isfinite(flat).all(axis=1)]


def _course(axis: Axes, one: Shown, series: np.ndarray) -> None:
    unit = one.dt / one.period if one.dt and one.period else one.dt or 1.0
    steps = min(len(series), int(TURNS / unit) + 1) if one.period else len(series)
    time = unit * np.arange(steps)
    low, high = series.min(axis=0), series.max(axis=0)
    scaled = (series[:steps] - low) / np.where(high > low, high - low, 1.0)
    for c in range(series.shape[1]):
        axis.plot(time, scaled[:, c] - 1.15 * c, color=PALETTE[c % len(PALETTE)], linewidth=0.7)
    axis.set_yticks([0.5 - 1.15 * c for c in range(series.shape[1])], one.channels[: series.shape[1]])
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.set_xlim(0, time[-1] or 1.0)
    if one.lyapunov and one.lyapunov > 0 and one.period:
        for whole in np.arange(1, TURNS * one.period * one.lyapunov):
            axis.axvline(whole / (one.lyapunov * one.period), color=FAINT, linewidth=0.35, alpha=0.5, zorder=0)


def _spectrum(axis: Axes, one: Shown, series: np.ndarray) -> None:
    std = series.std(axis=0)
    scaled = (series - series.mean(axis=0)) / np.where(std > 0, std, 1.0)
    power = np.abs(np.fft.rfft(scaled * np.hanning(len(scaled))[:, None], axis=0)) ** 2
    unit = one.dt / one.period if one.dt and one.period else 1.0
    frequency = np.fft.rfftfreq(len(scaled), unit)
    for c in range(series.shape[1]):
        axis.plot(frequency[1:], np.maximum(power[1:, c], 1e-12), color=PALETTE[c % len(PALETTE)], linewidth=0.5)
    axis.set_yscale("log")
    axis.set_xscale("log")
    top = float(power[1:].max()) if len(power) > 1 else 1.0
    if top > 0:
        axis.set_ylim(max(1e-11 * top, 1e-12), 3 * top)
    axis.set_ylabel("Power", fontsize=6)


def _name(axis: Axes, one: Shown) -> None:
    words = [one.trajectory_id, f"{len(one.values)} samples"]
    if one.lyapunov is not None:
        error = f" ± {one.standard_error:.1g}" if one.standard_error else ""
        words.append(f"exponent {one.lyapunov:.3g}{error}")
    reasons = [r.replace("_", " ") for r in one.reasons[:3]] + (["..."] if len(one.reasons) > 3 else [])
    words.append("rejected by " + ", ".join(reasons) if reasons else "accepted")
    axis.set_title(", ".join(words), color=REJECTED if one.reasons else "#222222")
