"""Scores of a block's forecasts on a suite, one key per run, dataset and metric."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from strangecast.core.errors import ConfigError, ResultsError, unknown
from strangecast.core.plans import suite_plan
from strangecast.core.schemas import SCORES
from strangecast.core.tables import read_parquet, write_parquet
from strangecast.data.alike import alike
from strangecast.data.forecasts import Forecasts, read_forecasts
from strangecast.data.rows import plain
from strangecast.data.windows import Windows
from strangecast.evaluation.keys import score_key
from strangecast.evaluation.metric_option import metric_option
from strangecast.evaluation.windows_scored import defined_at, diverged_at, has_samples, metric_values, taken
from strangecast.metrics.suite_arrays import scale_of, stacked_forecasts

FILE = "scores.parquet"
ORDER = ["metric", "run_id", "dataset", "trajectory_id", "window", "horizon"]


def score_block(plan: dict[str, Any], root: Path, suite: str, *, reuse: bool = True) -> None:
    """Write ``scores.parquet`` of a block and a suite.

    Rows whose key has not changed are kept. A metric writes no row for a window for which it is not defined (one in
    Lyapunov times without a positive exponent, any at a horizon too short for it, or as its YAML says); a NaN stands
    only where ``diverged_at`` does.

    Args:
        plan: block plan.
        root: ``results/<scale>``.
        suite: name of the suite.
        reuse: False computes everything again.

    Raises:
        ConfigError: the block is not scored on ``suite``; a metric or normalisation that does not exist.
        ResultsError: windows or forecasts are missing or damaged, or do not belong together.
    """
    if suite not in plan["suites"]:
        raise ConfigError(f"{plan['folder']}: {unknown('suite', suite, plan['suites'])}")
    use = plan["suites"][suite]
    if use["normalisation"] != "context":
        raise ConfigError(f"suite '{suite}': {unknown('normalisation', str(use['normalisation']), ['context'])}")
    windows = Windows.open(root, use["folder"])
    forecasts = read_forecasts(root / use["forecast_folder"] / "forecasts.arrow")
    path = root / use["forecast_folder"] / FILE
    horizons = horizons_of(suite_plan(root, suite), windows.table)
    wanted = wanted_keys(forecasts.table, use, horizons)
    kept = _kept(path, set(wanted.values())) if reuse else _empty()
    missing = {pair: key for pair, key in wanted.items() if key not in set(kept["key"])}
    computed = ", ".join(sorted({metric for _, _, metric in missing})) or "nothing"
    print(
        f"{use['forecast_folder']}: scoring {computed}; kept {len(wanted) - len(missing)} of {len(wanted)} columns of scores"
    )
    frames = [kept, _score(windows, forecasts, suite, use, missing, horizons)]
    table = pd.concat([f for f in frames if len(f)] or [_empty()], ignore_index=True)
    table = table.sort_values(ORDER, kind="stable", ignore_index=True)
    write_parquet(path, pa.Table.from_pandas(table, preserve_index=False), SCORES)


def horizons_of(plan: dict[str, Any], windows: pd.DataFrame) -> dict[str, list[int]]:
    """Prefixes to score, in samples, by dataset; the whole horizon where the plan names none.

    Args:
        plan: suite plan.
        windows: columns ``dataset, horizon``.
    """
    found = {}
    for name, horizon in windows.drop_duplicates("dataset")[["dataset", "horizon"]].itertuples(index=False):
        prefixes = plan["datasets"].get(name, {}).get("window", {}).get("prefixes") or [horizon]
        found[name] = sorted({int(p) for p in prefixes if p <= horizon})
    return found


def wanted_keys(
    table: pd.DataFrame, use: dict[str, Any], horizons: dict[str, list[int]]
) -> dict[tuple[str, str, str], str]:
    """Score keys by (run_id, dataset, metric), for forecasts with the columns ``run_id, dataset, key``."""
    pairs = table[["run_id", "dataset", "key"]].drop_duplicates()
    found = {(run_id, dataset): key for run_id, dataset, key in pairs.itertuples(index=False)}
    return score_keys(found, use, horizons)


def score_keys(
    forecasts: dict[tuple[str, str], str], use: dict[str, Any], horizons: dict[str, list[int]]
) -> dict[tuple[str, str, str], str]:
    """Score keys by (run_id, dataset, metric), for forecast keys by (run_id, dataset)."""
    return {
        (run_id, dataset, metric): score_key(key, config["key"], use["normalisation"], horizons[dataset])
        for (run_id, dataset), key in forecasts.items()
        for metric, config in use["metrics"].items()
    }


def _score(
    windows: Windows,
    forecasts: Forecasts | None,
    suite: str,
    use: dict[str, Any],
    missing: dict[tuple[str, str, str], str],
    horizons: dict[str, list[int]],
) -> pd.DataFrame:
    """Scores with the keys ``missing``; without forecasts, of ones that are infinite from their first sample on.

    Runs that have a key of one metric are scored by all that anyone misses, and what has no key is left out: a window
    for which a metric is not defined has no row, whether or not a forecast of it diverged.
    """
    metrics = {name: metric_option(name, config["config"]) for name, config in use["metrics"].items()}
    found = _Rows()
    for dataset in dict.fromkeys(d for _, d, _ in missing):
        runs = list(dict.fromkeys(r for r, d, _ in missing if d == dataset))
        names = dict.fromkeys(m for _, d, m in missing if d == dataset)
        keys = {name: _words([missing.get((run_id, dataset, name)) for run_id in runs])[:, None] for name in names}
        keyed = {name: np.array([[key is not None] for key in own[:, 0]]) for name, own in keys.items()}
        for rows in alike(windows, windows.rows(dataset)):
            scale = scale_of(windows, rows)
            truth = windows.truth(rows)[0]
            if forecasts is None:
                values = np.broadcast_to(np.inf, (len(runs), *truth.shape))
            else:
                values = stacked_forecasts(forecasts, windows, rows, runs)
            view = cache(partial(taken, forecast=values, truth=truth, scale=scale))
            at = diverged_at(values, scale, samples=has_samples(values, truth))
            where = windows.table.iloc[rows]
            same = {
                "suite": _words([suite]),
                "dataset": _words([dataset]),
                "run_id": _words(runs)[:, None],
                "trajectory_id": where["trajectory_id"].to_numpy(object),
                "window": where["window"].to_numpy(np.int32),
                "diverged_at": at,
            }
            for name in names:
                metric = metrics[name]
                scored = metric_values(metric, truth, view(metric.of), scale, at, horizons[dataset])
                for horizon, value in scored.items():
                    found.add(
                        defined_at(metric, truth, scale, horizon) & keyed[name],
                        **same,
                        horizon=np.int32(horizon),
                        horizon_lyapunov=horizon * scale.lyapunov_steps,
                        metric=_words([name]),
                        value=value,
                        key=keys[name],
                    )
    return found.frame()


class _Rows:
    """Rows of scores, column by column: a frame for each metric and horizon costs more than the metric."""

    def __init__(self) -> None:
        self._parts: dict[str, list[np.ndarray]] = {name: [] for name in SCORES.names}

    def add(self, kept: np.ndarray, **columns: np.ndarray) -> None:
        """Rows of S runs and B windows, where ``kept`` [S, B]; columns broadcast against it."""
        for name, values in columns.items():
            self._parts[name].append(np.broadcast_to(values, kept.shape)[kept])

    def frame(self) -> pd.DataFrame:
        """All rows added, as :func:`scores_frame` has them."""
        if not self._parts["value"]:
            return _empty()
        whole = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        at = whole["diverged_at"]
        return pd.DataFrame(whole | {"diverged_at": pd.arrays.IntegerArray(at, at < 0)})


def _words(words: list[str | None]) -> np.ndarray:
    return np.array(words, object)


def lost_scores(
    windows: Windows,
    suite: str,
    use: dict[str, Any],
    keys: dict[tuple[str, str], str],
    horizons: dict[str, list[int]],
) -> pd.DataFrame:
    """Scores of runs whose training diverged: those of forecasts that diverge at their first sample, on every window.

    Args:
        windows: of the suite.
        suite: its name.
        use: the suite in the block's plan.
        keys: forecast keys by (run_id, dataset).
        horizons: of :func:`horizons_of`.
    """
    return _score(windows, None, suite, use, score_keys(keys, use, horizons), horizons)


def _kept(path: Path, keys: set[str]) -> pd.DataFrame:
    try:
        table = read_parquet(path, SCORES)
    except ResultsError:
        return _empty()
    frame = scores_frame(table)
    return frame[frame["key"].isin(keys)]


def scores_frame(table: pa.Table) -> pd.DataFrame:
    """Scores as a pandas frame of plain columns: strings as objects, ``diverged_at`` as nullable integers."""
    columns = [pa.field(f.name, plain(f.type)) for f in SCORES]
    frame = table.cast(pa.schema(columns)).to_pandas(types_mapper={pa.int32(): pd.Int32Dtype()}.get)
    return frame.astype({"window": np.int32, "horizon": np.int32})


def _empty() -> pd.DataFrame:
    return scores_frame(pa.table({f.name: pa.array([], f.type) for f in SCORES}))
