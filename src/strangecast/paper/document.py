"""The paper: numbers from the tables, figures from the figures folder, typeset by typst without network."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from strangecast.core.atomic import atomic_path, write_json
from strangecast.core.errors import ResultsError
from strangecast.paper.numbers import paper_numbers

# Typst writes the time of compilation into a PDF; with a fixed one, equal inputs give equal bytes.
TIMESTAMP = 946684800


def build_paper(plans: list[dict[str, Any]], root: Path, figures: Path, manuscript: Path, out: Path) -> None:
    """Typeset ``manuscript`` into ``out``, and keep the numbers it was given beside it as ``<out>.json``.

    The manuscript is compiled in a folder of its own that holds ``numbers.json`` (see ``paper/numbers.py``), the other
    files of the manuscript's folder and the figures as ``<study>-<figure>.pdf``; typst can read nothing else, and uses
    only the fonts it carries.

    Args:
        plans: study plans.
        root: ``results/<scale>``.
        figures: ``figures/<scale>``.
        manuscript: the ``.typ`` file.
        out: the PDF.

    Raises:
        ResultsError: a table or figure is missing, or the manuscript does not compile (typst's own words).
    """
    if not Path(manuscript).is_file():
        raise ResultsError(f"there is no manuscript {manuscript}")
    numbers = paper_numbers(plans, Path(root))
    write_json(Path(out).with_suffix(".json"), numbers)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gather(folder, plans, numbers, Path(figures), Path(manuscript))
        pdf = _compiled(folder / Path(manuscript).name)
    with atomic_path(out) as temporary:
        temporary.write_bytes(pdf)


def gather(folder: Path, plans: list[dict[str, Any]], numbers: dict[str, Any], figures: Path, manuscript: Path) -> None:
    """Put everything the manuscript reads into ``folder``.

    Raises:
        ResultsError: a figure of a study has not been drawn.
    """
    for file in sorted(manuscript.parent.iterdir()):
        if file.is_file():
            shutil.copy(file, folder / file.name)
    for plan in plans:
        for figure in plan["figures"]:
            source = figures / plan["name"] / f"{figure}.pdf"
            if not source.is_file():
                raise ResultsError(f"{source} does not exist; run the rule figure first")
            shutil.copy(source, folder / f"{plan['name']}-{figure}.pdf")
    write_json(folder / "numbers.json", numbers)


def _compiled(manuscript: Path) -> bytes:
    import typst

    try:
        return typst.compile(
            str(manuscript), root=str(manuscript.parent), format="pdf", ignore_system_fonts=True, timestamp=TIMESTAMP
        )
    except (typst.TypstError, RuntimeError) as e:
        raise ResultsError(f"{manuscript.name} cannot be typeset: {e}") from e
