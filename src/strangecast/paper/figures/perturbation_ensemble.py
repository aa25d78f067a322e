"""What perturbed parameters do to an attractor: a row of panels for each of a few systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from strangecast.core.errors import ResultsError, unknown
from strangecast.paper.frames import need
from strangecast.paper.projection import bare, draw_curve, projected
from strangecast.paper.style import FAINT, PALETTE, REJECTED, TRUTH, figure_style, framed, notice, size, two_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHAT = "figure perturbation_ensemble"
_COLUMNS = ["dataset", "system", "parameter_index", "accepted", "reasons", "status", "x", "y", "z"]


def draw(
    frames: dict[str, pd.DataFrame],
    *,
    dataset: str | None = None,
    systems: list[str] | None = None,
    sets: int = 6,
    width: str = "full",
) -> Figure:
    """Systems down, parameter sets across, the default set first; each panel has the scale of its own curve.

    A dashed frame and the failed test mark a set that was rejected. Of a trajectory that ran away, the first samples
    are drawn as far as it was kept.

    Args:
        frames: ``analysis/perturbation_ensemble``.
        dataset: shown; the first by default.
        systems: rows; all of the analysis by default.
        sets: columns.
        width: ``column`` or ``full``.

    Raises:
        ResultsError: the analysis is missing or lacks what is asked for.
    """
    if "analysis/perturbation_ensemble" in frames and frames["analysis/perturbation_ensemble"].empty:
        return notice("No dataset of this study has perturbed parameters.", width)
    table = need(frames, "analysis/perturbation_ensemble", _COLUMNS, WHAT)
    present = list(dict.fromkeys(table["dataset"]))
    if dataset is not None and dataset not in present:
        raise ResultsError(f"{WHAT}: {unknown('dataset with perturbed parameters', dataset, present)}")
    table = table[table["dataset"] == (dataset or present[0])]
    held = list(dict.fromkeys(table["system"]))
    for name in systems or []:
        if name not in held:
            raise ResultsError(f"{WHAT}: {unknown('system with perturbed parameters', name, held)}")
    shown = list(systems or held)
    indices = sorted(set(table["parameter_index"]))[:sets]
    with figure_style() as plt:
        shape = (len(shown), max(4, len(indices)))  # few sets leave room instead of stretching
        figure, axes = plt.subplots(*shape, figsize=size(width, 7 + 23 * len(shown)), squeeze=False)
        for row, name in zip(axes, shown, strict=True):
            own = table[table["system"] == name]
            for axis, index in zip(row, indices, strict=False):
                _panel(axis, own[own["parameter_index"] == index], index)
            for axis in row[len(indices) :]:
                axis.remove()
            row[0].set_ylabel("\n".join(two_lines(name, 14)), fontsize=7)
        for axis, index in zip(axes[0], indices, strict=False):
            axis.set_title("default parameters" if index == 0 else f"perturbed, set {index}", loc="center")
    return figure


def _panel(axis: Axes, own: pd.DataFrame, index: int) -> None:
    page, depth = projected(own[["x", "y", "z"]].to_numpy(float))
    bare(axis, page)
    draw_curve(axis, page, depth, PALETTE[0] if index else TRUTH, 0.45)
    if own.empty or not np.isfinite(page).any():
        axis.text(0.5, 0.5, "not kept", transform=axis.transAxes, ha="center", va="center", fontsize=6, color=FAINT)
    if len(own) and not own["accepted"].iloc[0]:
        framed(axis, REJECTED)
        why = str(own["reasons"].iloc[0] or own["status"].iloc[0]).split(",")[0].replace("_", " ")
        axis.set_xlabel(why, fontsize=5.5, color=REJECTED, labelpad=1)
