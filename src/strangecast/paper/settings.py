"""How the data of a study were made and its emulators trained, read from the plan files beside the results."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core.errors import ResultsError
from strangecast.core.plans import block_plan, suite_plan
from strangecast.core.schemas import MANIFEST
from strangecast.core.tables import read_parquet
from strangecast.paper.tables.columns import missing, number, setting

_HIDDEN = ("_target_", "_partial_", "_recursive_", "_convert_", "title", "schedule", "batch_size_forecast")


def data_settings(plan: dict[str, Any], root: Path) -> dict[str, Any]:
    """What the datasets of a study and its suites share, as text; a setting that differs prints its range or its values.

    Keys are dotted paths into a dataset's YAML (``sampling.length``, ``split.train``, ...), ``normalisation`` and
    ``batch`` of the suites, ``tests`` with the thresholds of the validity tests, ``generated`` and ``accepted`` numbers
    of trajectories and ``rejected``, the counts by reason (these last are absent where no manifest lies there).
    """
    suites = [suite_plan(root, name) for name in plan["suites"]]
    own = plan.get("datasets") or []
    names = list(dict.fromkeys([*(d for suite in suites for d in suite["datasets"]), *own]))
    configs = [_dataset_config(root, name) for name in names]
    flat = [_flat(config) for config in configs]
    keys = dict.fromkeys(k for one in flat for k in one)
    shared: dict[str, Any] = {k: _joined([one[k] for one in flat if k in one]) for k in keys}
    for key in ("normalisation", "batch"):
        shared[key] = _joined([suite["config"].get(key) for suite in suites])
    tests = configs[0].get("validity") or {} if configs else {}
    shared["tests"] = [
        {"name": name.replace("_", " "), "thresholds": ", ".join(f"{k} {_text(v)}" for k, v in (limits or {}).items())}
        for name, limits in tests.items()
        if limits is not None
    ]
    return shared | _manifests(names, root)


def system_rows(windows: pd.DataFrame, root: Path) -> list[dict[str, str]]:
    """One row per dataset: exponent, sampling interval, windows, and the horizon in Lyapunov times."""
    rows = []
    for dataset, own in windows.groupby("dataset", sort=False):
        first = own.iloc[0]
        dt, exponent = first["dt"], first["lyapunov"]
        known = not missing(dt) and not missing(exponent)
        reach = first["horizon"] * dt * exponent if known else None
        rows.append(
            {
                "system": str(first["system"] or dataset),
                "dataset": str(dataset),
                "exponent": number(None if missing(exponent) else float(exponent)),
                "dt": number(None if missing(dt) else float(dt)),
                "windows": number(len(own)),
                "horizon": number(first["horizon"]),
                "context": number(first["context"]),
                "reach": number(reach),
                "channels": number(len(first["climate_mean"])),
            }
        )
    return rows


def label_settings(plan: dict[str, Any], root: Path) -> dict[str, list[dict[str, str]]]:
    """Per label the settings of its emulator and training: ``part`` (emulator or training), ``name``, ``value``."""
    found: dict[str, list[dict[str, str]]] = {}
    for run in plan["runs"]:
        if run["label"] in found or not run["folder"]:
            continue
        block = block_plan(root, run["folder"])
        rows = []
        for part in ("emulator", "training"):
            config = (block.get(part) or {}).get("config") or {}
            own = {
                k.removeprefix(f"{part}."): v for k, v in (run.get("point") or {}).items() if k.startswith(f"{part}.")
            }
            for name, value in (_flat(config) | own).items():
                rows.append({"part": part, "name": name, "value": _text(value)})
        found[run["label"]] = rows
    return found


def _dataset_config(root: Path, name: str) -> dict[str, Any]:
    path = Path(root) / "plan" / "dataset" / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))["config"]
    except (OSError, ValueError, KeyError) as e:
        raise ResultsError(f"there is no readable plan file {path}; `snakemake -n` writes the plan") from e


def _manifests(names: list[str], root: Path) -> dict[str, Any]:
    generated, accepted, reasons = 0, 0, Counter()
    for name in names:
        path = Path(root) / "data" / name / "manifest.parquet"
        if not path.exists():
            return {}
        table = read_parquet(path, MANIFEST).to_pandas()
        generated += len(table)
        accepted += int(table["accepted"].sum())
        reasons.update(r.replace("_", " ") for row in table["reasons"] for r in row)
    rejected = [{"reason": r, "trajectories": number(n)} for r, n in sorted(reasons.items())]
    return {"generated": number(generated), "accepted": number(accepted), "rejected": rejected}


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Leaves by dotted path, without meta keys and without what is switched off."""
    leaves: dict[str, Any] = {}
    for key, value in config.items():
        if key in _HIDDEN or value is None:
            continue
        if isinstance(value, dict):
            leaves |= _flat(value, f"{prefix}{key}.")
        else:
            leaves[prefix + key] = value
    return leaves


def _joined(values: list[Any]) -> str:
    distinct = list(dict.fromkeys(_text(v) for v in values if v is not None))
    if len(distinct) > 2 and all(isinstance(v, int | float) for v in values):
        return f"{setting(min(values))} to {setting(max(values))}"
    return ", ".join(distinct)


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int | float):
        return setting(float(value))
    if isinstance(value, list | tuple):
        return ", ".join(_text(v) for v in value)
    return str(value)
