"""A few systems at several sets of parameters: what a perturbation does to an attractor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from strangecast.analyses.attempts import attempts
from strangecast.analyses.generated import Generated
from strangecast.analyses.portraits import Portraits

COLUMNS = [
    "dataset", "system", "parameter_index", "trajectory_id", "accepted", "reasons", "status", "axes",
    "point", "x", "y", "z",
]  # fmt: skip


def perturbation_ensemble(
    datasets: Iterable[Generated],
    *,
    systems: Sequence[str] = (),
    count: int = 6,
    sets: int = 6,
    points: int = 2000,
    per_period: int = 100,
) -> pd.DataFrame:
    """One trajectory per system and parameter set, accepted or not, the default set first.

    Args:
        datasets: to look at; those with one parameter set per system have nothing to show.
        systems: shown first, as far as a dataset has them; the others follow in its order.
        count: systems of a dataset.
        sets: parameter sets of a system, by their index, never by how they look.
        points, per_period: most points of a trajectory, and in a period.

    Returns:
        One row per dataset, system, parameter set and point; columns as in ``gallery``.
    """
    parts = []
    for generated in datasets:
        rows = attempts(generated)
        varied = [s for s, n in rows.groupby("system", sort=False)["parameter_index"].nunique().items() if n > 1]
        chosen = [*(s for s in systems if s in varied), *(s for s in varied if s not in systems)][:count]
        portraits = Portraits(generated, points, per_period)
        rank = np.where(rows["accepted"], 0, np.where(rows["length"] > 0, 1, 2))
        rows = rows.assign(rank=rank).sort_values(["rank", "ic_index", "attempt"], kind="stable")
        rows = rows.drop_duplicates(["system", "parameter_index"]).sort_values("parameter_index", kind="stable")
        for system in chosen:
            for _, row in rows[rows["system"] == system].head(sets).iterrows():
                about = {k: row[k] for k in COLUMNS if k in rows and k != "reasons"}
                parts.append(portraits.of(row).frame(**about, reasons=", ".join(row["reasons"])))
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)
