"""The job of rule ``work_precision``: read a benchmark's table, draw it, save it as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from strangecast.core.errors import ResultsError
from strangecast.paper.figure_job import save_figure
from strangecast.paper.figures.work_precision import NAME, draw
from strangecast.paper.style import figure_style


def draw_work_precision(table: Path, out: Path) -> None:
    """Write ``<out>.png`` and ``<out>.pdf``; equal tables give equal bytes.

    Args:
        table: ``results/benchmarks/integrate.csv``.
        out: path without suffix.

    Raises:
        ResultsError: the table is missing, damaged, or lacks what the figure draws.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(table)
    except FileNotFoundError as e:
        raise ResultsError(
            f"{table} does not exist; run `python -m benchmarks.integrate` or `snakemake {table}`"
        ) from e
    except (OSError, ValueError) as e:
        raise ResultsError(f"{table} is no benchmark's table ({str(e).splitlines()[0]})") from e
    with figure_style() as plt:
        figure = draw({NAME: frame})
        save_figure(figure, out)
        plt.close(figure)
