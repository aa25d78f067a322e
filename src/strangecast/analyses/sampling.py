"""How finely and for how long every parameter set was sampled, in periods and in Lyapunov times."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from strangecast.analyses.attempts import attempts
from strangecast.analyses.generated import Generated

COLUMNS = [
    "dataset", "system", "kind", "driven", "smooth", "coupling", "parameter_index", "channels", "trajectories", "accepted",
    "length", "dt", "period", "points_per_period", "periods", "lyapunov", "lyapunov_standard_error", "lyapunov_time",
    "points_per_lyapunov_time", "length_lyapunov",
]  # fmt: skip


def sampling(datasets: Iterable[Generated]) -> pd.DataFrame:
    """One row per dataset, system and parameter set.

    Args:
        datasets: to look at.

    Returns:
        ``trajectories`` generated and ``accepted`` of them; ``length`` is of the longest trajectory, in samples;
        ``periods`` and ``length_lyapunov`` are the same in turns and in Lyapunov times. What depends on the exponent is
        NaN where it is unknown or not positive: there is no Lyapunov time then.
    """
    parts = []
    for generated in datasets:
        rows = attempts(generated)
        groups = rows.groupby(["system", "parameter_index"], sort=False)
        first = groups.first()
        table = first[["kind", "driven", "smooth", "coupling", "channels"]].copy()
        table["trajectories"] = groups.size()
        table["accepted"] = groups["accepted"].sum().astype(int)
        table["length"] = groups["length"].max()
        for column in ("dt", "period", "lyapunov", "lyapunov_standard_error"):
            table[column] = first[column].astype(float)
        parts.append(table.reset_index().assign(dataset=generated.name))
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(parts, ignore_index=True)
    span = table["length"].where(table["length"] > 0) * table["dt"]
    time = 1 / table["lyapunov"].where(table["lyapunov"] > 0, np.nan)
    table["points_per_period"] = table["period"] / table["dt"]
    table["periods"] = span / table["period"]
    table["lyapunov_time"] = time
    table["points_per_lyapunov_time"] = time / table["dt"]
    table["length_lyapunov"] = span / time
    return table[COLUMNS]
