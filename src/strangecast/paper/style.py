"""The common look of the figures: widths, colours, and how labels are ordered and named.

A label (an emulator with its training and sweep point) has one colour in every figure of a study: the order of the
study's runs decides it, not the subset a figure happens to show. The palette is that of Okabe and Ito (2008,
"Color universal design"), without black (kept for the truth) and with the yellow darkened, because it must be read
as a thin line on white.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core.errors import ConfigError, unknown

MILLIMETRES = {"column": 89.0, "full": 183.0}
TRUTH = "#3b3b3b"
FAINT = "#9a9a9a"
REJECTED = "#A50F15"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#B8A500", "#7B4F9D", "#8C510A", "#5E6B73")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h")
LINES = ("-", (0, (4, 1.4)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)))


@contextmanager
def figure_style() -> Iterator[Any]:
    """Use the Agg backend and the shared style sheet; yields ``matplotlib.pyplot``.

    The defaults of matplotlib are restored first, so that a user's matplotlibrc cannot change a figure.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.style.context(["default", str(Path(__file__).with_name("strangecast.mplstyle"))]):
        yield plt


def size(width: str, height_mm: float) -> tuple[float, float]:
    """Figure size in inches for a named text width.

    Raises:
        ConfigError: ``width`` is neither ``column`` nor ``full``.
    """
    if width not in MILLIMETRES:
        raise ConfigError(unknown("figure width", str(width), MILLIMETRES))
    return MILLIMETRES[width] / 25.4, height_mm / 25.4


def colours(frames: dict[str, pd.DataFrame], present: Iterable[str]) -> dict[str, str]:
    """One colour for each label of ``present``: that of its emulator's YAML where it is the only label of that
    emulator, else the palette's colour at the label's place in the study."""
    present = set(present)
    everyone = list(dict.fromkeys(frames["labels"]["label"])) if "labels" in frames else []
    everyone += sorted(present - set(everyone))
    chosen = {label: PALETTE[i % len(PALETTE)] for i, label in enumerate(everyone)}
    if "labels" in frames:
        for _, same in frames["labels"].groupby("emulator", sort=False):
            given = same["color"].iloc[0]
            if len(same) == 1 and isinstance(given, str) and given:
                chosen[same["label"].iloc[0]] = given
    return {label: chosen[label] for label in everyone if label in present}


def line_style(index: int) -> Any:
    """Dash pattern of the label at ``index``: a second cue, and the only one once the palette repeats."""
    return LINES[index % len(LINES)]


def tint(colour: str, strength: float) -> str:
    """``colour`` mixed with white: 1 leaves it, 0 gives white."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - strength * (255 - p)):02x}" for p in parts)


def framed(axis: Any, colour: str) -> None:
    """A dashed frame around a panel without axes."""
    for spine in axis.spines.values():
        spine.set_visible(True)
        spine.set_color(colour)
        spine.set_linewidth(0.6)
        spine.set_linestyle((0, (3, 2)))


def notice(text: str, width: str) -> Any:
    """A figure that says why there is nothing to draw, so that a study with such data still completes."""
    with figure_style() as plt:
        figure, axis = plt.subplots(figsize=size(width, 30))
        axis.axis("off")
        axis.text(0.5, 0.5, wrapped(text, 50 if width == "column" else 100), ha="center", va="center")
    return figure


def two_lines(name: str, letters: int) -> list[str]:
    """A name such as ``ForcedVanDerPol`` in one line, or two where it is long: broken before the capital near its middle."""
    places = [m.start() for m in re.finditer(r"(?<=[a-z0-9])(?=[A-Z])", name)]
    if len(name) <= letters or not places:
        return [name]
    at = min(places, key=lambda p: max(p, len(name) - p))
    return [name[:at], name[at:]]


def wrapped(text: str, width: int = 18) -> str:
    """``text`` broken into lines of at most ``width`` letters (a longer word stays whole)."""
    return "\n".join(textwrap.wrap(text, width, break_long_words=False)) or text
