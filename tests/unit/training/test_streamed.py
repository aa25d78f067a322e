"""Members that learn from a stream, and pooled members whose windows are augmented."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import torch

from strangecast.core.errors import ConfigError
from strangecast.data.prefetch import Prefetched
from strangecast.emulators import run_folder
from strangecast.training import job
from strangecast.training.checkpoint import Checkpoint
from strangecast.training.job import train_block
from strangecast.training.loop import train
from strangecast.training.members import read_members
from strangecast.training.prepare import prepare
from tests.unit.data.test_streaming import config, option
from tests.unit.inhabitants import Reverting
from tests.unit.training.test_pooled_and_pretrained import REVERTING, plan_of, pooled, states
from tests.unit.training.world import EMULATOR, TRAINING, make_dataset, member

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    for name, C in (("a", 2), ("b", 2), ("wide", 3)):
        make_dataset(root, name, C=C, T=160)
    return root


@pytest.fixture
def root(data, tmp_path):
    (tmp_path / "data").symlink_to(data / "data")
    return tmp_path


def streamed(seed=0, **changes):
    about = {"name": "stream", "many": True, "config": config(**changes)}
    return pooled(seed, ("a", "wide")) | {"stream": about}


def augmented(**changes):
    return TRAINING | {"augmentation": option(**changes)}


@pytest.mark.parametrize("training", [TRAINING, augmented(rate=0.5, dimensions=None)], ids=["plain", "augmented"])
def test_training_on_a_stream(root, training, capsys):
    plan = plan_of([streamed(0), streamed(1)], training=training)
    lines = []
    train_block(plan, root, device="cpu", progress=lines.append)
    first, second = [state for _, state in run_folder.read_members(root / plan["folder"]).values()]
    assert not torch.equal(first["pull"], second["pull"])
    (alone,) = states(plan_of([streamed(1)], training=training, folder="runs/pool/alone"), root)
    assert all(torch.equal(alone[k], v) for k, v in second.items())
    run = run_folder.read_run(root / plan["folder"])
    assert [m["status"] for m in run["members"]] == ["done", "done"]
    assert run["specs"][0]["channels"] == []
    assert sum("trajectories made" in line for line in lines) == 2
    history = run_folder.HISTORY
    assert (root / plan["folder"] / history).exists()


def test_a_stream_enters_key_and_hash(root):
    one, other = (read_members(plan_of([m]), root)[0] for m in (streamed(), streamed(noise=0.1)))
    assert one.data_hash != other.data_hash
    assert one.alone
    assert one.pooled
    stored = read_members(plan_of([pooled(0, ("a", "wide"))]), root)[0]
    assert stored.data_hash not in (one.data_hash, other.data_hash)


def test_a_killed_training_goes_on_with_the_same_bits(root, tmp_path):
    plan = plan_of([streamed()], training=augmented(rate=0.5))
    (wanted,) = states(plan, root)
    again = plan_of([streamed()], training=augmented(rate=0.5), folder="runs/again")
    (m,) = read_members(again, root)
    problem, validation = prepare(again, [m], CPU)

    class KilledError(Exception):
        pass

    def kill(rows):
        if rows[0]["update"] >= 12:
            raise KilledError

    checkpoint = Checkpoint(root / "runs/again", [m.key], 0.0)
    with pytest.raises(KilledError):
        train(problem, validation, checkpoint, log=kill)
    assert checkpoint.read()[0].update > 0
    (found,) = states(again, root)
    assert all(torch.equal(found[k], v) for k, v in wanted.items())


def test_batches_made_ahead_train_to_the_same_bits_and_the_thread_ends(root, monkeypatch):
    plan = plan_of([streamed()])
    (wanted,) = states(plan, root)
    before, seen = threading.active_count(), []
    honest = job.prepare

    def ahead(*arguments):
        problem, validation = honest(*arguments)
        seen.append(Prefetched(problem.data, 7))
        return replace(problem, data=seen[-1]), validation

    monkeypatch.setattr(job, "prepare", ahead)
    lines = []
    train_block(plan | {"folder": "runs/ahead"}, root, device="cpu", progress=lines.append)
    (found,) = [state for _, state in run_folder.read_members(root / "runs/ahead").values()]
    assert all(torch.equal(found[k], v) for k, v in wanted.items())
    assert len(seen) == 1
    assert any("trajectories made" in line for line in lines)
    assert threading.active_count() == before


def test_a_thread_makes_batches_ahead_where_one_is_free(root):
    plan = plan_of([streamed()])
    chunk = read_members(plan, root)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert not isinstance(prepare(plan, chunk, CPU)[0].data, Prefetched)
        torch.set_num_threads(2)
        problem, _ = prepare(plan, chunk, CPU)
        assert isinstance(problem.data, Prefetched)
        problem.close()
    finally:
        torch.set_num_threads(before)


def test_pooled_windows_are_augmented(root):
    members = [pooled(0, ("a", "b", "wide"))]
    (plain,) = states(plan_of(members), root)
    (mixed,) = states(plan_of(members, training=augmented(), folder="runs/pool/augmented"), root)
    assert not torch.equal(plain["pull"], mixed["pull"])
    run = run_folder.read_run(root / "runs/pool/augmented")
    assert run["training"]["config"]["augmentation"]["rate"] == 0.2


def test_one_systems_stream_trains_an_emulator_of_one_system(root):
    about = {"name": "stream", "many": False, "config": config(systems={"list": ["Lorenz"]})}
    lone = member("wide", 0) | {"stream": about}
    small = TRAINING | {"updates": 6}
    first, second = states(
        plan_of([lone, lone | {"run_id": "2", "static_key": "2", "stream_key": 5}], emulator=EMULATOR, training=small),
        root,
    )
    assert not torch.equal(first["layers.0.weight"], second["layers.0.weight"])
    with pytest.raises(ConfigError, match="augmentations change the channels of wide"):
        states(plan_of([lone], emulator=EMULATOR, training=augmented(), folder="runs/no"), root)


def test_the_state_at_origins_is_no_part_of_a_stream(root, monkeypatch):
    monkeypatch.setattr(Reverting, "can", replace(Reverting.can, needs=("state",)))
    with pytest.raises(ConfigError, match="which the stream stream does not keep"):
        states(plan_of([streamed()]), root)
    assert REVERTING["_target_"].endswith("Reverting")
