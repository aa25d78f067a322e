"""A small dataset, made once: Lorenz, eight trajectories in two shards."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from strangecast.data.filtering import filter_dataset
from strangecast.data.generate import generate_shard
from strangecast.data.importing import import_dataset
from strangecast.data.splits import split_dataset
from strangecast.data.store import Dataset
from strangecast.data.trajectories import shard_name

CONFIG = {
    "system": "Lorenz",
    "source": None,
    "sampling": {"points_per_period": 50, "length": 320, "transient_periods": 4},
    "solver": {"name": "dop853", "rtol": 1e-9, "atol": 1e-10},
    "noise": 0.0,
    "initial_conditions": 8,
    "shard_size": 5,
    "validity": {"boundedness": {}, "fixed_point": {}, "limit_cycle": {}, "stationarity": None},
    "split": {"by": "initial_condition", "train": 3, "validation": 2, "test": 2},
    "window": {"context": 64, "horizon": 96, "count": 3, "prefixes": [32, 96]},
    "lyapunov": {"periods": 20, "transient_periods": 2, "separation": 1e-8, "steps_per_period": 4},
}


def dataset_plan(name="chaos-Lorenz", **changes):
    config = copy.deepcopy(CONFIG) | changes
    shards = 1 if config["source"] else -(-config["initial_conditions"] // config["shard_size"])
    return {
        "kind": "dataset",
        "name": name,
        "scale": "smoke",
        "folder": f"data/{name}",
        "config": config,
        "shards": [shard_name(i) for i in range(shards)],
    }


def suite_plan(*plans, split="test", name="chaos"):
    return {
        "kind": "suite",
        "name": name,
        "scale": "smoke",
        "folder": f"suites/{name}",
        "config": {"split": split},
        "datasets": {p["name"]: {"folder": p["folder"], "window": p["config"]["window"]} for p in plans},
    }


def own_plan(path, name="own", length_window=(16, 16), **source):
    window = {"context": length_window[0], "horizon": length_window[1], "count": 2}
    return dataset_plan(
        name,
        system=None,
        source={"path": str(path), "channels": None, "dt": 0.1} | source,
        split={"by": "time", "train": 0.6, "validation": 0.2, "test": 0.2},
        window=window,
        validity={"boundedness": {}},
    )


def make(plan, root):
    """Run every job of a dataset plan; returns the opened dataset."""
    if plan["config"]["source"]:
        import_dataset(plan, root)
    else:
        for shard in range(len(plan["shards"])):
            generate_shard(plan, root, shard)
    filter_dataset(plan, root)
    split_dataset(plan, root)
    return Dataset.open(root / plan["folder"])


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """(root, plan, dataset); tests must not change the files."""
    root = tmp_path_factory.mktemp("results")
    plan = dataset_plan()
    return root, plan, make(plan, root)


@pytest.fixture
def smooth():
    """[400, 2], a torus: valid, smooth, of closed form."""
    t = np.arange(400) * 0.1
    return np.stack([np.cos(t) + 0.5 * np.sin(np.sqrt(2) * t), np.sin(np.sqrt(3) * t)], axis=1)
