"""Validity verdicts for every trajectory of a dataset, kept with their reasons.

``integration`` (did the solver reach the end) always applies; the tests of ``config.validity`` apply where their key is
not null, with the thresholds given there. Tests see clean values. A rejected trajectory stays in the manifest. Where
generation has already judged (``attempts``), its verdicts are taken over.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, DataError, unknown
from strangecast.core.schemas import MANIFEST
from strangecast.core.spec import Spec
from strangecast.core.tables import write_parquet
from strangecast.data.labels import FILTERED, MADE, filtered_label
from strangecast.data.rows import table_of
from strangecast.data.shards import Shard
from strangecast.data.trajectories import spec_label
from strangecast.systems.validity.boundedness import boundedness
from strangecast.systems.validity.fixed_point import fixed_point
from strangecast.systems.validity.limit_cycle import limit_cycle
from strangecast.systems.validity.stationarity import stationarity
from strangecast.systems.validity.verdict import Verdict

TESTS: dict[str, Callable[..., Verdict]] = {
    "boundedness": boundedness,
    "fixed_point": fixed_point,
    "limit_cycle": limit_cycle,
    "stationarity": stationarity,
}


def judge(values: np.ndarray, validity: dict[str, Any]) -> dict[str, Verdict]:
    """Verdicts by test name for one trajectory [T, C, *grid].

    Raises:
        ConfigError: an unknown test or threshold.
    """
    verdicts = {}
    for name, thresholds in validity.items():
        if name not in TESTS:
            raise ConfigError(unknown("validity test", name, TESTS))
        if thresholds is None:
            continue
        try:
            verdicts[name] = TESTS[name](values, **thresholds)
        except TypeError as e:
            raise ConfigError(f"validity.{name} takes no such threshold: {e}") from e
    return verdicts


def filter_dataset(plan: dict[str, Any], root: Path) -> None:
    """Write ``manifest.parquet``: one row per trajectory, accepted or not; labels ``spec`` and ``filtered``.

    Raises:
        DataError: too few trajectories pass for the split that the recipe asks for; the message counts the reasons.
    """
    config, folder = plan["config"], root / plan["folder"]
    rows: list[dict[str, Any]] = []
    specs: list[Spec] = []
    made: set[str] = set()
    for name in plan["shards"]:
        shard = Shard(folder / name)
        specs.append(shard.spec)
        made.add(shard.labels.get(MADE, ""))
        for row in range(len(shard)):
            values = shard.values(row)
            told = shard.get("verdicts", row)
            if told is None:
                verdicts = _integrated(shard, row, len(values), config)
                if all(v.passed for v in verdicts.values()):
                    verdicts |= judge(values, config.get("validity") or {})
                told = to_json(verdicts)
            reasons = [test for test, verdict in json.loads(told).items() if not verdict["passed"]]
            found = {
                "shard": name,
                "row": row,
                "channels": values.shape[1],
                "length": len(values),
                "accepted": not reasons,
                "reasons": reasons,
                "verdicts": told,
            }
            rows.append(found | {key: shard.get(key, row) for key in MANIFEST.names if key not in found})
    wanted = {} if config.get("systems") is not None else config["split"]
    enough(plan["name"], [r["accepted"] for r in rows], [r["reasons"] for r in rows], wanted)
    labels = {"spec": spec_label(Spec.common(specs)), FILTERED: filtered_label(plan, made)}
    write_parquet(folder / "manifest.parquet", table_of(rows, MANIFEST), MANIFEST, labels)


def to_json(verdicts: dict[str, Verdict]) -> str:
    """Verdicts as they stand in a manifest."""
    return json.dumps({test: verdict.to_json() for test, verdict in verdicts.items()}, sort_keys=True)


def enough(name: str, accepted: list[bool], reasons: list[list[str]], split: dict[str, Any]) -> None:
    """Hold the number of accepted trajectories against the split ({} where at least one will do).

    Raises:
        DataError: it does not suffice.
    """
    wanted = 1
    if split.get("by") == "initial_condition":
        wanted = sum(split[part] or 0 for part in ("train", "validation", "test"))
    if sum(accepted) < wanted:
        counts = Counter(r for row in reasons for r in row)
        why = ", ".join(f"{test} {n}" for test, n in sorted(counts.items())) or "none was rejected"
        raise DataError(
            f"dataset '{name}': {sum(accepted)} of {len(accepted)} trajectories are valid, the split needs {wanted} "
            f"(rejected by: {why}); generate more initial_conditions or relax validity"
        )


def _integrated(shard: Shard, row: int, length: int, config: dict[str, Any]) -> dict[str, Verdict]:
    """The verdict on the simulation itself; imported data have none."""
    if config.get("source") is not None:
        return {}
    wanted = int(config["sampling"]["length"])
    done = length == wanted and shard.get("solver", row).endswith(": finished")
    return {"integration": Verdict(done, length, wanted)}
