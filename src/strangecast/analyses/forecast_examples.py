"""Forecast against truth, for the eye."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from strangecast.analyses.cases import Case

COLUMNS = [
    "suite", "dataset", "system", "label", "run_id", "seed", "trajectory_id", "window",
    "step", "lyapunov_time", "channel", "truth", "forecast",
]  # fmt: skip


def forecast_examples(cases: Iterable[Case], *, window: int = 0) -> pd.DataFrame:
    """One window per dataset, one run per label: chosen by position, never by how well it went.

    Args:
        cases: labels on datasets; the run of the lowest seed is shown.
        window: position among the dataset's windows (the last one where there are fewer). Fields show the grid's first
            point.

    Returns:
        One row per dataset, label, channel and step (1 is the first sample after the context), in physical units;
        ``lyapunov_time`` is NaN where no exponent is known.
    """
    parts = []
    for case in cases:
        b = min(window, len(case.windows) - 1)
        H, C = case.truth.shape[1:3]
        truth, forecast = (x.reshape(H, C, -1)[:, :, 0] for x in (case.truth[b], case.forecast[0, b]))
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
                    "truth": truth.T.reshape(-1),
                    "forecast": forecast.T.reshape(-1),
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
