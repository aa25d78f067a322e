"""How many of the generated trajectories pass each validity test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from strangecast.paper.style import MARKERS, PALETTE, figure_style, size
from strangecast.paper.tables.pass_rates import ALL, chosen_groups, tests_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHAT = "figure pass_rates"


def draw(frames: dict[str, pd.DataFrame], *, groups: list[str] | None = None, width: str = "column") -> Figure:
    """Tests down, from the cheapest to the dearest; a dot with its interval for every group of trajectories.

    Args:
        frames: ``analysis/pass_rates``.
        groups: shown, as in the table ``pass_rates``.
        width: ``column`` or ``full``.

    Raises:
        ResultsError: the analysis is missing, or has no such group.
    """
    held = chosen_groups(frames, WHAT, groups)
    tests = tests_of(held)
    held = {group: own[own["name"].isin(tests)].set_index("name") for group, own in held.items()}
    with figure_style() as plt:
        figure, axis = plt.subplots(figsize=size(width, 22 + 6.4 * len(tests)))
        for i, (group, own) in enumerate(held.items()):
            _group(axis, own, tests, i, len(held), group)
        axis.axhspan(len(tests) - 1.5, len(tests) - 0.5, color="#f2f2f2", zorder=0)
        axis.set_yticks(range(len(tests)), [t.replace("_", " ") for t in tests])
        axis.set_ylim(len(tests) - 0.5, -0.5)
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
        axis.grid(axis="x")
        lowest = min(float(own["low"].min()) for own in held.values())
        axis.set_xlim(max(0.0, 10 * np.floor(10 * lowest)) - 1.0, 101.0)
        axis.locator_params(axis="x", nbins=6)
        axis.set_xlabel("Passed (% of the trajectories that the test judged)")
        figure.legend(loc="outside lower center", ncols=2 if width == "column" else 4)
    return figure


def _group(axis: Axes, own: pd.DataFrame, tests: list[str], place: int, among: int, group: str) -> None:
    own = own.reindex([t for t in tests if t in own.index])
    at = np.array([tests.index(t) for t in own.index]) + 0.74 * ((place + 0.5) / among - 0.5)
    rate, low, high = (100 * own[c].to_numpy(float) for c in ("rate", "low", "high"))
    colour = PALETTE[place % len(PALETTE)]
    number = int(own.loc[ALL, "of"])
    axis.hlines(at, low, high, color=colour, linewidth=1.0, zorder=2)
    axis.plot(
        rate,
        at,
        MARKERS[place % len(MARKERS)],
        color=colour,
        markersize=2.7,
        zorder=3,
        label=f"{group} ({number})",
        clip_on=False,
    )
