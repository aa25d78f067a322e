"""One trajectory of every system, small enough to be shown together."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from strangecast.analyses.attempts import attempts
from strangecast.analyses.generated import Generated
from strangecast.analyses.portraits import Portraits

COLUMNS = [
    "dataset", "system", "kind", "driven", "smooth", "coupling", "trajectory_id", "accepted", "reasons", "status",
    "axes", "point", "x", "y", "z",
]  # fmt: skip


def gallery(
    datasets: Iterable[Generated], *, points: int = 2000, per_period: int = 100, most: int = 150
) -> pd.DataFrame:
    """The first accepted trajectory of each system, or its first rejected one where none was accepted.

    Trajectories are taken by parameter set, initial condition and attempt, never by how they look. A rejected trajectory
    is shown only if it was kept; a system of which none was kept has one row without coordinates.

    Args:
        datasets: to look at.
        points: most points of a trajectory.
        per_period: most points in a period.
        most: systems of a dataset; of more, so many at even distances in the manifest's order.

    Returns:
        One row per dataset, system and point: ``axes`` names the coordinates ``x, y, z`` (``z`` NaN where there are
        two), ``reasons`` the failed tests of a rejected trajectory, joined by commas.
    """
    parts = []
    for generated in datasets:
        rows = attempts(generated)
        portraits = Portraits(generated, points, per_period)
        rows = rows.sort_values(["parameter_index", "ic_index", "attempt"], kind="stable")
        # Accepted before kept before gone; the sort above decides among equals.
        rank = np.where(rows["accepted"], 0, np.where(rows["length"] > 0, 1, 2))
        chosen = rows.assign(rank=rank).sort_values("rank", kind="stable").drop_duplicates("system")
        chosen = chosen.set_index("system", drop=False).loc[evenly(list(dict.fromkeys(rows["system"])), most)]
        for _, row in chosen.iterrows():
            about = {k: row[k] for k in COLUMNS if k in chosen and k != "reasons"}
            parts.append(portraits.of(row).frame(**about, reasons=", ".join(row["reasons"])))
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def evenly(names: list[str], most: int) -> list[str]:
    """At most so many of the names, at even distances, the first among them."""
    if len(names) <= most:
        return names
    return [names[i * len(names) // most] for i in range(most)]
