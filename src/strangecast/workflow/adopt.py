"""Making Snakemake accept results that were copied from elsewhere.

``cp -r`` forgets times, and the ``.snakemake`` folder that remembers parameters stays behind. The keys inside the files
are the only safe witness: files whose keys are not the planned ones are named, and left older than their inputs (or
deleted, where they have none) so that the next ``snakemake`` makes them again; everything else gets times in the order
of the DAG. ``checked.txt`` says nothing about results that were copied: they are tested again here.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from strangecast.core.errors import ResultsError
from strangecast.core.schemas import SCORES
from strangecast.core.tables import read_parquet
from strangecast.evaluation.check import check_results, write_checked
from strangecast.evaluation.score import scores_frame
from strangecast.evaluation.stale import Stale, stale_data, stale_runs, stale_scores, stale_suite, stale_windows

CHECKED = "checked.txt"
# Snakemake takes a time of 0 for no time at all.
LONG_AGO = 1.0
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
    CHECKED,
    "paper.pdf",
    "report.html",
)


def adopt(root: Path, figures: Path | None = None) -> list[str]:
    """Give the files of ``root`` times in the order of the DAG, and write ``checked.txt`` where all is well.

    Args:
        root: ``results/<scale>``, already verified.
        figures: folder of this scale's figures; ``figures/<scale>`` beside the results by default.

    Returns:
        One sentence per stale part, which is dated back (shards: deleted) and will be made again; or per fault that the
        test of the results finds, if nothing is stale. None of ``checked.txt`` is left in either case.

    Raises:
        ResultsError: there is no plan in ``root`` to hold the keys against, or its files cannot be touched.
    """
    if not any((root / "plan" / "study").rglob("*.json")):
        raise ResultsError(
            f"{root} has no plan; run `snakemake -n` here first, which writes it without making anything"
        )
    studies = [p for p in _plans(root, "study") if (root / p["name"] / "comparisons.parquet").exists()]
    stale = _stale(root, studies)
    problems = [s.sentence for s in stale]
    checked = root / CHECKED
    had_been_checked = checked.exists()
    figures = figures or root.parent.parent / "figures" / root.name
    try:
        checked.unlink(missing_ok=True)
        if had_been_checked and studies and not stale:
            problems = check_results(studies, root)
            if not problems:
                write_checked(studies, checked)
        behind = {file for s in stale for file in _files(root, s)}
        for file in behind:
            if file.match("shard-*.arrow"):
                file.unlink(missing_ok=True)  # made from nothing, it is never older than its inputs
        _touch(root, figures, behind)
    except OSError as e:
        raise ResultsError(f"cannot touch {e.filename}: {e.strerror}") from e
    return problems


def _touch(root: Path, figures: Path, behind: set[Path]) -> None:
    now = time.time() - len(_LEVELS) - 10
    for i, pattern in enumerate(_LEVELS):
        for file in sorted(figures.rglob("*") if pattern == "figures" else root.glob(pattern)):
            if file.is_file():
                when = LONG_AGO if file in behind else now + i
                os.utime(file, (when, when))


def _plans(root: Path, kind: str) -> list[dict[str, Any]]:
    files = sorted((root / "plan" / kind).rglob("*.json"))
    return [json.loads(p.read_text(encoding="utf-8")) for p in files]


def _stale(root: Path, studies: list[dict[str, Any]]) -> list[Stale]:
    """Everything made by other code, configuration or data; files that are not there are no fault."""
    found = stale_data([p["name"] for p in _plans(root, "dataset") if (root / p["folder"]).exists()], root)
    for suite in _plans(root, "suite"):
        if (root / suite["folder"] / "windows.parquet").exists():
            found += stale_windows(suite, root)
    keys: dict[str, set[str]] = {}
    for block in _plans(root, "block"):
        trained = block["training"] is not None
        if trained and not (root / block["folder"] / "run.json").exists():
            continue
        old = stale_runs(block, root)
        for suite, use in block["suites"].items():
            files = [root / use["forecast_folder"] / name for name in ("forecasts.arrow", "scores.parquet")]
            if not old and all(f.exists() for f in (*files, root / use["folder"] / "windows.parquet")):
                parts, wanted = stale_suite(block, root, suite)
                found += parts
                keys.setdefault(block["folder"], set()).update(wanted)
        found += old
    if not found:
        for study in studies:
            table = root / study["name"] / "scores.parquet"
            if table.exists() and all(b in keys for b in study["blocks"]):
                current = set().union(*(keys[b] for b in study["blocks"]))
                found += stale_scores(study, scores_frame(read_parquet(table, SCORES)), current)
    return found


def _files(root: Path, stale: Stale) -> list[Path]:
    """Outputs of the rule that made the stale file."""
    file = root / stale.file
    if file.name == "run.json":
        return [f for f in file.parent.glob("*") if f.is_file()]
    if file.parent.parent == root:
        return [file.with_name(f"{name}.parquet") for name in ("runs", "scores", "comparisons")]
    return [file]
