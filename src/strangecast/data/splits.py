"""Which samples train, validate and test, as a file: decided before any window exists. The rules stand in ``divisions.py``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError
from strangecast.core.hashing import digest
from strangecast.core.schemas import MANIFEST, SPLITS
from strangecast.core.spec import Spec
from strangecast.core.tables import read_labels, read_parquet, write_parquet
from strangecast.data.divisions import divide
from strangecast.data.labels import FILTERED, SPLIT_BY, split_label
from strangecast.data.rows import table_of

__all__ = ["in_key_order", "split_dataset"]
_KEPT = (
    "trajectory_id",
    "shard",
    "row",
    "system",
    "parents",
    "parameter_index",
    "channels",
    "dt",
    "lyapunov",
    "sha256",
)


def split_dataset(plan: dict[str, Any], root: Path) -> None:
    """Write ``splits.parquet``.

    Its labels are ``spec``, ``noise``, ``split_by`` and ``content``: the digest of everything a training or scoring job
    reads of this dataset (digests of the trajectories, segments, Spec, exponent, noise). The context range in the Spec
    comes from ``config.window`` and is not part of ``content``, so that other windows alone train nothing again.

    Raises:
        ConfigError: an unknown way to split, or shares that cannot work.
        DataError: too few or too short trajectories.
    """
    config, folder = plan["config"], root / plan["folder"]
    manifest = read_parquet(folder / "manifest.parquet", MANIFEST)
    given = read_labels(folder / "manifest.parquet")
    about = json.loads(given["spec"])
    everything = in_key_order(manifest.to_pylist())
    accepted = [r for r in everything if r["accepted"]]
    window = config["window"]
    gap = window["context"] + window["horizon"]
    many = config.get("systems") is not None
    systems = {r["system"]: tuple(r["parents"]) for r in everything} if many else None
    segments = divide(accepted, config["split"], gap, plan["name"], systems)
    rows = [
        {k: accepted[i][k] for k in _KEPT} | {"split": part, "start": start, "stop": stop}
        for i, part, start, stop in segments
    ]
    noise = float(config.get("noise") or 0.0)
    if noise < 0:
        raise ConfigError(f"dataset '{plan['name']}': noise {noise} must not be negative")
    apart = [[r[k] for k in ("system", "parents", "parameter_index", "dt", "lyapunov")] for r in rows] if many else []
    content = digest(
        [[r["trajectory_id"], r["sha256"], r["split"], r["start"], r["stop"]] for r in rows],
        about,
        noise,
        sorted({(r["dt"], r["lyapunov"]) for r in accepted}, key=str),
        *([apart] if many else []),
    )
    spec = replace(Spec.from_json(about), context_range=(1, int(window["context"])))
    labels = {
        "content": content,
        "spec": json.dumps(spec.to_json()),
        "noise": json.dumps(noise),
        SPLIT_BY: split_label(plan, given.get(FILTERED)),
    }
    write_parquet(folder / "splits.parquet", table_of(rows, SPLITS), SPLITS, labels)


def in_key_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a manifest, systems in the order in which they first appear, then by parameter set and initial condition."""
    place = {system: i for i, system in enumerate(dict.fromkeys(r["system"] for r in rows))}
    return sorted(rows, key=lambda r: (place[r["system"]], r["parameter_index"], r["ic_index"]))
