"""Parameters that another dataset has saved, to be started again from new initial conditions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from strangecast.core.schemas import MANIFEST
from strangecast.core.tables import read_parquet
from strangecast.data.shards import Shard


def saved_parameters(root: Path, restart: dict[str, Any]) -> dict[tuple[str, int], np.ndarray]:
    """Parameters [P] by system and parameter index: those of the first accepted trajectory of each set.

    Sets of which no trajectory was accepted are left out.

    Args:
        root: ``results/<scale>``.
        restart: ``folder`` of the dataset, relative to ``root``.

    Raises:
        ResultsError: it has no manifest yet, or a file of it is damaged.
    """
    folder = root / restart["folder"]
    table = read_parquet(folder / "manifest.parquet", MANIFEST)
    wanted = table.select(["system", "parameter_index", "shard", "row", "accepted"]).to_pylist()
    shards: dict[str, Shard] = {}
    found: dict[tuple[str, int], np.ndarray] = {}
    for about in wanted:
        key = about["system"], about["parameter_index"]
        if about["accepted"] and key not in found:
            if about["shard"] not in shards:
                shards[about["shard"]] = Shard(folder / about["shard"])
            found[key] = np.array(shards[about["shard"]].get("parameters", about["row"]), np.float64)
    return found
