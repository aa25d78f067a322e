"""The frames a figure or table reads: what a study's inputs are called, and where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core import schemas
from strangecast.core.errors import ConfigError, ResultsError, unknown
from strangecast.evaluation.frames import read_frame

STUDY_TABLES = {
    "runs": schemas.RUNS,
    "scores": schemas.SCORES,
    "comparisons": schemas.COMPARISONS,
    "claims": schemas.CLAIMS,
}
INPUTS = (*STUDY_TABLES, "windows", "histories", "analysis/<name>")


def load_frames(plan: dict[str, Any], root: Path, inputs: list[str]) -> dict[str, pd.DataFrame]:
    """Read the named inputs of a study as pandas frames (strings as plain objects, never categories).

    Inputs are named runs, scores, comparisons, claims, windows, histories and analysis/<name>.
    Two small frames are always added: ``labels`` (label, emulator, training, point, title, color; one row per
    label in the order of the study's runs) and ``metrics`` (metric, title, unit, better, worst).

    Raises:
        ConfigError: an input has no such name, or the study has no such analysis.
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
            "worst": config.get("worst"),
        }
        for name, config in plan.get("metrics", {}).items()
    ]
    return pd.DataFrame(rows, columns=["metric", "title", "unit", "better", "worst"])


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


def one_suite(frame: pd.DataFrame, suite: str | None, what: str) -> pd.DataFrame:
    """Rows of one suite: the one named, else the first that occurs.

    Raises:
        ResultsError: there are no rows of that suite.
    """
    suites = list(dict.fromkeys(frame["suite"]))
    if suite is not None and suite not in suites:
        raise ResultsError(f"{what}: {unknown('suite with results', suite, map(str, suites))}")
    return frame[frame["suite"] == (suites[0] if suite is None else suite)]


def labelled_scores(
    frames: dict[str, pd.DataFrame], metric: str, what: str, *, suite: str | None = None, horizon: int | None = None
) -> pd.DataFrame:
    """Scores of one metric at one horizon (the longest by default) with label, emulator, training, seed and system.

    A value that is undefined, because the forecast or the training diverged, becomes the metric's ``worst`` where its
    YAML gives one, and else infinitely bad: it is never dropped. The column ``lost`` tells which these are.

    Returns:
        No rows where ``metric`` is one of the study's and is nowhere defined (as the valid prediction time is where no
        Lyapunov exponent is known).

    Raises:
        ResultsError: scores or runs are absent, or ``metric`` is none of the study's.
    """
    columns = ["run_id", "suite", "dataset", "window", "horizon", "metric", "value", "diverged_at"]
    scores = need(frames, "scores", columns, what)
    runs = need(frames, "runs", ["run_id", "label", "emulator", "training", "seed"], what)
    chosen = scores[scores["metric"] == metric]
    if chosen.empty:
        if "metrics" not in frames or metric not in set(frames["metrics"]["metric"]):
            raise ResultsError(f"{what}: {unknown('scored metric', metric, map(str, set(scores['metric'])))}")
        return chosen.assign(label="", emulator="", training="", seed=0, lost=False, system="")
    chosen = one_suite(chosen, suite, what)
    chosen = chosen[chosen["horizon"] == (chosen["horizon"].max() if horizon is None else horizon)]
    joined = chosen.merge(runs[["run_id", "label", "emulator", "training", "seed"]], on="run_id", how="inner")
    if joined.empty:
        raise ResultsError(f"{what}: no score of '{metric}' belongs to a run of this study; run compare again")
    lost = joined["value"].isna()
    joined["value"] = joined["value"].where(~lost, _worst(frames, metric))
    joined["lost"] = lost
    joined["system"] = joined["dataset"].map(system_names(frames)).fillna(joined["dataset"])
    return joined


def metric_words(frames: dict[str, pd.DataFrame], metric: str) -> tuple[str, str, bool]:
    """Title, unit and whether higher is better, as the metric's YAML says (its name, no unit and lower otherwise)."""
    if "metrics" in frames:
        for row in frames["metrics"].itertuples():
            if row.metric == metric:
                return row.title, row.unit, row.better == "higher"
    return metric, "", False


def _worst(frames: dict[str, pd.DataFrame], metric: str) -> float:
    higher = metric_words(frames, metric)[2]
    if "metrics" in frames:
        given = frames["metrics"].set_index("metric")["worst"].get(metric)
        if given is not None and given == given:
            return float(given)
    return float("-inf") if higher else float("inf")


def ordered_labels(frames: dict[str, pd.DataFrame], present: Iterable[str]) -> list[str]:
    """The labels of ``present`` in the order of the study's runs; unknown ones follow in alphabetical order."""
    present = set(present)
    order = list(dict.fromkeys(frames["labels"]["label"])) if "labels" in frames else []
    return [x for x in order if x in present] + sorted(present - set(order))


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
    if name == "histories":
        trained = [r["folder"] for r in plan.get("runs", []) if r["folder"] and (r.get("training") or "none") != "none"]
        return [Path(folder) / "history.parquet" for folder in dict.fromkeys(trained)]
    if name.startswith("analysis/"):
        wanted = name.removeprefix("analysis/")
        if wanted not in plan.get("analyses", {}):
            raise ConfigError(f"study '{plan['name']}': {unknown('analysis', wanted, plan.get('analyses', {}))}")
        return [study / "analysis" / f"{wanted}.parquet"]
    raise ConfigError(f"study '{plan['name']}': {unknown('input', name, INPUTS)}")


def _read(plan: dict[str, Any], root: Path, name: str) -> pd.DataFrame:
    schema = STUDY_TABLES.get(name) or (schemas.WINDOWS if name == "windows" else None)
    if name == "histories":
        schema = schemas.HISTORY
    parts = [read_frame(Path(root) / path, schema) for path in _paths(plan, name)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=schema.names if schema else [])
