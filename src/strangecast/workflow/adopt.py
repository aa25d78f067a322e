"""Making Snakemake accept results that were copied from elsewhere.

``cp -r`` forgets times, and the ``.snakemake`` folder that remembers parameters stays behind. The keys inside the files
are the only safe witness: members whose static key is not the planned one are named, and their files are left older
than their inputs so that the next ``snakemake`` makes them again; everything else gets times in the order of the DAG.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from strangecast.core.errors import ResultsError

# Files of one level are made from files of the levels before.
_LEVELS = (
    "data/*/shard-*.arrow",
    "data/*/manifest.parquet",
    "data/*/splits.parquet",
    "suites/*/windows.parquet",
    "runs/*/*/*/*/weights.safetensors",
    "runs/*/*/*/*/history.parquet",
    "runs/*/*/*/*/run.json",
    "runs/*/*/*/*/*/forecasts.arrow",
    "runs/*/*/*/*/*/scores.parquet",
    "*/analysis/*.parquet",
    "*/runs.parquet",
    "*/scores.parquet",
    "*/comparisons.parquet",
    "*/claims.parquet",
    "*/tables/*",
    "figures",
    "claims.csv",
    "leaderboard.csv",
    "checked.txt",
    "paper.pdf",
    "report.html",
)


def adopt(root: Path, figures: Path | None = None) -> list[str]:
    """Give the files of ``root`` times in the order of the DAG.

    Args:
        root: ``results/<scale>``, already verified.
        figures: folder of this scale's figures; ``figures/<scale>`` beside the results by default.

    Returns:
        One sentence per block whose keys are not the planned ones; its files are dated back and will be made again.

    Raises:
        ResultsError: there is no plan in ``root`` to hold the keys against, or its files cannot be touched.
    """
    plans = sorted((root / "plan" / "block").rglob("*.json"))
    if not plans:
        raise ResultsError(
            f"{root} has no plan; run `snakemake -n` here first, which writes it without making anything"
        )
    stale = [s for s in (_stale(root, json.loads(p.read_text(encoding="utf-8"))) for p in plans) if s]
    behind = {folder for folder, _ in stale}
    now = time.time() - len(_LEVELS) - 10
    figures = figures or root.parent.parent / "figures" / root.name
    try:
        for i, pattern in enumerate(_LEVELS):
            files = figures.rglob("*") if pattern == "figures" else root.glob(pattern)
            for file in files:
                if file.is_file():
                    old = any(file.is_relative_to(root / folder) for folder in behind)
                    os.utime(file, (0, 0) if old else (now + i, now + i))
    except OSError as e:
        raise ResultsError(f"cannot touch {e.filename}: {e.strerror}") from e
    return [sentence for _, sentence in stale]


def _stale(root: Path, plan: dict[str, Any]) -> tuple[str, str] | None:
    file = root / plan["folder"] / "run.json"
    if plan["training"] is None or not file.exists():
        return None
    found = {m["run_id"]: m["static_key"] for m in json.loads(file.read_text(encoding="utf-8"))["members"]}
    wrong = [m for m in plan["members"] if found.get(m["run_id"]) != m["static_key"]]
    if not wrong:
        return None
    return plan["folder"], f"{file}: {len(wrong)} of {len(plan['members'])} members were made by other code or settings"
