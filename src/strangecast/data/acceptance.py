"""How many candidates passed, and why the others did not: a table from a manifest.

One row per kind of system and reason. A candidate may fail several tests, so shares of reasons add up to more than what
was rejected. Where the integration failed, its status is the reason. A specimen is reached where one of its attempts was
accepted.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from strangecast.core.atomic import write_text
from strangecast.core.schemas import MANIFEST
from strangecast.core.tables import read_parquet
from strangecast.systems.roster import entry_of
from strangecast.systems.skew_names import parse

COLUMNS = ("kind", "specimens", "reached", "candidates", "accepted", "reason", "rejected", "share")


def acceptance(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with ``COLUMNS``; the first of each kind has the reason "any", then reasons by falling count.

    Args:
        rows: of a manifest (``system``, ``parameter_index``, ``ic_index``, ``status``, ``accepted`` and ``reasons`` are
            read).
    """
    kinds: dict[str, list[dict[str, Any]]] = {"all": []}
    for r in rows:
        kinds["all"].append(r)
        kinds.setdefault(kind_of(r["system"], r["parameter_index"]), []).append(r)
    if len(kinds) == 2:
        del kinds["all"]
    found = []
    for kind, own in kinds.items():
        specimens = {(r["system"], r["parameter_index"], r["ic_index"]) for r in own}
        reached = {(r["system"], r["parameter_index"], r["ic_index"]) for r in own if r["accepted"]}
        counts = Counter(_told(reason, r) for r in own for reason in r["reasons"])
        rejected = [("any", sum(not r["accepted"] for r in own)), *sorted(counts.items(), key=lambda c: (-c[1], c[0]))]
        for reason, n in rejected:
            numbers = len(specimens), len(reached), len(own), sum(r["accepted"] for r in own)
            found.append(dict(zip(COLUMNS, (kind, *numbers, reason, n, n / len(own)), strict=True)))
    return found


def _told(reason: str, row: dict[str, Any]) -> str:
    return row["status"].removesuffix(" in the transient") if reason == "integration" else reason


def kind_of(system: str, parameter_index: int) -> str:
    """additive or activated products, flows and delay flows; those with perturbed parameters apart."""
    coupled = parse(system)
    kind = entry_of(system).kind if coupled is None else coupled.kind
    return f"{kind}, perturbed" if parameter_index else kind


def write_acceptance(folder: Path, path: Path) -> None:
    """Write the table of a dataset's folder as CSV.

    Raises:
        ResultsError: the dataset has no manifest yet, or it is damaged.
    """
    columns = ["system", "parameter_index", "ic_index", "status", "accepted", "reasons"]
    manifest = read_parquet(folder / "manifest.parquet", MANIFEST)
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for r in acceptance(manifest.select(columns).to_pylist()):
        writer.writerow(r | {"share": f"{r['share']:.4f}"})
    write_text(path, out.getvalue())
