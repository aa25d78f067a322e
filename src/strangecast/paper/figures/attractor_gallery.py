"""One small panel for every system of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from strangecast.core.errors import ResultsError, unknown
from strangecast.paper.frames import need
from strangecast.paper.projection import bare, draw_curve, projected
from strangecast.paper.style import FAINT, PALETTE, REJECTED, figure_style, framed, size, two_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHAT = "figure attractor_gallery"
_COLUMNS = ["dataset", "system", "kind", "driven", "smooth", "coupling", "accepted", "reasons", "status", "x", "y", "z"]
# Sign, colour and words of what a system is; a system may carry several signs, and its colour is that of the first.
SIGNS = (
    ("additive", "+", PALETTE[0], "additive coupling"),
    ("activated", "×", PALETTE[4], "activated coupling"),
    ("delay", "τ", PALETTE[1], "delay"),
    ("driven", "∿", PALETTE[2], "driven"),
    ("rough", "∧", PALETTE[7], "not smooth"),
)
PLAIN = PALETTE[0]
# Millimetres: height of a panel, of its name in three lines and of a letter, in type of TYPE, for panels 16.6 mm wide.
PANEL, NAME, LETTER, TYPE, WIDE = 11.0, 5.4, 0.9, 4.3, 16.6


def draw(
    frames: dict[str, pd.DataFrame],
    *,
    dataset: str | None = None,
    columns: int = 11,
    panels: int = 150,
    width: str = "full",
) -> Figure:
    """Systems in the dataset's order; a dashed frame and the failed tests mark one of which nothing was accepted.

    Args:
        frames: ``analysis/gallery``.
        dataset: shown; the first by default.
        columns: panels side by side.
        panels: most of them; of more systems, so many at even distances.
        width: ``column`` or ``full``.

    Raises:
        ResultsError: the analysis is missing or has no such dataset.
    """
    table = need(frames, "analysis/gallery", _COLUMNS, WHAT)
    present = list(dict.fromkeys(table["dataset"]))
    if dataset is not None and dataset not in present:
        raise ResultsError(f"{WHAT}: {unknown('dataset with a gallery', dataset, present)}")
    table = table[table["dataset"] == (dataset or present[0])]
    systems = list(table.groupby("system", sort=False))
    shown = [systems[i * len(systems) // panels] for i in range(panels)] if len(systems) > panels else systems
    columns = min(columns, len(shown))
    rows, key = -(-len(shown) // columns), 6.0
    across = size(width, 1)[0] * 25.4
    wide = across / columns
    large = min(1.4, wide / WIDE)  # wider panels are higher, and their names larger
    pitch = (PANEL + NAME) * large + 0.6
    with figure_style() as plt:
        figure = plt.figure(figsize=size(width, rows * pitch + key))
        figure.set_layout_engine("none")
        down = rows * pitch + key
        letters = wide / (LETTER * large)
        names = [_lines(name, own.iloc[0], int(letters)) for name, own in shown]
        # One type for all names that it fits; only the longest get a smaller one.
        fits = max(0.8, min(1.0, letters / max(len(line) for lines in names for line in lines)))
        for place, (_, own) in enumerate(shown):
            row, column = divmod(place, columns)
            bottom = down - (row + 1) * pitch + NAME * large
            box = (column * wide + 0.8, bottom, wide - 1.6, PANEL * large)
            axis = figure.add_axes((box[0] / across, box[1] / down, box[2] / across, box[3] / down))
            _panel(axis, own)
            longest = max(len(line) for line in names[place])
            axis.text(
                0.5, -0.03, "\n".join(names[place]), transform=axis.transAxes, ha="center", va="top", linespacing=0.95,
                fontsize=TYPE * large * min(fits, letters / longest), color=_ink(own.iloc[0]),
            )  # fmt: skip
        _key(figure, [own.iloc[0] for _, own in shown], key / down)
    return figure


def _panel(axis: Axes, own: pd.DataFrame) -> None:
    first = own.iloc[0]
    page, depth = projected(own[["x", "y", "z"]].to_numpy(float))
    bare(axis, page)
    signs = _signs(first)
    draw_curve(axis, page, depth, signs[0][2] if signs else PLAIN, 0.35)
    if not np.isfinite(page).any():
        axis.text(0.5, 0.5, "not kept", transform=axis.transAxes, ha="center", va="center", fontsize=4.5, color=FAINT)
    if not first["accepted"]:
        framed(axis, REJECTED)


def _signs(first: pd.Series) -> list[tuple[str, str, str, str]]:
    held = {str(first["coupling"]), str(first["kind"])}
    held |= ({"driven"} if first["driven"] else set()) | (set() if first["smooth"] else {"rough"})
    return [s for s in SIGNS if s[0] in held]


def _ink(first: pd.Series) -> str:
    return "#222222" if first["accepted"] else REJECTED


def _lines(name: str, first: pd.Series, letters: int) -> list[str]:
    """A name in at most two lines with its signs (of a skew product, driver and response), and why it was rejected."""
    signs = "".join(s[1] for s in _signs(first))
    parts = name.split("-")
    if parts[0] == "skew" and len(parts) == 5:
        lines = [f"{parts[2]} →", f"{parts[3]} {signs}"]
    else:
        lines = two_lines(f"{name} {signs}" if signs else name, letters)
    if not first["accepted"]:
        lines.append(str(first["reasons"] or first["status"]).split(",")[0].replace("_", " "))
    return lines


def _key(figure: Figure, systems: list[pd.Series], height: float) -> None:
    counts = {s[0]: 0 for s in SIGNS}
    plain = 0
    for first in systems:
        signs = _signs(first)
        plain += not signs
        for s in signs:
            counts[s[0]] += 1
    words = [(PLAIN, f"autonomous and smooth ({plain})")] if plain else []
    words += [(colour, f"{sign} {text} ({counts[key]})") for key, sign, colour, text in SIGNS if counts[key]]
    rejected = sum(not first["accepted"] for first in systems)
    if rejected:
        words.append((REJECTED, f"framed: none accepted ({rejected})"))
    shares = np.array([len(w) + 3 for _, w in words], float)
    at = np.cumsum(shares) - shares / 2
    for x, (colour, text) in zip(at / shares.sum(), words, strict=True):
        figure.text(0.04 + 0.92 * x, 0.4 * height, text, ha="center", va="center", fontsize=6.5, color=colour)
