"""Members that learn from many systems, start from part of another run, or from a local folder of weights."""

from __future__ import annotations

import pytest
import torch

from strangecast.core.context import Context
from strangecast.core.errors import ConfigError, DataError
from strangecast.emulators import run_folder
from strangecast.training.job import train_block
from tests.unit.inhabitants import write_reverting
from tests.unit.training.world import EMULATOR, TRAINING, block, make_dataset, member

REVERTING = {"_target_": "tests.unit.inhabitants.Reverting"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    make_dataset(root, "a")
    make_dataset(root, "wide", C=3)
    make_dataset(root, "slow", dt=0.5)
    return root


@pytest.fixture
def root(data, tmp_path):
    (tmp_path / "data").symlink_to(data / "data")
    return tmp_path


def pooled(seed=0, names=("a", "wide", "slow")):
    return member("pool", seed) | {"dataset": None, "datasets": list(names)}


def plan_of(members, **changes):
    plan = block(members, **{"emulator": REVERTING, **changes})
    plan["datasets"] = {d: {"folder": f"data/{d}"} for m in members for d in m["datasets"]}
    return plan


def states(plan, root):
    train_block(plan, root, device="cpu", progress=None)
    return [state for _, state in run_folder.read_members(root / plan["folder"]).values()]


def test_one_member_learns_from_systems_of_different_shape(root):
    plan = plan_of([pooled(0), pooled(1)])
    first, second = states(plan, root)
    assert not torch.equal(first["pull"], second["pull"])
    (alone,) = states(plan_of([pooled(1)], folder="runs/pool/alone"), root)
    assert all(torch.equal(alone[k], v) for k, v in second.items())
    run = run_folder.read_run(root / plan["folder"])
    assert run["specs"][0]["channels"] == []
    assert [m["status"] for m in run["members"]] == ["done", "done"]
    emulator = run_folder.load(root / plan["folder"], 0)
    past = torch.randn(1, 4, 9, 5, generator=torch.Generator().manual_seed(0)).double()
    times = torch.arange(15).double().expand(1, 4, 15)
    assert emulator.forecast(Context(past, times[:, :, :9]), times[:, :, 9:]).shape == (1, 4, 6, 5)


def test_an_emulator_of_one_system_is_refused_several(root):
    with pytest.raises(ConfigError, match="MLP learns one system at a time"):
        states(plan_of([pooled()], emulator=EMULATOR), root)


def test_a_run_may_take_part_of_anothers_weights(root):
    parent = block([member("a", 0)])
    (grown,) = states(parent, root)
    still = TRAINING | {"updates": 1, "optimizer": TRAINING["optimizer"] | {"lr": 0.0}}
    child = block(
        [member("slow", 0, init=member("a", 0)["run_id"])], training=still, folder="runs/c", init=parent["folder"]
    )
    fresh = block(
        [member("slow", 0, init=member("a", 0)["run_id"])], training=still, folder="runs/f", init=parent["folder"]
    )
    child["init"]["take"] = ["layers.0", "layers.1"]
    fresh["init"]["take"] = ["layers.0.bias"]
    (taken,), (own,) = states(child, root), states(fresh, root)
    for k, v in taken.items():
        assert torch.equal(v, grown[k] if k.startswith(("layers.0", "layers.1")) else own[k]), k
    child["init"]["take"] = ["encoder"]
    child["members"][0]["static_key"] = "other"
    with pytest.raises(ConfigError, match="no tensor 'encoder'"):
        states(child, root)


def test_a_run_starts_from_a_local_folder(root, tmp_path):
    folder = write_reverting(tmp_path / "weights", 0.25, [0.5, -0.25, 0.125])
    still = TRAINING | {"updates": 1, "optimizer": TRAINING["optimizer"] | {"lr": 0.0}}
    plan = plan_of([pooled()], training=still)
    plan["emulator"]["weights"] = {"name": "tiny", "folder": str(folder), "content": "x"}
    (state,) = states(plan, root)
    assert state["pull"].tolist() == [0.5, -0.25, 0.125]
    assert run_folder.load(root / plan["folder"]).order == 3
    plan["emulator"]["weights"]["folder"] = str(tmp_path)
    plan["members"][0]["static_key"] = "other"
    with pytest.raises(DataError, match="holds no Reverting"):
        states(plan, root)


def test_other_times_than_the_contexts_interval_are_refused(root):
    plan = plan_of([pooled()])
    states(plan, root)
    emulator = run_folder.load(root / plan["folder"])
    past = torch.randn(1, 4, 9, 5, generator=torch.Generator().manual_seed(0)).double()
    times = torch.arange(15).double().expand(1, 4, 15)
    with pytest.raises(DataError, match="interval of its context"):
        emulator.forecast(Context(past, times[:, :, :9]), times[:, :, 9:] * 1.5)
