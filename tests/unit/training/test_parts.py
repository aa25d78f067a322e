"""Schedules, keyed draws, devices, loggers: small parts against closed forms."""

from __future__ import annotations

import csv
import math
import sys
import types

import numpy as np
import pytest
import torch

from strangecast.core.errors import ConfigError
from strangecast.training.device import describe, reproducible, resolve_device
from strangecast.training.draws import UpdateRandom
from strangecast.training.loggers import open_logger
from strangecast.training.prepare import make_training
from strangecast.training.schedules import make_schedule
from tests.unit.training.world import TRAINING


def test_schedules_have_their_closed_forms():
    assert make_schedule({"name": "constant"})(0.7) == 1.0
    cosine = make_schedule({"name": "cosine", "final": 0.1})
    assert [cosine(0.0), cosine(0.5), cosine(1.0)] == pytest.approx([1.0, 0.55, 0.1])
    exponential = make_schedule({"name": "exponential", "final": 0.01})
    assert [exponential(0.0), exponential(0.5), exponential(1.0)] == pytest.approx([1.0, 0.1, 0.01])


def test_warmup_rises_linearly_and_the_rest_follows():
    schedule = make_schedule({"name": "exponential", "final": 0.01, "warmup": 0.2})
    assert [schedule(0.0), schedule(0.1), schedule(0.2), schedule(0.6)] == pytest.approx([0.0, 0.5, 1.0, 0.1])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"name": "cosinus"}, "did you mean 'cosine'"),
        ({"name": "cosine", "end": 1}, "end"),
        ({"name": "cosine", "final": 0.0}, "0 < final"),
        ({"name": "cosine", "warmup": 1.0}, "warmup < 1"),
    ],
)
def test_wrong_schedules_are_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        make_schedule(config)


def test_draws_are_functions_of_key_update_and_name():
    keys = np.array([11, 12, 13], np.uint64)
    draw = UpdateRandom(keys, 5).normal("noise", 40, 50)
    assert torch.equal(draw, UpdateRandom(keys, 5).normal("noise", 40, 50))
    assert torch.equal(draw[2], UpdateRandom(keys[2:], 5).normal("noise", 40, 50)[0])
    assert not torch.equal(draw, UpdateRandom(keys, 6).normal("noise", 40, 50))
    assert not torch.equal(draw, UpdateRandom(keys, 5).normal("time", 40, 50))
    assert abs(draw.mean()) < 5 / math.sqrt(draw.numel())
    assert abs(draw.var() - 1) < 5 * math.sqrt(2 / draw.numel())
    uniform = UpdateRandom(keys, 0).uniform("u", 1000)
    assert 0 <= uniform.min() < 0.01
    assert 0.99 < uniform.max() < 1


def test_devices(monkeypatch):
    assert resolve_device("cpu") == torch.device("cpu")
    assert describe(torch.device("cpu")) == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.version, "hip", None)
    assert resolve_device("auto").type == "cuda"
    assert resolve_device("auto", gpu=False).type == "cpu"
    with pytest.raises(ConfigError, match=r"device rocm is not available.*auto, cpu, cuda"):
        resolve_device("rocm")
    monkeypatch.setattr(torch.version, "hip", "6.0")
    assert resolve_device("rocm").type == "cuda"
    with pytest.raises(ConfigError, match="device cuda is not available"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"
    with pytest.raises(ConfigError, match="device mps is not available"):
        resolve_device("mps")
    with pytest.raises(ConfigError, match="no device 'gpu'"):
        resolve_device("gpu")


def test_reproducible_gives_the_settings_back():
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with reproducible(threads=2):
        assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == (2, True)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


ROWS = [
    {"run_id": "a", "update": 5, "train_loss": 1.0, "validation_loss": 2.0, "learning_rate": 0.1, "best": True},
    {"run_id": "b", "update": 5, "train_loss": 3.0, "validation_loss": 4.0, "learning_rate": 0.1, "best": False},
]


def test_csv_logger_writes_at_once(tmp_path):
    logger = open_logger("csv", tmp_path, "block")
    logger.log(ROWS)
    with open(tmp_path / "training.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    logger.close()
    assert [r["run_id"] for r in rows] == ["a", "b"]
    assert float(rows[1]["validation_loss"]) == 4.0


def test_wandb_logger_logs_one_step_per_validation(tmp_path, monkeypatch):
    logged = []
    run = types.SimpleNamespace(log=lambda values, step: logged.append((values, step)), finish=lambda: None)
    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=lambda **kwargs: run))
    logger = open_logger("wandb", tmp_path, "block")
    logger.log(ROWS)
    logger.close()
    assert [step for _, step in logged] == [5]
    assert logged[0][0]["train_loss/b"] == 3.0


@pytest.mark.parametrize(("name", "package"), [("wandb", "wandb"), ("tensorboard", "torch.utils.tensorboard")])
def test_absent_packages_are_named(tmp_path, monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=f"needs the package {name}"):
        open_logger(name, tmp_path, "block")


def test_unknown_logger_and_training_are_named(tmp_path):
    open_logger("none", tmp_path, "block").log(ROWS)
    with pytest.raises(ConfigError, match="no logger 'cvs'; did you mean 'csv'"):
        open_logger("cvs", tmp_path, "block")
    with pytest.raises(ConfigError, match="is no Training"):
        make_training(TRAINING | {"_target_": "os.system"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"updates": 0}, "updates must be a whole number"),
        ({"rollout_steps": 0}, "rollout_steps"),
        ({"validation": {"count": 3}}, "count and steps"),
        ({"schedule": {"name": "linear"}}, "learning-rate schedule"),
        ({"stepz": 1}, "stepz"),
    ],
)
def test_wrong_training_settings_are_config_errors(change, message):
    with pytest.raises(ConfigError, match=message):
        make_training(TRAINING | change)
