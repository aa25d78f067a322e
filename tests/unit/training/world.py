"""Tiny datasets and block plans, made without any simulator, that the tests of training share."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from strangecast.core.hashing import digest
from strangecast.core.schemas import SPLITS
from strangecast.core.spec import Channel, Spec
from strangecast.core.streams import key64, stream
from strangecast.core.tables import write_parquet
from strangecast.data.rows import table_of
from strangecast.data.store import Dataset
from strangecast.data.trajectories import row, shard_name, write_shard

DT = 0.1


def spec(C: int = 2, system: str = "spiral", dt: float | None = DT) -> Spec:
    return Spec(tuple(Channel(f"x{c}") for c in range(C)), dt=dt, context_range=(1, 64), lyapunov=1.0, system=system)


def series(name: str, i: int, T: int = 80, C: int = 2) -> np.ndarray:
    """[T, C]: sums of sines, different for every (name, i)."""
    draws = stream("world", name, i)
    phase, rate = draws.uniform(0, 6, (2, C)), draws.uniform(0.2, 0.6, (2, C))
    t = np.arange(T)[:, None]
    return 3.0 + sum(np.sin(rate[k] * t + phase[k]) * (k + 1) for k in range(2))


def make_dataset(root: Path, name: str, C: int = 2, T: int = 80, scale: float = 1.0, dt: float | None = DT) -> Dataset:
    """Two training trajectories, one for validation, one for testing."""
    folder = root / "data" / name
    values = [scale * series(name, i, T, C) for i in range(4)]
    rows = [row(f"{name}-{i}", name, v, dt=DT) for i, v in enumerate(values)]
    write_shard(folder / shard_name(0), rows, spec(C, name))
    parts = ["train", "train", "validation", "test"]
    columns = {
        "trajectory_id": [r["trajectory_id"] for r in rows],
        "shard": [shard_name(0)] * 4,
        "row": list(range(4)),
        "system": [name] * 4,
        "parents": [[]] * 4,
        "parameter_index": [0] * 4,
        "channels": [C] * 4,
        "dt": [dt] * 4,
        "lyapunov": [1.0] * 4,
        "split": parts,
        "start": [0] * 4,
        "stop": [T] * 4,
        "sha256": [r["sha256"] for r in rows],
    }
    labels = {"content": digest(columns), "spec": json.dumps(spec(C, name, dt).to_json()), "noise": "0.0"}
    write_parquet(folder / "splits.parquet", table_of(rows_of(columns), SPLITS), SPLITS, labels)
    return Dataset.open(folder)


def rows_of(columns: dict[str, list]) -> list[dict]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


EMULATOR = {"_target_": "strangecast.emulators.mlp.MLP", "hidden": 8, "layers": 2, "delays": 1, "activation": "silu"}
TRAINING = {
    "_target_": "strangecast.training.supervised.Supervised",
    "rollout_steps": 2,
    "updates": 30,
    "batch_size": 16,
    "validate_every": 6,
    "validation": {"count": 4, "steps": 5},
    "patience": None,
    "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.01},
    "schedule": {"name": "cosine", "final": 0.1, "warmup": 0.1},
    "clip": 1.0,
}


def member(dataset: str, seed: int, code: str = "code", emulator: dict | None = None, init: str | None = None) -> dict:
    run_id = digest(dataset, seed, emulator, init, length=12)
    return {
        "run_id": run_id,
        "dataset": dataset,
        "datasets": [dataset],
        "seed": seed,
        "point": {},
        "init": init,
        "emulator": emulator or {},
        "training": {},
        "static_key": digest("static", code, run_id),
        "stream_key": key64("run", run_id),
    }


def block(members: list[dict], emulator=EMULATOR, training=TRAINING, folder="runs/c/mlp/supervised/base", init=None):
    return {
        "kind": "block",
        "folder": folder,
        "data": "c",
        "emulator": {"name": "mlp", "config": emulator, "gpu": False},
        "training": {"name": "supervised", "config": training, "gpu": False},
        "members": members,
        "datasets": {m["dataset"]: {"folder": f"data/{m['dataset']}"} for m in members},
        "init": {"folder": init} if init else None,
    }
