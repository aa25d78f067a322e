"""A small conf folder of known content, so that planning is tested apart from the real options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from strangecast.workflow.codehash import CodeHash
from strangecast.workflow.compose import Registry
from strangecast.workflow.plan import Plan

CAN = {"learns": "gradient", "step": True, "grid": ["0d"], "channels": "any", "pooled": False, "needs": []}
OPTIONS = {
    "dataset/chaos": {
        "system": None, "source": None, "initial_conditions": 12, "shard_size": 8, "noise": 0.0, "validity": {},
        "sampling": {"length": 100},
        "split": {"by": "initial_condition", "train": 1, "validation": 1, "test": 1}, "window": {"context": 32, "horizon": 32, "count": 2},
        "at": {"smoke": {"initial_conditions": 4}},
    },
    "dataset/lorenz63": {"defaults": ["chaos", "_self_"], "system": "Lorenz"},
    "dataset/river": {
        "defaults": ["chaos", "_self_"], "source": {"path": "river.csv", "channels": ["flow"]},
    },
    "corpus/chaos": {
        "recipe": "chaos", "systems": ["Lorenz", "Rossler", "HyperRossler", "Chua"], "datasets": [], "block": 2,
        "at": {"smoke": {"systems": ["Lorenz", "Rossler"]}},
    },
    "suite/chaos": {"corpus": "chaos", "split": "test", "normalisation": "context", "batch": 8},
    "suite/own": {"corpus": None, "datasets": [], "split": "test", "normalisation": "context", "batch": 8},
    "emulator/persistence": {
        "_target_": "strangecast.emulators.persistence.Persistence", "title": "Persistence",
        "can": {**CAN, "learns": "none", "step": False},
    },
    "emulator/mlp": {
        "_target_": "strangecast.emulators.mlp.MLP", "title": "MLP", "can": CAN, "hidden": 8, "gain": 1.0,
        "members": ["gain"],
    },
    "emulator/wide": {"defaults": ["mlp", "_self_"], "title": "Wide MLP", "hidden": 64},
    "emulator/ridge": {
        "_target_": "strangecast.emulators.ridge.Ridge", "title": "Ridge", "can": {**CAN, "learns": "fit"},
    },
    "training/supervised": {
        "_target_": "strangecast.training.supervised.Supervised", "title": "supervised", "rollout_steps": 1,
        "requires": {"learns": "gradient", "step": True}, "needs": [], "gpu": True, "seeds_per_block": 5,
    },
    "training/mix_chain": {
        "_target_": "strangecast.training.supervised.Supervised", "title": "mix chain", "requires": {"learns": "gradient"},
        "needs": ["stepper"], "seeds_per_block": 5,
    },
    "training/least_squares": {
        "_target_": "strangecast.training.least_squares.LeastSquares", "title": "least squares",
        "requires": {"learns": "fit"}, "needs": [], "seeds_per_block": 5,
    },
    "metric/mse": {"_target_": "strangecast.metrics.mse.mse", "title": "MSE", "better": "lower"},
    "metric/smape": {"_target_": "strangecast.metrics.smape.smape", "title": "sMAPE", "better": "lower"},
    "study/small": {
        "title": "Small", "question": "?", "seeds": 2,
        "runs": [
            {"data": "none", "emulator": "persistence"},
            {"each": "chaos", "emulator": "mlp", "training": "supervised", "trained_on_system": True,
             "sweep": {"training.rollout_steps": [1, 4]}, "label": "MLP, {training.rollout_steps} steps"},
        ],
        "suites": ["chaos"], "metrics": ["mse"], "analyses": [], "figures": [], "tables": {}, "claims": {},
    },
    "analysis/none": {}, "figure/none": {}, "optimizer/adam": {}, "scale/laptop": {},
}  # fmt: skip


def write_conf(folder: Path, options: dict | None = None) -> Path:
    """Write the options as YAML (JSON is YAML)."""
    for name, value in (OPTIONS | (options or {})).items():
        file = folder / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    return folder


@pytest.fixture
def conf(tmp_path):
    """A conf folder that tests may change."""
    return write_conf(tmp_path / "conf")


@pytest.fixture
def make_plan(conf, tmp_path):
    """``make_plan(options=None, studies=("small",), scale="laptop", **plan_arguments)``."""

    def make(options=None, studies=("small",), scale="laptop", **arguments):
        write_conf(conf, options)
        return Plan(scale, studies, Registry(conf), CodeHash(), root=tmp_path / "results" / scale, **arguments)

    return make


def study(**changes) -> dict:
    """The small study with changed keys."""
    return {"study/small": OPTIONS["study/small"] | changes}
