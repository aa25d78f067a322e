"""How long the trajectories are in the time that matters for forecasts: Lyapunov times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from strangecast.paper.frames import need
from strangecast.paper.style import PALETTE, TRUTH, figure_style, line_style, notice, size

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHAT = "figure trajectory_lengths"
_COLUMNS = ["dataset", "accepted", "lyapunov", "length_lyapunov"]


def draw(frames: dict[str, pd.DataFrame], *, width: str = "column") -> Figure:
    """For every length the share of parameter sets with trajectories at least as long, one curve for each dataset.

    Parameter sets count if a trajectory of theirs was accepted. Those without a positive exponent have no Lyapunov time:
    curves begin below 100 % by their share, and the key says how many have one.

    Args:
        frames: ``analysis/sampling``.
        width: ``column`` or ``full``.

    Raises:
        ResultsError: the analysis is missing.
    """
    table = need(frames, "analysis/sampling", _COLUMNS, WHAT)
    table = table[table["accepted"] > 0]
    if not table["length_lyapunov"].notna().any():
        return notice("No positive Lyapunov exponent is known for any of these data.", width)
    datasets = list(dict.fromkeys(table["dataset"]))
    start = 0.8 * float(table["length_lyapunov"].min())
    with figure_style() as plt:
        figure, axis = plt.subplots(figsize=size(width, 58 + 3.5 * len(datasets)))
        for i, name in enumerate(datasets):
            own = table[table["dataset"] == name]["length_lyapunov"].to_numpy(float)
            length = np.sort(own[np.isfinite(own)])
            if not len(length):
                continue
            share = 100 * (len(length) - np.arange(len(length))) / len(own)
            colour = PALETTE[i % len(PALETTE)]
            axis.step(
                [start, *length, length[-1]], [share[0], *share, 0.0], where="pre", color=colour,
                linestyle=line_style(i), label=f"{name}: {len(length)} of {len(own)} parameter sets",
            )  # fmt: skip
            axis.plot(np.median(length), np.interp(np.median(length), length, share), "o", color=colour)
        axis.set_xscale("log")
        axis.set_xlim(left=start)
        axis.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        axis.set_ylim(0, 101)
        axis.grid(axis="both")
        axis.set_xlabel("Length of a trajectory (Lyapunov times)")
        axis.set_ylabel("Parameter sets at least as long (%)")
        axis.plot([], [], "o", color=TRUTH, label="median of those with a positive exponent")
        figure.legend(loc="outside lower center", ncols=1)
    return figure
