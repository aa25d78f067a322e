"""One row per run of a study: its axes, its record of training, and what its forecasts cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from strangecast.core.hashing import digest
from strangecast.core.plans import block_plan, scored_on
from strangecast.core.schemas import RUNS
from strangecast.core.tables import read_labels
from strangecast.data.rows import table_of
from strangecast.evaluation.keys import run_records


def runs_table(plan: dict[str, Any], root: Path) -> pa.Table:
    """Rows in the order of the study.

    ``status`` is ``missing`` for a run that its block's ``run.json`` does not hold, ``weights absent`` for one whose
    pretrained weights are not on this machine.

    Args:
        plan: study plan.
        root: ``results/<scale>``.

    Raises:
        ResultsError: a plan, ``run.json`` or forecast file is missing or damaged.
    """
    blocks = {folder: block_plan(root, folder) for folder in plan["blocks"]}
    records = {folder: run_records(block, root) for folder, block in blocks.items()}
    seconds = {folder: _forecast_seconds(plan, block, root) for folder, block in blocks.items()}
    rows = []
    for run in plan["runs"]:
        folder = run["folder"]
        block = blocks.get(folder)
        lacking = {"status": run.get("status") or "missing"}
        record = records[folder].get(run["run_id"], lacking) if block else lacking
        rows.append(
            {
                "run_id": run["run_id"],
                "data": run["data"],
                "emulator": run["emulator"],
                "training": run["training"] or "none",
                "point": json.dumps(run["point"] or {}, sort_keys=True),
                "label": run["label"],
                "seed": run["seed"],
                "init": run["init"],
                "trained_on_system": run["trained_on_system"],
                "status": record["status"],
                "n_parameters": record.get("n_parameters", 0),
                "train_seconds": record.get("train_seconds", 0.0),
                "forecast_seconds": seconds[folder].get(run["run_id"]) if block else None,
                "device": record.get("device"),
                "best_update": record.get("best_update"),
                "key": record.get("key"),
                "data_hash": record.get("data_hash"),
                "config_hash": _config_hash(block, run["point"]) if block else None,
                "code_hash": digest(block["code"]) if block else None,
                "folder": folder,
                "member": run["member"],
                "versions": json.dumps(record.get("versions", {}), sort_keys=True),
            }
        )
    return table_of(rows, RUNS)


def _config_hash(block: dict[str, Any], point: dict[str, Any] | None) -> str:
    """Digest of what a run is made of; of pretrained weights their content, not where they lie."""
    about = block["emulator"]
    weights = about.get("weights")
    emulator = {
        "config": about["config"],
        **({"samples": about["samples"]} if about.get("samples") is not None else {}),
        **({"weights": weights["content"]} if weights else {}),
    }
    return digest(emulator, block["training"], point)


def _forecast_seconds(plan: dict[str, Any], block: dict[str, Any], root: Path) -> dict[str, float]:
    """Seconds by run_id, over the suites that the study asks of it."""
    rows = {r["run_id"]: r for r in plan["runs"]}
    total: dict[str, float] = {}
    for suite, use in block["suites"].items():
        if suite in plan["suites"]:
            labels = read_labels(root / use["forecast_folder"] / "forecasts.arrow")
            for run_id, seconds in json.loads(labels.get("seconds", "{}")).items():
                if run_id in rows and scored_on(rows[run_id], suite):
                    total[run_id] = total.get(run_id, 0.0) + seconds
    return total
