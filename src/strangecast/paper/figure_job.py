"""The job of rule ``figure``: read the tables a figure names, draw it, save it as PDF and PNG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from strangecast.core.atomic import atomic_path
from strangecast.core.errors import ConfigError, unknown
from strangecast.core.targets import locate
from strangecast.paper.frames import load_frames
from strangecast.paper.style import figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

META = ("_target_", "title", "caption", "inputs")


def draw_figure(plan: dict[str, Any], root: Path, name: str, out: Path) -> None:
    """Write ``<out>.png`` (300 dpi) and ``<out>.pdf``; equal tables give equal bytes.

    Args:
        plan: study plan.
        root: ``results/<scale>``.
        name: figure of the study.
        out: path without suffix.

    Raises:
        ConfigError: the study has no such figure, or it refuses its settings.
        ResultsError: a table is missing, damaged, or lacks what the figure draws.
    """
    if name not in plan["figures"]:
        raise ConfigError(f"study '{plan['name']}': {unknown('figure', name, plan['figures'])}")
    config = plan["figures"][name]
    draw = locate(config["_target_"], f"figure '{name}'")
    frames = load_frames(plan, root, config.get("inputs") or [])
    settings = {k: v for k, v in config.items() if k not in META}
    with figure_style() as plt:
        try:
            figure = draw(frames, **settings)
        except TypeError as e:
            raise ConfigError(f"figure '{name}' does not take its settings: {e}") from e
        save_figure(figure, out)
        plt.close(figure)


def save_figure(figure: Figure, out: Path) -> None:
    """Write ``<out>.png`` (300 dpi) and ``<out>.pdf`` without the time or the program; to be called in ``figure_style``."""
    with atomic_path(out.with_suffix(".png")) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
    with atomic_path(out.with_suffix(".pdf")) as temporary:
        figure.savefig(temporary, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})
