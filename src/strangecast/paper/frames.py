"""The frames a figure or table reads: what a study's inputs are called, and where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core import schemas
from strangecast.core.errors import ConfigError, ResultsError, unknown
from strangecast.core.tables import read_parquet

STUDY_TABLES = {
    "runs": schemas.RUNS,
    "scores": schemas.SCORES,
    "comparisons": schemas.COMPARISONS,
    "claims": schemas.CLAIMS,
}
INPUTS = (*STUDY_TABLES, "windows", "analysis/<name>")


def input_paths(plan: dict[str, Any], inputs: list[str]) -> list[str]:
    """Files, relative to results/<scale>, that the named inputs of a study are read from.

    Args:
        plan: study plan.
        inputs: names out of runs, scores, comparisons, claims, windows and analysis/<name>.

    Raises:
        ConfigError: an input has no such name, or the study has no such analysis.
    """
    return [str(path) for name in inputs for path in _paths(plan, name)]


def load_frames(plan: dict[str, Any], root: Path, inputs: list[str]) -> dict[str, pd.DataFrame]:
    """Read the named inputs of a study as pandas frames (strings as plain objects, never categories).

    Two small frames are always added: ``labels`` (label, emulator, training, point, title, color; one row per
    label in the order of the study's runs) and ``metrics`` (metric, title, unit, better).

    Raises:
        ConfigError: an input has no such name.
        ResultsError: a file is missing, damaged or of another format.
    """
    frames = {name: _read(plan, root, name) for name in inputs}
    frames["labels"] = label_frame(plan)
    frames["metrics"] = metric_frame(plan)
    return frames


def label_frame(plan: dict[str, Any]) -> pd.DataFrame:
    """One row per label of the study's runs, in their order."""
    rows: dict[str, dict[str, Any]] = {}
    for run in plan.get("runs", []):
        emulator = plan.get("emulators", {}).get(run["emulator"], {})
        rows.setdefault(
            run["label"],
            {
                "label": run["label"],
                "emulator": run["emulator"],
                "training": run.get("training") or "none",
                "data": run.get("data") or "none",
                "point": run.get("point") or {},
                "title": emulator.get("title") or run["emulator"],
                "color": emulator.get("color"),
            },
        )
    return pd.DataFrame(list(rows.values()), columns=list(next(iter(rows.values()))) if rows else ["label"])


def metric_frame(plan: dict[str, Any]) -> pd.DataFrame:
    """One row per metric of the study with its title, unit and direction."""
    rows = [
        {
            "metric": name,
            "title": config.get("title") or name,
            "unit": config.get("unit") or "",
            "better": config.get("better") or "lower",
        }
        for name, config in plan.get("metrics", {}).items()
    ]
    return pd.DataFrame(rows, columns=["metric", "title", "unit", "better"])


def need(frames: dict[str, pd.DataFrame], name: str, columns: list[str], what: str) -> pd.DataFrame:
    """The frame ``name`` for the figure or table ``what``.

    Raises:
        ResultsError: it is absent, has no rows, or lacks a column.
    """
    if name not in frames:
        raise ResultsError(f"{what} reads '{name}', which was not given; add it to its inputs and run that rule first")
    frame = frames[name]
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise ResultsError(f"{what} reads the columns {missing} of '{name}', which has {list(frame.columns)}")
    if frame.empty:
        raise ResultsError(f"{what} reads '{name}', which has no rows")
    return frame


def with_labels(frames: dict[str, pd.DataFrame], metric: str, what: str) -> pd.DataFrame:
    """Scores of one metric joined with each run's label, emulator, training and seed, and with the system's name.

    Raises:
        ResultsError: scores or runs are absent, or no run was scored with ``metric``.
    """
    scores = need(frames, "scores", ["run_id", "dataset", "window", "metric", "value", "diverged_at"], what)
    runs = need(frames, "runs", ["run_id", "label", "emulator", "training", "seed"], what)
    chosen = scores[scores["metric"] == metric]
    if chosen.empty:
        raise ResultsError(f"{what}: {unknown('scored metric', metric, sorted(set(scores['metric'])))}")
    joined = chosen.merge(runs[["run_id", "label", "emulator", "training", "seed"]], on="run_id", how="inner")
    if joined.empty:
        raise ResultsError(f"{what}: no score belongs to a run of this study; the scores are stale, run compare again")
    joined["system"] = joined["dataset"].map(system_names(frames)).fillna(joined["dataset"])
    return joined


def system_names(frames: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Name to print for each dataset: its system's, where that is unique among the windows, else the dataset's."""
    if "windows" not in frames or frames["windows"].empty:
        return {}
    pairs = frames["windows"][["dataset", "system"]].drop_duplicates()
    twice = set(pairs["system"][pairs["system"].duplicated(keep=False)])
    return {
        d: (d if s in twice or not isinstance(s, str) or not s else s)
        for d, s in zip(pairs["dataset"], pairs["system"], strict=True)
    }


def _paths(plan: dict[str, Any], name: str) -> list[Path]:
    study = Path(plan["name"])
    if name in STUDY_TABLES:
        return [study / f"{name}.parquet"]
    if name == "windows":
        return [Path(suite["folder"]) / "windows.parquet" for suite in plan.get("suites", {}).values()]
    if name.startswith("analysis/"):
        wanted = name.removeprefix("analysis/")
        if wanted not in plan.get("analyses", {}):
            raise ConfigError(f"study '{plan['name']}': {unknown('analysis', wanted, plan.get('analyses', {}))}")
        return [study / "analysis" / f"{wanted}.parquet"]
    raise ConfigError(f"study '{plan['name']}': {unknown('input', name, INPUTS)}")


def _read(plan: dict[str, Any], root: Path, name: str) -> pd.DataFrame:
    schema = STUDY_TABLES.get(name) or (schemas.WINDOWS if name == "windows" else None)
    parts = [plain(read_parquet(Path(root) / path, schema).to_pandas()) for path in _paths(plan, name)]
    return pd.concat(parts, ignore_index=True) if len(parts) != 1 else parts[0]


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as objects: a group-by then sees only what is there."""
    for column in frame.columns:
        if isinstance(frame[column].dtype, pd.CategoricalDtype):
            frame[column] = frame[column].astype(object)
    return frame
