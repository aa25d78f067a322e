"""A run folder gives back what was put in, and says in one sentence why it cannot."""

from __future__ import annotations

import json

import pytest
import torch

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.spec import Channel, Spec
from strangecast.core.streams import stream
from strangecast.emulators import run_folder
from strangecast.emulators.build import build

SPEC = Spec((Channel("x"), Channel("y")), dt=0.1)
CONFIG = {"_target_": "strangecast.emulators.mlp.MLP", "hidden": 8, "layers": 1}


def write(folder, n=3):
    emulator = build(CONFIG, [SPEC] * n)
    emulator.initialise([stream("test", s) for s in range(n)])
    emulator.normaliser.mean += torch.arange(n)[:, None]
    state = emulator.stacked_state()
    members = [{"run_id": f"run{s}", "key": f"key{s}", "emulator": {}} for s in range(n)]
    states = [{k: v[s] for k, v in state.items()} for s in range(n)]
    run_folder.save(folder, {"name": "mlp", "config": CONFIG}, None, [SPEC] * n, members, states)
    return state


def test_round_trip_is_bit_exact(tmp_path):
    state = write(tmp_path)
    loaded = run_folder.load(tmp_path).stacked_state()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[k], state[k]) for k in state)


@pytest.mark.parametrize("member", [2, "run2", [2, 0]])
def test_members_are_picked_by_position_and_run_id(tmp_path, member):
    state = write(tmp_path)
    emulator = run_folder.load(tmp_path, member)
    assert len(emulator.specs) == (2 if isinstance(member, list) else 1)
    assert torch.equal(emulator.layers[0].weight[0], state["layers.0.weight"][2])
    assert not emulator.training


def test_read_members_keeps_only_sound_ones(tmp_path):
    state = write(tmp_path)
    found = run_folder.read_members(tmp_path)
    assert sorted(found) == ["key0", "key1", "key2"]
    assert torch.equal(found["key1"][1]["layers.0.weight"], state["layers.0.weight"][1])
    path = tmp_path / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # one bit of the last tensor, which is the last member's
    path.write_bytes(content)
    assert sorted(run_folder.read_members(tmp_path)) == ["key0", "key1"]
    path.write_bytes(content[:100])
    assert run_folder.read_members(tmp_path) == {}
    assert run_folder.read_members(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("member", [3, -1, "run9"])
def test_missing_member_is_named(tmp_path, member):
    write(tmp_path)
    with pytest.raises(ResultsError, match=str(member)):
        run_folder.load(tmp_path, member)


@pytest.mark.parametrize("name", ["run.json", "weights.safetensors"])
def test_missing_and_damaged_files_are_named(tmp_path, name):
    write(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ResultsError, match=f"{name} is damaged"):
        run_folder.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ResultsError, match=f"{name} does not exist"):
        run_folder.load(tmp_path)


def change(folder, edit):
    run = json.loads((folder / "run.json").read_text())
    edit(run)
    (folder / "run.json").write_text(json.dumps(run))


def test_other_format_is_refused(tmp_path):
    write(tmp_path)
    change(tmp_path, lambda run: run.update(format=99))
    with pytest.raises(ResultsError, match="format 99, this version reads 1"):
        run_folder.load(tmp_path)


def test_weights_of_another_run_are_refused(tmp_path):
    write(tmp_path)
    change(tmp_path, lambda run: run["members"][0].update(key="other"))
    with pytest.raises(ResultsError, match="different runs"):
        run_folder.load(tmp_path)


def test_weights_that_do_not_fit_are_refused(tmp_path):
    write(tmp_path)
    change(tmp_path, lambda run: run["emulator"]["config"].update(hidden=9))
    with pytest.raises(ResultsError, match=r"layers\.0\.(bias|weight)"):
        run_folder.load(tmp_path)


CALLED = []


class Trap:
    def __init__(self, *args, **kwargs):
        CALLED.append(kwargs)


@pytest.mark.parametrize(
    "target",
    [f"{__name__}.Trap", "os.system", "builtins.exec", "torch.load", "no.such.Thing", "strangecast.nothing.X", 7, None],
)
def test_foreign_targets_are_never_called(tmp_path, target):
    write(tmp_path)
    change(tmp_path, lambda run: run["emulator"]["config"].update(_target_=target, command="touch pwned"))
    with pytest.raises(ResultsError, match="_target_"):
        run_folder.load(tmp_path)
    assert CALLED == []


def test_nested_foreign_targets_are_never_called():
    with pytest.raises(ConfigError, match="is no Module"):
        build(CONFIG | {"hidden": {"_target_": f"{__name__}.Trap"}}, [SPEC])
    assert CALLED == []


def test_member_values_become_tuples():
    config = {"_target_": "strangecast.emulators.ridge.Ridge", "delays": 2, "regularisation": 0.5}
    emulator = build(config, [SPEC] * 3, [{"regularisation": 0.1}, {}, {"regularisation": 0.2}])
    assert emulator.regularisation == (0.1, 0.5, 0.2)
    with pytest.raises(ConfigError, match="members differ in 'nothing'"):
        build(config, [SPEC], [{"nothing": 1}])


def test_wrong_hyper_parameters_are_named():
    with pytest.raises(ConfigError, match="hiden"):
        build(CONFIG | {"hiden": 3}, [SPEC])
