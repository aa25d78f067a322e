"""Floors of a suite: what the truth of each window scores against itself, for the metrics that compare attractors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from strangecast.core.errors import ConfigError, ResultsError, unknown
from strangecast.core.hashing import digest
from strangecast.core.schemas import FLOORS
from strangecast.core.tables import read_parquet, write_parquet
from strangecast.data.alike import alike
from strangecast.data.windows import Windows
from strangecast.evaluation.metric_option import ATTRACTOR, Metric, metric_option
from strangecast.evaluation.windows_scored import defined_at
from strangecast.metrics.floor import floor
from strangecast.metrics.scale import Scale
from strangecast.metrics.suite_arrays import scale_of

FILE = "floors.parquet"
ORDER = ["metric", "dataset", "trajectory_id", "window"]


def floor_suite(root: Path, suite: str, use: dict[str, Any], *, reuse: bool = True) -> None:
    """Write ``floors.parquet`` beside the windows of a suite.

    Rows whose key has not changed are kept.

    Args:
        root: ``results/<scale>``.
        suite: its name.
        use: the suite as block plans have it: ``folder``, ``normalisation``, and ``metrics`` (``config`` and ``key`` by
            name). Metrics that have no floor are passed over.
        reuse: False computes everything again.

    Raises:
        ConfigError: a metric or normalisation that does not exist.
        ResultsError: the windows are missing or damaged.
    """
    if use["normalisation"] != "context":
        raise ConfigError(f"suite '{suite}': {unknown('normalisation', str(use['normalisation']), ['context'])}")
    windows = Windows.open(root, use["folder"])
    path = root / use["folder"] / FILE
    metrics = {name: metric_option(name, about["config"]) for name, about in use["metrics"].items()}
    keys = {
        (dataset, name): floor_key(content, use["metrics"][name]["key"], use["normalisation"])
        for dataset, content in windows.contents.items()
        for name, metric in metrics.items()
        if metric.kind == ATTRACTOR
    }
    kept = _kept(path, set(keys.values())) if reuse else _empty()
    missing = {pair: key for pair, key in keys.items() if key not in set(kept["key"])}
    found = [
        suite_floors(windows, dataset, metrics[name]).assign(suite=suite, key=key)
        for (dataset, name), key in missing.items()
    ]
    table = pd.concat([f for f in (kept, *found) if len(f)] or [_empty()], ignore_index=True)
    table = table.sort_values(ORDER, kind="stable", ignore_index=True)
    write_parquet(path, pa.Table.from_pandas(table, preserve_index=False), FLOORS)


def floor_key(windows: str, metric: str, normalisation: str) -> str:
    """Key of one metric's floors on one dataset.

    Args:
        windows: digest of the dataset's windows.
        metric: static key of the metric.
        normalisation: of the suite.
    """
    return digest("floor", windows, metric, normalisation)


def suite_floors(windows: Windows, dataset: str, metric: Metric) -> pd.DataFrame:
    """Floors of one metric on a dataset's windows: columns of ``schemas.FLOORS`` but for ``suite`` and ``key``.

    A window for which the metric is not defined has no row, as it has no score.
    """
    frames = []
    for rows in alike(windows, windows.rows(dataset)):
        truth, scale = windows.truth(rows)[0], scale_of(windows, rows)
        chosen = defined_at(metric, truth, scale, truth.shape[1])
        if not chosen.any():
            continue
        where = windows.table.iloc[rows[chosen]]
        frames.append(
            pd.DataFrame(
                {
                    "dataset": dataset,
                    "trajectory_id": where["trajectory_id"].to_numpy(object),
                    "window": where["window"].to_numpy(np.int32),
                    "horizon": np.int32(truth.shape[1]),
                    "length": np.int32(truth.shape[1] // 2),
                    "metric": metric.name,
                    "value": truth_floor(metric, truth[chosen], scale.of(chosen)),
                }
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else _empty().drop(columns=["suite", "key"])


def truth_floor(metric: Metric, truth: np.ndarray, scale: Scale) -> np.ndarray:
    """[B], the floor of a metric in its own space (see ``metrics/floor.py``).

    Args:
        metric: one whose kind is ``attractor``.
        truth: [B, H, C, *grid], physical units.
        scale: of the windows.

    Raises:
        ConfigError: a metric of another kind.
    """
    if metric.kind != ATTRACTOR:
        raise ConfigError(f"metric '{metric.name}' compares values at the same time, so the truth has no floor in it")
    if metric.space == "normalised":
        truth, scale = scale.standardise(truth[None])[0], scale.standardised()
    return floor(metric.function, truth, scale)


def median_floors(floors: pd.DataFrame) -> pd.DataFrame:
    """Median floor and number of windows by ``suite, metric, horizon``: columns ``floor, n_windows`` to print beside scores.

    Args:
        floors: a table of ``schemas.FLOORS``.
    """
    groups = floors.groupby(["suite", "metric", "horizon", "length"], observed=True, sort=True)["value"]
    return groups.agg(floor="median", n_windows="size").reset_index()


def _kept(path: Path, keys: set[str]) -> pd.DataFrame:
    try:
        frame = read_parquet(path, FLOORS).to_pandas()
    except ResultsError:
        return _empty()
    frame = frame.astype({n: object for n in ("suite", "dataset", "trajectory_id", "metric", "key")})
    return frame[frame["key"].isin(keys)]


def _empty() -> pd.DataFrame:
    return FLOORS.empty_table().to_pandas().astype({"window": np.int32, "horizon": np.int32, "length": np.int32})
