"""A page for the eye as one PNG."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from strangecast.core.atomic import atomic_path
from strangecast.paper.style import figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_page(draw: Callable[[], Figure], out: Path) -> None:
    """Write what ``draw()`` returns to ``out`` (200 dpi).

    Raises:
        ResultsError: it cannot be written.
    """
    with figure_style() as plt:
        figure = draw()
        with atomic_path(out) as temporary:
            figure.savefig(temporary, format="png", dpi=200, metadata={"Software": None})
        plt.close(figure)
