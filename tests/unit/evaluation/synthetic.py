"""A results folder of two suites' worth of everything, made of sines in a second: real files, no training.

Three datasets: ``waves-A`` and ``waves-B`` with three channels and a Lyapunov exponent, ``waves-C`` with two channels
and none. Four blocks: persistence and climatology (used on all), ridge (one run per dataset, fitted here) and an MLP of
two seeds per dataset that nobody trained.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from strangecast.core.atomic import write_json
from strangecast.core.hashing import digest
from strangecast.core.run_file import run_key
from strangecast.core.schemas import HISTORY
from strangecast.core.spec import Channel, Spec
from strangecast.core.streams import stream
from strangecast.core.tables import write_parquet
from strangecast.data.filtering import filter_dataset
from strangecast.data.splits import split_dataset
from strangecast.data.store import Dataset
from strangecast.data.trajectories import row, shard_name, write_shard
from strangecast.data.windows import build_windows
from strangecast.workflow.compose import Registry

CONTEXT, HORIZON, PREFIXES = 32, 24, [8, 16, 24]
DT = 0.1
DATASETS = {"waves-A": (3, 0.5), "waves-B": (3, 1.0), "waves-C": (2, None)}
METRICS = ("mse", "nrmse", "smape", "valid_prediction_time")
ANALYSES = ("forecast_examples", "error_growth")


def dataset_plan(name: str) -> dict[str, Any]:
    """Plan of a dataset: four trajectories, one to train, one to validate, two to test."""
    config = {
        "system": None,
        "source": None,
        "sampling": {"length": 160},
        "validity": {},
        "noise": 0.0,
        "split": {"by": "initial_condition", "train": 1, "validation": 1, "test": 2},
        "window": {"context": CONTEXT, "horizon": HORIZON, "count": 2, "prefixes": PREFIXES},
    }
    return {
        "kind": "dataset",
        "name": name,
        "scale": "smoke",
        "folder": f"data/{name}",
        "config": config,
        "shards": [shard_name(0)],
        "made_by": "generate",
    }


def make_data(root: Path, name: str) -> None:
    """Shard, manifest and splits of one dataset."""
    channels, lyapunov = DATASETS[name]
    plan = dataset_plan(name)
    rows = []
    for i in range(4):
        rng = stream("waves", name, i)
        t = np.arange(160) * DT
        frequency, phase = rng.uniform(0.5, 2.0, (3, channels)), rng.uniform(0, 2 * np.pi, (3, channels))
        values = 5 + np.sin(t[:, None, None] * frequency + phase).sum(axis=1)
        rows.append(row(f"{name}-{i}", name, values, dt=DT, ic_index=i, lyapunov=lyapunov, solver="sines: finished"))
    spec = Spec(tuple(Channel(f"x{c}") for c in range(channels)), dt=DT, lyapunov=lyapunov, system=name)
    write_shard(root / plan["folder"] / shard_name(0), rows, spec)
    filter_dataset(plan, root)
    split_dataset(plan, root)
    write_json(root / "plan" / "dataset" / f"{name}.json", plan)


def suite_plan() -> dict[str, Any]:
    """Plan of the one suite."""
    return {
        "kind": "suite",
        "name": "waves",
        "scale": "smoke",
        "folder": "suites/waves",
        "config": {"datasets": list(DATASETS), "split": "test", "normalisation": "context", "batch": 5},
        "datasets": {n: {"folder": f"data/{n}", "window": dataset_plan(n)["config"]["window"]} for n in DATASETS},
    }


def block_plan(emulator: str, training: str | None, members: list[tuple[str | None, int]]) -> dict[str, Any]:
    """Plan of a block whose members are (dataset, seed)."""
    registry = Registry()
    meta = ("title", "can", "members", "gpu", "color")
    option = registry.option("emulator", emulator, "smoke")
    data = "waves" if training else "none"
    return {
        "kind": "block",
        "scale": "smoke",
        "folder": f"runs/{data}/{emulator}/{training or 'none'}/base-all",
        "data": data,
        "emulator": {
            "name": emulator,
            "config": {k: v for k, v in option.items() if k not in meta} | ({"hidden": 4} if emulator == "mlp" else {}),
            "can": option["can"],
            "gpu": False,
        },
        "training": {"name": training, "config": {}, "gpu": False} if training else None,
        "code": {"train": "t", "forecast": "f"},
        "members": [
            {
                "run_id": f"{emulator}-{dataset or 'all'}-{seed}",
                "dataset": dataset,
                "datasets": [dataset] if dataset else [],
                "seed": seed,
                "point": {},
                "init": None,
                "emulator": {},
                "static_key": digest(emulator, dataset, seed),
                "stream_key": seed,
            }
            for dataset, seed in members
        ],
        "datasets": {d: {"folder": f"data/{d}"} for d, _ in members if d},
        "init": None,
        "suites": {
            "waves": {
                "folder": "suites/waves",
                "forecast_folder": f"runs/{data}/{emulator}/{training or 'none'}/base-all/waves",
                "batch": 5,
                "normalisation": "context",
                "metrics": {m: {"config": registry.option("metric", m, "smoke"), "key": f"{m}-1"} for m in METRICS},
            }
        },
    }


def blocks() -> list[dict[str, Any]]:
    """The four blocks."""
    pairs = [(d, s) for d in ("waves-A", "waves-B") for s in (0, 1)]
    return [
        block_plan("persistence", None, [(None, 0)]),
        block_plan("climatology", None, [(None, 0)]),
        block_plan("ridge", "least_squares", [("waves-A", 0), ("waves-B", 0)]),
        block_plan("mlp", "supervised", pairs),
    ]


def study_plan(made: list[dict[str, Any]]) -> dict[str, Any]:
    """The study of those blocks."""
    registry = Registry()
    titles = {b["emulator"]["name"]: b["emulator"]["name"].capitalize() for b in made}
    return {
        "kind": "study",
        "name": "ripples",
        "scale": "smoke",
        "config": {"title": "Ripples", "question": "?"},
        "runs": [
            {
                "run_id": m["run_id"],
                "data": m["dataset"] or "none",
                "emulator": b["emulator"]["name"],
                "training": b["training"]["name"] if b["training"] else "none",
                "point": {},
                "label": titles[b["emulator"]["name"]],
                "seed": m["seed"],
                "init": None,
                "trained_on_system": m["dataset"] is not None,
                "folder": b["folder"],
                "member": i,
            }
            for b in made
            for i, m in enumerate(b["members"])
        ],
        "blocks": [b["folder"] for b in made],
        "suites": {"waves": {"folder": "suites/waves"}},
        "metrics": {m: registry.option("metric", m, "smoke") for m in METRICS},
        "analyses": {a: registry.option("analysis", a, "smoke") for a in ANALYSES},
        "tables": {},
        "figures": {},
        "claims": {
            "ridge_beats_persistence": {
                "statement": "Ridge regression forecasts sines longer than persistence.",
                "source": "this test",
                "anchor": "own",
                "unit": "Lyapunov times",
                "compute": {
                    "_target_": "strangecast.evaluation.claim_rules.paired_difference",
                    "suite": "waves",
                    "metric": "valid_prediction_time",
                    "label": "Ridge",
                    "peer": "Persistence",
                },
            },
            "oceans": {
                "statement": "It forecasts oceans.",
                "source": "nobody",
                "anchor": "published",
                "published": 1.0,
                "missing": "an ocean",
            },
        },
        "emulators": {n: {"title": t, "color": None, "can": {"needs": []}} for n, t in titles.items()},
    }


def write_plans(root: Path, made: list[dict[str, Any]], study: dict[str, Any]) -> None:
    """Plan files where jobs look for them."""
    write_json(root / "plan" / "suite" / "waves.json", suite_plan())
    write_json(root / "plan" / "study" / "ripples.json", study)
    for block in made:
        write_json(root / "plan" / "block" / f"{block['folder'].removeprefix('runs/')}.json", block)


def make_run_folder(root: Path, block: dict[str, Any], status: str = "done") -> None:
    """Weights, run.json and history of a block, from closed forms or initial draws."""
    import pyarrow as pa
    import torch

    from strangecast.emulators.build import build
    from strangecast.emulators.run_folder import save

    torch.set_num_threads(1)
    folder = root / block["folder"]
    specs, states, records = [], [], []
    for m in block["members"]:
        dataset = Dataset.open(root / "data" / m["dataset"])
        segments = [[dataset.values(s.trajectory_id)[s.start : s.stop] for s in dataset.segments("train")]]
        emulator = build(block["emulator"]["config"], (dataset.spec,), [m["emulator"]])
        emulator.initialise([stream("init", m["run_id"])])
        emulator.fit_normaliser(segments)
        if emulator.can.learns == "fit":
            emulator.fit(segments)
        specs.append(dataset.spec)
        states.append({k: v[0] for k, v in emulator.stacked_state().items()})
        records.append(
            {
                "run_id": m["run_id"],
                "key": run_key(m["static_key"], [dataset.content], None),
                "static_key": m["static_key"],
                "data_hash": dataset.content,
                "dataset": m["dataset"],
                "seed": m["seed"],
                "point": {},
                "emulator": {},
                "status": status,
                "train_seconds": 1.5,
                "best_update": 7,
                "n_parameters": emulator.n_parameters,
                "device": "cpu",
            }
        )
    empty = pa.table({f.name: pa.array([], f.type) for f in HISTORY})
    write_parquet(folder / "history.parquet", empty, HISTORY)
    emulator = {k: block["emulator"][k] for k in ("name", "config")}
    save(folder, emulator, block["training"], specs, records, states)


def make_root(root: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Data, windows and run folders; returns the study plan and the block plans."""
    for name in DATASETS:
        make_data(root, name)
    build_windows(suite_plan(), root)
    made = blocks()
    study = study_plan(made)
    write_plans(root, made, study)
    for block in made:
        if block["training"]:
            make_run_folder(root, block)
    return study, made


def evaluate(root: Path, study: dict[str, Any], made: list[dict[str, Any]]) -> None:
    """Forecasts, scores and the study's tables."""
    from strangecast.analyses.job import analyse
    from strangecast.evaluation.claims import judge_claims
    from strangecast.evaluation.compare import compare_study
    from strangecast.evaluation.forecast import forecast_block
    from strangecast.evaluation.score import score_block
    from strangecast.evaluation.summary import write_summaries

    for block in made:
        forecast_block(block, root, "waves", device="cpu")
        score_block(block, root, "waves")
    compare_study(study, root)
    for name in study["analyses"]:
        analyse(study, root, name)
    judge_claims(study, root)
    write_summaries([study], root)


@cache
def built_once() -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    """One complete results folder for all tests of this process: copy it before changing anything."""
    root = Path(tempfile.mkdtemp(prefix="strangecast-waves-")) / "results" / "smoke"
    atexit.register(shutil.rmtree, root.parent.parent, ignore_errors=True)
    study, made = make_root(root)
    evaluate(root, study, made)
    return root, study, made
