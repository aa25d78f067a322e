"""How fast errors grow: the normalised error against Lyapunov time, per label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from strangecast.core.errors import ResultsError, unknown
from strangecast.paper.frames import need, one_suite, ordered_labels
from strangecast.paper.style import TRUTH, colours, figure_style, line_style, size, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHAT = "figure error_growth"
_COLUMNS = ["suite", "dataset", "system", "label", "step", "lyapunov_time", "q25", "median", "q75", "n_datasets"]
CEILING = 1e9


def draw(
    frames: dict[str, pd.DataFrame],
    *,
    systems: list[str] | None = None,
    threshold: float = 0.4,
    floor: float = 1e-3,
    yscale: str = "log",
    suite: str | None = None,
    width: str = "column",
) -> Figure:
    """Medians as lines, quartiles as bands, and the threshold that ends the valid prediction time.

    Args:
        frames: ``analysis/error_growth``.
        systems: a panel for each of these systems; by default one panel of all systems pooled (of the first system,
            against samples, where no exponent is known and nothing could be pooled).
        threshold: error marked by a dashed line.
        floor: the ordinate does not reach below this error.
        yscale: ``log`` or ``linear``.
        suite: the first by default.
        width: ``column`` or ``full``.

    Raises:
        ResultsError: the analysis is missing or lacks what is asked for.
    """
    table = one_suite(need(frames, "analysis/error_growth", _COLUMNS, WHAT), suite, WHAT)
    panels = _panels(table, systems)
    shown = ordered_labels(frames, table["label"])
    colour = colours(frames, shown)
    with figure_style() as plt:
        height = 66 if len(panels) == 1 else 58
        figure, axes = plt.subplots(1, len(panels), figsize=size(width, height), squeeze=False, sharey=True)
        for axis, (name, own) in zip(axes[0], panels.items(), strict=True):
            known = own["lyapunov_time"].notna().all()
            for place, label in enumerate(shown):
                _curve(axis, own[own["label"] == label], label, colour[label], place, known)
            axis.axhline(threshold, color="#777777", linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
            axis.set_xlabel("Time since the context ended (" + ("Lyapunov times)" if known else "samples)"))
            axis.set_xlim(0, own["lyapunov_time" if known else "step"].max())
            if len(panels) > 1 or not table["dataset"].isna().any():
                axis.set_title(name)
        _ordinate(axes[0], pd.concat(panels.values()), threshold, yscale, floor)
        axes[0][-1].annotate(
            f"{threshold:g}", (1.0, threshold), xycoords=axes[0][-1].get_yaxis_transform(), xytext=(2, 0),
            textcoords="offset points", ha="left", va="center", fontsize=6, color=TRUTH,
        )  # fmt: skip
        axes[0][0].set_ylabel("Normalised error\n(climate standard deviations)")
        handles, names = axes[0][0].get_legend_handles_labels()
        columns = 3 if width == "column" else 6
        figure.legend(handles, [wrapped(n, 24) for n in names], loc="outside lower center", ncols=columns)
    return figure


def _panels(table: pd.DataFrame, systems: list[str] | None) -> dict[str, pd.DataFrame]:
    pooled = table[table["dataset"].isna()]
    if systems is None and len(pooled):
        # What a minority of systems does must not look like what all of them do.
        return {"all systems": pooled[2 * pooled["n_datasets"] >= pooled["n_datasets"].max()]}
    named = table.dropna(subset=["dataset"])
    panels = {}
    for wanted in [named["system"].iloc[0]] if systems is None else systems:
        own = named[(named["system"] == wanted) | (named["dataset"] == wanted)]
        if own.empty:
            raise ResultsError(f"{WHAT}: {unknown('system with errors', wanted, map(str, set(named['system'])))}")
        panels[wanted] = own
    return panels


def _curve(axis: Axes, own: pd.DataFrame, label: str, colour: str, place: int, known: bool) -> None:
    if own.empty:
        return
    clock = "lyapunov_time" if known else "step"
    own = own.sort_values(clock)
    time = own[clock].to_numpy(float)
    # An error of 0 has no place on a logarithmic axis, an infinite one on none: it leaves the panel instead of ending.
    low, middle, high = (np.clip(own[c].to_numpy(float), 1e-12, CEILING) for c in ("q25", "median", "q75"))
    axis.fill_between(time, low, high, color=colour, alpha=0.15, linewidth=0)
    axis.plot(time, middle, color=colour, linestyle=line_style(place), label=label)


def _ordinate(axes: np.ndarray, table: pd.DataFrame, threshold: float, yscale: str, floor: float) -> None:
    """From the smallest to the greatest median with some room, but no more than a decade above an error of 1."""
    middle = table["median"].to_numpy(float)
    middle = middle[np.isfinite(middle) & (middle > 0)]
    top = min(10.0, 2.0 * max(threshold, middle.max(initial=0.0)))
    bottom = max(floor, 0.6 * middle.min(initial=threshold))
    for axis in axes:
        axis.set_yscale(yscale)
        axis.grid(axis="y")
        axis.set_ylim(bottom if yscale == "log" else 0, top)
