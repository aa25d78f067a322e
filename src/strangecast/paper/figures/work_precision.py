"""Work-precision diagram: what an error costs with our integrator, and with those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from strangecast.core.errors import ResultsError
from strangecast.paper.frames import need
from strangecast.paper.style import MARKERS, PALETTE, TRUTH, figure_style, notice, size, tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHAT = "figure work_precision"
NAME = "benchmarks/integrate"
_COLUMNS = ["case", "peer", "ours", "theirs", "unit", "ratio", "error_ours", "error_theirs"]
OURS = "strangecast"


def draw(frames: dict[str, pd.DataFrame], *, unit: str = "ms", width: str = "column") -> Figure:
    """Time down to the left and error down: a faint line leads from every system's peer to ours.

    Rows whose case names a system (``panda/Lorenz``) are small points, rows of a whole case (geometric means over its
    systems) large ones, the ratio of whose times stands in the key. Rows without errors are not drawn.

    Args:
        frames: ``benchmarks/integrate``, as ``benchmarks/table.py`` writes it.
        unit: of the times that are drawn.
        width: ``column`` or ``full``.

    Raises:
        ResultsError: the table is missing or lacks a column.
    """
    table = need(frames, NAME, _COLUMNS, WHAT)
    numbers = ["ours", "theirs", "ratio", "error_ours", "error_theirs"]
    table = table.assign(**{c: pd.to_numeric(table[c], errors="coerce") for c in numbers})
    table = table[(table["unit"] == unit) & (table[numbers] > 0).all(axis=1)]
    if table.empty:
        return notice(f"No row of the benchmark has times in {unit} and errors.", width)
    peers = list(dict.fromkeys(table["peer"]))
    if len(peers) > len(MARKERS) - 1:
        raise ResultsError(f"{WHAT}: {len(peers)} peers are too many to tell apart")
    with figure_style() as plt:
        figure, axis = plt.subplots(figsize=size(width, 78))
        axis.set_xscale("log")
        axis.set_yscale("log")
        for i, peer in enumerate(peers):
            own = table[table["peer"] == peer]
            alone = own["case"].str.contains("/")
            _peer(axis, own[alone], own[~alone], PALETTE[i % len(PALETTE)], MARKERS[i + 1], peer)
        axis.plot([], [], MARKERS[0], color=TRUTH, markersize=4.2, label=OURS)
        axis.grid(which="major")
        axis.set_xlabel(f"CPU time of a trajectory ({unit})")
        axis.set_ylabel("Error after one Lyapunov time\n(units of the coordinate's range)")
        figure.legend(loc="outside lower center", ncols=2 if width == "column" else 4)
    return figure


def _peer(axis: Axes, systems: pd.DataFrame, means: pd.DataFrame, colour: str, marker: str, peer: str) -> None:
    for row in systems.itertuples():
        axis.plot(
            [row.ours, row.theirs],
            [row.error_ours, row.error_theirs],
            color=tint(colour, 0.35),
            linewidth=0.4,
            zorder=1,
        )
    small = {"linestyle": "none", "markersize": 2.2, "markeredgewidth": 0, "zorder": 2}
    axis.plot(systems["ours"], systems["error_ours"], MARKERS[0], color=tint(TRUTH, 0.55), **small)
    axis.plot(systems["theirs"], systems["error_theirs"], marker, color=tint(colour, 0.6), **small)
    edge = {"markersize": 4.8, "markeredgecolor": "white", "markeredgewidth": 0.5, "linestyle": "none", "zorder": 4}
    ratios = ", ".join(f"{_ratio(r)}×" for r in means["ratio"])
    named = f"{peer}: {ratios}" if ratios else peer
    axis.plot(means["theirs"], means["error_theirs"], marker, color=colour, label=named, **edge)
    axis.plot(means["ours"], means["error_ours"], MARKERS[0], color=TRUTH, **edge)
    for row in means.itertuples():
        axis.plot([row.ours, row.theirs], [row.error_ours, row.error_theirs], color=colour, linewidth=1.0, zorder=3)


def _ratio(value: float) -> str:
    """Two significant digits, which is what a ratio of CPU times is good for."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}".replace(",", "\u2009") if rounded >= 10 else f"{rounded:g}"
