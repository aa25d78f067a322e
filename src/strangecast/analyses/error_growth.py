"""How the error of a forecast grows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from strangecast.analyses.cases import Case
from strangecast.metrics.normalised_error import normalised_error

COLUMNS = ["suite", "dataset", "system", "label", "step", "lyapunov_time", "q25", "median", "q75", "n_datasets", "n"]


def error_growth(cases: Iterable[Case], *, points: int = 100, longest: float | None = None) -> pd.DataFrame:
    """Median and quartiles of the normalised error (see ``metrics/normalised_error.py``) over windows and seeds.

    Args:
        cases: labels on datasets.
        points: number of times of the grid on which datasets are pooled.
        longest: its last Lyapunov time; the median of the datasets' horizons by default.

    Returns:
        Rows per (dataset, label, step), step 1 being the first sample after the context; and rows with ``dataset``,
        ``system`` and ``step`` null per (label, lyapunov_time), pooled over the ``n_datasets`` datasets whose windows
        reach that time. ``n`` is the number of forecasts. Errors may be infinite, where forecasts are.
    """
    parts: list[pd.DataFrame] = []
    pool: dict[str, list[tuple[str, np.ndarray, float]]] = {}
    for case in cases:
        errors = normalised_error(case.truth, case.forecast, case.scale)
        errors = errors.reshape(-1, errors.shape[-1])
        unit = float(case.scale.lyapunov_steps.mean())
        step = np.arange(1, errors.shape[1] + 1)
        parts.append(
            _quartiles(errors, 1, suite=case.suite, dataset=case.dataset, system=case.system, label=case.label)
        )
        parts[-1].insert(4, "step", step)
        parts[-1].insert(5, "lyapunov_time", step * unit)
        if np.isfinite(unit):
            pool.setdefault(case.suite, []).append((case.label, errors, unit))
    parts += [_pooled(suite, held, points, longest) for suite, held in pool.items()]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(parts, ignore_index=True)
    return table.astype({"step": "Int64", "dataset": object, "system": object})[COLUMNS]


def _pooled(suite: str, held: list[tuple[str, np.ndarray, float]], points: int, longest: float | None) -> pd.DataFrame:
    """Errors of all datasets at common Lyapunov times: each dataset's at the sample nearest to that time."""
    end = longest if longest is not None else float(np.median([e.shape[1] * unit for _, e, unit in held]))
    grid = end * np.arange(1, points + 1) / points
    rows = []
    for label in dict.fromkeys(name for name, _, _ in held):
        own = [(e, unit) for name, e, unit in held if name == label]
        for time in grid:
            here = [e[:, max(0, round(time / unit) - 1)] for e, unit in own if time <= e.shape[1] * unit * (1 + 1e-12)]
            if here:
                row = _quartiles(np.concatenate(here)[:, None], len(here), suite=suite, label=label)
                rows.append(row.assign(lyapunov_time=time))
    return pd.concat(rows, ignore_index=True).assign(dataset=None, system=None, step=pd.NA)


def _quartiles(errors: np.ndarray, n_datasets: int, **names: str) -> pd.DataFrame:
    """Quartiles over axis 0, each an error that occurred (so that infinities stay what they are)."""
    q25, median, q75 = np.quantile(errors, [0.25, 0.5, 0.75], axis=0, method="nearest")
    return pd.DataFrame(
        {**names, "q25": q25, "median": median, "q75": q75, "n_datasets": n_datasets, "n": len(errors)},
        index=range(len(median)),
    )
