"""Forecast against truth, for the eye, with the band of its samples where there are any."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from strangecast.analyses.cases import Case
from strangecast.metrics.samples import band

COLUMNS = [
    "suite", "dataset", "system", "label", "run_id", "seed", "trajectory_id", "window",
    "step", "lyapunov_time", "channel", "truth", "forecast", "low", "high",
]  # fmt: skip


def forecast_examples(cases: Iterable[Case], *, window: int = 0) -> pd.DataFrame:
    """One window per dataset, one run per label: chosen by position, never by how well it went.

    Args:
        cases: labels on datasets; the run of the lowest seed is shown.
        window: position among the dataset's windows (the last one where there are fewer). Fields show the grid's first
            point.

    Returns:
        One row per dataset, label, channel and step (1 is the first sample after the context), in physical units;
        ``lyapunov_time`` is NaN where no exponent is known. ``low`` and ``high`` are the 10 % and 90 % quantiles of the
        samples whose median ``forecast`` is, NaN where the emulator draws none.
    """
    parts = []
    for case in cases:
        b = min(window, len(case.windows) - 1)
        H, C = case.truth.shape[1:3]
        shown = [case.truth[b], case.forecast[0, b], *_band(case, b)]
        truth, forecast, low, high = (x.reshape(H, C, -1)[:, :, 0].T.reshape(-1) for x in shown)
        step = np.arange(1, H + 1)
        parts.append(
            pd.DataFrame(
                {
                    "suite": case.suite,
                    "dataset": case.dataset,
                    "system": case.system,
                    "label": case.label,
                    "run_id": case.run_ids[0],
                    "seed": case.seeds[0],
                    "trajectory_id": case.windows["trajectory_id"].iat[b],
                    "window": int(case.windows["window"].iat[b]),
                    "step": np.tile(step, C),
                    "lyapunov_time": np.tile(step * case.scale.lyapunov_steps[b], C),
                    "channel": np.repeat(np.array(case.channels, object), H),
                    "truth": truth,
                    "forecast": forecast,
                    "low": low,
                    "high": high,
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _band(case: Case, b: int) -> tuple[np.ndarray, np.ndarray]:
    """10 % and 90 % of the first run's samples of window b, [H, C, *grid] each."""
    if case.samples is None:
        return (np.full(case.truth[b].shape, np.nan),) * 2
    low, high = band(case.samples[:, :1, b : b + 1], case.scale.of(slice(b, b + 1)))
    return low[0, 0], high[0, 0]
