"""Validity verdicts for every trajectory of a dataset, kept with their reasons.

``integration`` (did the solver reach the end) always applies; the tests of ``config.validity`` apply where their key is
not null, with the thresholds given there. Tests see clean values. A rejected trajectory stays in the manifest. Where
generation has already judged (``attempts``), its verdicts are taken over. ``same_attractor`` holds trajectories of
perturbed parameters against the first finished one of their system at default parameters; to others, and to those of a
system without such a trajectory, it does not apply: no verdict of it stands in their row.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from strangecast.core.errors import DataError
from strangecast.core.schemas import MANIFEST
from strangecast.core.spec import Spec
from strangecast.core.tables import write_parquet
from strangecast.data.labels import FILTERED, MADE, filtered_label
from strangecast.data.rows import table_of
from strangecast.data.shards import Shard
from strangecast.data.trajectories import spec_label
from strangecast.systems.validity.panel import Known, check, run_panel
from strangecast.systems.validity.record import Record
from strangecast.systems.validity.verdict import Verdict

_REFERENCED = "same_attractor"


def judge(
    values: np.ndarray, validity: dict[str, Any], known: Known | None = None, stop_at_first: bool = False
) -> dict[str, Verdict]:
    """Verdicts by test name for one trajectory [T, C, *grid].

    Args:
        values: clean values.
        validity: thresholds by test, as in a dataset's YAML.
        known: identity, which keys random numbers, exponent and reference of the trajectory.
        stop_at_first: leave out the tests after the first that fails.

    Raises:
        ConfigError: an unknown test or threshold, or ``same_attractor`` without a reference.
    """
    return run_panel(values, validity, known, stop_at_first)


def filter_dataset(plan: dict[str, Any], root: Path) -> None:
    """Write ``manifest.parquet``: one row per trajectory, accepted or not; labels ``spec`` and ``filtered``.

    Raises:
        ConfigError: an unknown validity test or threshold.
        DataError: too few trajectories pass for the split that the recipe asks for; the message counts the reasons.
    """
    config, folder = plan["config"], root / plan["folder"]
    validity = config.get("validity") or {}
    check(validity)
    references = _References(folder, plan["shards"]) if validity.get(_REFERENCED) is not None else None
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
                    known = _known(shard, row, references)
                    asked = {
                        t: limits for t, limits in validity.items() if t != _REFERENCED or known.reference is not None
                    }
                    verdicts |= judge(values, asked, known)
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


def _known(shard: Shard, row: int, references: _References | None) -> Known:
    """Identity, exponent and reference of a row of a shard."""
    exponent, error = shard.get("lyapunov", row), shard.get("lyapunov_standard_error", row)
    reference = references.of(shard, row) if references is not None else None
    return Known((shard.get("trajectory_id", row),), exponent, error, reference)


class _References:
    """First finished trajectories at default parameters, one per system, read when first asked for."""

    def __init__(self, folder: Path, shards: list[str]) -> None:
        self._shards = [folder / name for name in shards]
        self._records: dict[str, Record | None] = {}

    def of(self, shard: Shard, row: int) -> Record | None:
        """What a row is held against.

        None for default parameters, skew products, imported data, and systems without a finished trajectory at default
        parameters.
        """
        system = shard.get("system", row)
        if not shard.get("parameter_index", row) or shard.get("parents", row):
            return None
        if system not in self._records:
            self._records[system] = self._find(system)
        return self._records[system]

    def _find(self, system: str) -> Record | None:
        for path in self._shards:
            shard = Shard(path)
            for row in range(len(shard)):
                default = shard.get("system", row) == system and shard.get("parameter_index", row) == 0
                if default and shard.get("status", row) == "finished":
                    return Record(shard.values(row))
        return None


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
        wanted = sum(split.get(part) or 0 for part in ("train", "validation", "test"))
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
