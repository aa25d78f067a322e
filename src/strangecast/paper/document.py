"""The paper: numbers from the tables, figures from the figures folder, typeset by typst without network."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from strangecast.core.atomic import atomic_path
from strangecast.core.errors import ResultsError
from strangecast.paper.numbers import paper_numbers


def build_paper(plans: list[dict[str, Any]], root: Path, figures: Path, manuscript: Path, out: Path) -> None:
    """Typeset ``manuscript`` into ``out``.

    The manuscript is compiled in a folder of its own that holds ``numbers.json``, the bibliography and the figures as
    ``<study>-<figure>.pdf``; typst can read nothing else.

    Args:
        plans: study plans.
        root: ``results/<scale>``.
        figures: ``figures/<scale>``.
        manuscript: the ``.typ`` file; other files of its folder go with it.
        out: the PDF.

    Raises:
        ResultsError: a table or figure is missing, or the manuscript does not compile (typst's own words).
    """
    import typst

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in sorted(manuscript.parent.iterdir()):
            if file.is_file():
                shutil.copy(file, folder / file.name)
        for plan in plans:
            for figure in plan["figures"]:
                source = figures / plan["name"] / f"{figure}.pdf"
                if not source.exists():
                    raise ResultsError(f"{source} does not exist; run the rule figure first")
                shutil.copy(source, folder / f"{plan['name']}-{figure}.pdf")
        numbers = paper_numbers(plans, root)
        (folder / "numbers.json").write_text(json.dumps(numbers, allow_nan=False), encoding="utf-8")
        try:
            pdf = typst.compile(str(folder / manuscript.name), root=str(folder), format="pdf")
        except RuntimeError as e:
            raise ResultsError(f"{manuscript} cannot be typeset: {e}") from e
    with atomic_path(out) as temporary:
        temporary.write_bytes(pdf)
