"""The arrays metrics take, from the windows and forecasts of a suite."""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ResultsError
from strangecast.data.alike import spec_of
from strangecast.data.forecasts import Forecasts
from strangecast.data.windows import Windows
from strangecast.metrics.scale import Scale, window_scale


def scale_of(windows: Windows, rows: np.ndarray) -> Scale:
    """The scale of windows of one dataset."""
    part = windows.table.iloc[rows]
    context, past = windows.context(rows, int(part["context"].min()))
    dt = part["dt"].to_numpy(np.float64, copy=True)
    uneven = np.isnan(dt)
    if uneven.any():  # uneven sampling: the mean interval of the context
        dt[uneven] = ((past[:, -1] - past[:, 0]) / (past.shape[1] - 1))[uneven]
    mean, std = (np.stack(part[c].to_numpy()) for c in ("climate_mean", "climate_std"))
    return window_scale(context, mean, std, dt, part["lyapunov"].to_numpy(np.float64))


def stacked_forecasts(forecasts: Forecasts, windows: Windows, rows: np.ndarray, run_ids: list[str]) -> np.ndarray:
    """Forecasts of windows of one dataset by several runs: [S, B, H, C, *grid], with N in front where they are samples.

    Raises:
        ResultsError: a run has no forecast of a window, or runs drew different numbers of samples.
    """
    ids = list(windows.table.iloc[rows][["dataset", "trajectory_id", "window"]].itertuples(index=False, name=None))
    try:
        places = [[forecasts.places[run_id, *i] for i in ids] for run_id in run_ids]
    except KeyError as e:
        raise ResultsError(f"there is no forecast for {e.args[0]}; run the rule forecast again") from e
    try:
        stacked = np.stack([np.stack([forecasts.array(i) for i in own]) for own in places])
    except ValueError as e:
        raise ResultsError(f"forecasts of {ids[0][0]} have different shapes; run the rule forecast again") from e
    samples = stacked.ndim > 4 + len(spec_of(windows, int(rows[0])).grid)
    return np.moveaxis(stacked, 2, 0) if samples else stacked
