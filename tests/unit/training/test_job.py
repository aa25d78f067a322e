"""The train job: what is kept, what is trained, and that no crash and no neighbour moves a bit."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from typing import ClassVar

import pytest
import torch

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.schemas import HISTORY
from strangecast.core.tables import read_parquet
from strangecast.emulators import run_folder
from strangecast.training import job, prepare
from strangecast.training.job import train_block
from strangecast.training.supervised import Supervised
from tests.unit.training.world import EMULATOR, TRAINING, block, make_dataset, member

FILES = ("history.parquet", "run.json", "weights.safetensors")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    for name in ("a", "b"):
        make_dataset(root, name)
    return root


@pytest.fixture
def root(data, tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("a", "b"):
        (tmp_path / "data" / name).symlink_to(data / "data" / name)
    return tmp_path


def five():
    return [member("a", 0), member("a", 1), member("b", 0), member("b", 1), member("b", 2)]


def run(plan, root, **options):
    lines = []
    train_block(plan, root, device="cpu", progress=lines.append, **options)
    folder = root / plan["folder"]
    assert {p.name for p in folder.iterdir()} - {"training.csv"} == set(FILES)
    return {record["run_id"]: state for record, state in run_folder.read_members(folder).values()}, lines


@pytest.fixture(scope="module")
def reference(data, tmp_path_factory):
    """Tensors by run id of five members trained side by side, without interruption."""
    root = tmp_path_factory.mktemp("reference")
    (root / "data").symlink_to(data / "data")
    return run(block(five()), root)[0]


def assert_same(states, reference):
    for run_id, state in states.items():
        for k, v in state.items():
            assert torch.equal(v, reference[run_id][k]), (run_id, k)


def read(root, plan=None, name="run.json"):
    return json.loads((root / (plan or block([member("a", 0)]))["folder"] / name).read_text())


def test_members_learn_and_differ(reference, data, root):
    states, _ = run(block(five()), root)
    assert_same(states, reference)
    first, second = (list(states.values())[i]["layers.0.weight"] for i in (0, 1))
    assert not torch.equal(first, second)
    rows = read_parquet(root / block(five())["folder"] / "history.parquet", HISTORY).to_pylist()
    for m in five():
        own = [r for r in rows if r["run_id"] == m["run_id"]]
        assert [r["update"] for r in own] == [0, 6, 12, 18, 24, 30]
        assert own[-1]["validation_loss"] < own[0]["validation_loss"]
    record = read(root)["members"][3]
    assert record["run_id"] == five()[3]["run_id"]
    assert record["status"] == "done"
    assert record["best_update"] > 0
    assert record["device"] == "cpu"
    assert record["n_parameters"] == 2 * 8 + 8 + 8 * 8 + 8 + 8 * 2 + 2
    assert record["train_seconds"] > 0


@pytest.mark.parametrize("which", [[3], [3, 0], [4, 3, 2], [1, 3]])
def test_bits_do_not_depend_on_neighbours(root, reference, which):
    states, _ = run(block([five()[i] for i in which]), root)
    assert len(states) == len(which)
    assert_same(states, reference)


def test_bits_do_not_depend_on_chunks(root, reference, monkeypatch):
    monkeypatch.setattr(job, "CHUNK", 2)
    assert_same(run(block(five()), root)[0], reference)


def test_a_loaded_member_forecasts_as_it_does_in_company(root):
    from tests.unit.emulators.test_stepping import after, context

    plan = block(five())
    run(plan, root)
    values = torch.randn(1, 32, 6, 2, generator=torch.Generator().manual_seed(0))
    together = run_folder.load(root / plan["folder"]).forecast(context(values), after(context(values), 20))
    alone = run_folder.load(root / plan["folder"], 3).forecast(context(values), after(context(values), 20))
    assert torch.equal(alone[0], together[3])


def test_new_seeds_train_and_old_ones_stay(root, reference):
    run(block(five()[:2]), root)
    before = read(root)["members"]
    states, lines = run(block(five()), root)
    assert_same(states, reference)
    assert len(states) == 5
    assert any("training 3 of 5" in line for line in lines)
    after = read(root)["members"]
    assert [m["run_id"] for m in after] == [m["run_id"] for m in five()]
    assert [m["train_seconds"] for m in after[:2]] == [m["train_seconds"] for m in before]


def test_nothing_changed_means_nothing_trained(root):
    run(block(five()[:2]), root)
    contents = {n: (root / block([])["folder"] / n).read_bytes() for n in FILES}
    _, lines = run(block(five()[:2]), root)
    assert lines == ["runs/c/mlp/supervised/base: all 2 members are up to date"]
    assert contents == {n: (root / block([])["folder"] / n).read_bytes() for n in FILES}


def ids(*which):
    return [five()[i]["run_id"] for i in which]


def test_planned_members_come_first_and_the_others_stay(root, reference):
    run(block([five()[i] for i in (0, 1, 2)]), root)
    rows = read_parquet(root / block([])["folder"] / "history.parquet", HISTORY).num_rows
    states, lines = run(block([five()[2], five()[0]]), root)
    assert lines == []
    found = read(root)
    assert [m["run_id"] for m in found["members"]] == ids(2, 0, 1)
    assert [s["system"] for s in found["specs"]] == ["b", "a", "a"]
    assert read_parquet(root / block([])["folder"] / "history.parquet", HISTORY).num_rows == rows
    assert_same(states, reference)
    assert run_folder.load(root / block([])["folder"], ids(1)[0]).specs[0].system == "a"
    before = (root / block([])["folder"] / "run.json").read_bytes()
    assert "up to date" in run(block([five()[2], five()[0]]), root)[1][0]
    assert (root / block([])["folder"] / "run.json").read_bytes() == before


def test_runs_trained_one_at_a_time_share_the_folder(root, reference):
    for i in (3, 0, 4):
        run(block([five()[i]]), root)
    assert [m["run_id"] for m in read(root)["members"]] == ids(4, 0, 3)
    states, lines = run(block([five()[i] for i in (0, 3, 4)]), root)
    assert lines == []
    assert_same(states, reference)


def test_a_run_beside_a_study_leaves_its_order(root, reference):
    run(block([five()[i] for i in (0, 1, 2)]), root)
    before = (root / block([])["folder"] / "run.json").read_bytes()
    _, lines = run(block([five()[1]]) | {"beside": True}, root)
    assert "up to date" in lines[0]
    assert (root / block([])["folder"] / "run.json").read_bytes() == before
    run(block([member("a", 1, code="changed")]) | {"beside": True}, root)
    states, _ = run(block([five()[3]]) | {"beside": True}, root)
    assert [m["run_id"] for m in read(root)["members"]] == ids(0, 1, 2, 3)
    assert_same(states, reference)


def test_without_reuse_the_unplanned_stay_all_the_same(root, reference):
    run(block(five()[:2]), root)
    states, lines = run(block(five()[1:2]), root, reuse=False)
    assert any("training 1 of 1" in line for line in lines)
    assert [m["run_id"] for m in read(root)["members"]] == ids(1, 0)
    assert_same(states, reference)


def test_a_planned_run_of_another_key_replaces_its_old_self(root):
    run(block(five()[:2]), root)
    run(block([member("a", 1, code="changed")]), root)
    assert [m["run_id"] for m in read(root)["members"]] == ids(1, 0)


def test_members_of_another_configuration_go(root):
    run(block(five()[:2]), root)
    run(block([member("a", 0, code="changed")], emulator=EMULATOR | {"activation": "tanh"}), root)
    assert [m["run_id"] for m in read(root)["members"]] == ids(0)


@pytest.mark.parametrize("moment", ["before_rename:weights.safetensors", "before_rename:run.json"])
def test_the_unplanned_survive_a_crash(root, reference, moment):
    run(block(five()[:2]), root)
    process = start(block(five()[2:3]), root, moment)
    process.join()
    (root / block([])["folder"] / "run.json").unlink()
    states, _ = run(block(five()[2:3]), root)
    assert [m["run_id"] for m in read(root)["members"]] == ids(2, 0, 1)
    assert_same(states, reference)


def written_elsewhere(root, which):
    train_block(block(five()[:2]), root, device="cpu", progress=None)
    return (root / block([])["folder"] / "weights.safetensors").read_bytes()


def test_equal_weights_are_equal_files(root, data, tmp_path_factory):
    """Every process has its own seed of hashing, by which safetensors orders the header's entries."""
    from concurrent.futures import ProcessPoolExecutor

    roots = [root, *(tmp_path_factory.mktemp("again") for _ in range(3))]
    for other in roots[1:]:
        (other / "data").symlink_to(data / "data")
    with ProcessPoolExecutor(4, multiprocessing.get_context("fork"), max_tasks_per_child=None) as pool:
        contents = list(pool.map(written_elsewhere, roots, range(4)))
    assert len(set(contents)) == 1


def test_changed_code_retrains_to_the_same_numbers(root, reference):
    run(block(five()[:2]), root)
    changed = [five()[0], member("a", 1, code="refactored")]
    states, lines = run(block(changed), root)
    assert any("training 1 of 2" in line for line in lines)
    assert_same(states, reference)
    assert read(root)["members"][1]["static_key"] == changed[1]["static_key"]


def test_changed_data_retrain(tmp_path):
    make_dataset(tmp_path, "a")
    run(block([member("a", 0)]), tmp_path)
    make_dataset(tmp_path, "a", scale=2.0)
    _, lines = run(block([member("a", 0)]), tmp_path)
    assert any("training 1 of 1" in line for line in lines)


def test_without_reuse_everything_is_trained(root, reference):
    run(block(five()[:2]), root)
    states, lines = run(block(five()[:2]), root, reuse=False)
    assert any("training 2 of 2" in line for line in lines)
    assert_same(states, reference)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_missing_and_damaged_files_are_mended(root, reference, name, damage):
    run(block(five()[:2]), root)
    path = root / block([])["folder"] / name
    content = path.read_bytes()
    path.unlink() if damage == "missing" else path.write_bytes(content[: len(content) // 2])
    states, _ = run(block(five()[:2]), root)
    assert_same(states, reference)
    assert len(read(root)["members"]) == 2


def test_a_folder_of_another_format_is_left_alone(root):
    from safetensors.torch import save_file

    folder = root / block([])["folder"]
    folder.mkdir(parents=True)
    save_file(
        {"x": torch.zeros(1)}, folder / "weights.safetensors", metadata={"strangecast": json.dumps({"format": 99})}
    )
    with pytest.raises(ResultsError, match="format 99"):
        run(block(five()[:1]), root)
    assert [p.name for p in folder.iterdir()] == ["weights.safetensors"]


def child(plan, root, moment, seconds):
    os.environ["STRANGECAST_FAULT"] = moment
    train_block(plan, root, device="cpu", progress=None, checkpoint_seconds=seconds)


def start(plan, root, moment="", seconds=0.0):
    process = multiprocessing.get_context("fork").Process(target=child, args=(plan, root, moment, seconds))
    process.start()
    return process


@pytest.mark.parametrize(
    "moment",
    [
        "validated:0",
        "before_rename:state.safetensors",
        "after_rename:state.safetensors",
        "validated:12",
        "validated:30",
        "before_rename:history.parquet",
        "after_rename:history.parquet",
        "before_rename:weights.safetensors",
        "after_rename:weights.safetensors",
        "before_rename:run.json",
        "after_rename:run.json",
    ],
)
def test_killed_at_any_moment_it_goes_on_to_the_same_bits(root, reference, moment):
    run(block(five()[:2]), root)
    process = start(block(five()), root, moment)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    states, lines = run(block(five()), root)
    assert_same(states, reference)
    assert len(states) == 5
    assert not any("training 5 of 5" in line for line in lines)  # kept members survive the crash


def test_killed_at_random_times_it_goes_on_to_the_same_bits(root, reference):
    pick = random.Random(0)
    killed = 0
    begun = time.monotonic()
    start(block(five()), root).join()
    whole = time.monotonic() - begun
    shutil.rmtree(root / block([])["folder"])
    for _ in range(6):
        process = start(block(five()), root)
        time.sleep(pick.uniform(0.1, 0.6) * whole)
        process.kill()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        killed += process.exitcode == -signal.SIGKILL
    assert killed > 0
    assert_same(run(block(five()), root)[0], reference)


def test_a_resumed_run_does_not_start_again(root):
    process = start(block(five()[:2]), root, "validated:18")
    process.join()
    os.environ.pop("STRANGECAST_FAULT", None)
    seen = []
    original = prepare.TrainingData.batch
    try:
        prepare.TrainingData.batch = lambda self, n, *a: (seen.append(n), original(self, n, *a))[1]
        run(block(five()[:2]), root)
    finally:
        prepare.TrainingData.batch = original
    assert min(seen) == 18


def test_init_starts_from_the_parents_weights(root):
    parent = block([member("a", 0)])
    run(parent, root)
    still = TRAINING | {"updates": 1, "optimizer": TRAINING["optimizer"] | {"lr": 0.0}}
    made = member("b", 0, init=five()[0]["run_id"])
    plan = block([made], training=still, folder="runs/c/mlp/supervised/child", init=parent["folder"])
    states, _ = run(plan, root)
    (grown,) = run_folder.read_members(root / parent["folder"]).values()
    assert all(torch.equal(states[made["run_id"]][k], v) for k, v in grown[1].items())
    key = read(root, plan)["members"][0]["key"]
    run(block([member("a", 0, code="changed")]), root)
    run(plan, root)
    assert read(root, plan)["members"][0]["key"] != key
    with pytest.raises(ResultsError, match="starts from, is not trained"):
        run(block([member("b", 0, init="nobody")], init=parent["folder"]), root)


class Steered(Supervised):
    """Wants the vector fields of the members' systems."""

    needs = ("vector_field",)
    seen: ClassVar[list] = []

    def loss(self, emulator, batch, *, system, rng, step):
        self.seen.append([s.name for s in system])
        return super().loss(emulator, batch, system=system, rng=rng, step=step)


def test_a_training_gets_the_systems_it_needs(root, monkeypatch):
    for name in ("Rossler", "Lorenz"):
        make_dataset(root, name)
    steered = TRAINING | {"_target_": f"{__name__}.Steered", "updates": 2, "validate_every": 2}
    run(block([member("Rossler", 0), member("Lorenz", 0)], training=steered), root)
    assert Steered.seen == [["Rossler", "Lorenz"]] * 2
    monkeypatch.setattr(Steered, "needs", ("residuum",))
    with pytest.raises(ConfigError, match="system Lorenz has no residuum"):
        run(block([member("Lorenz", 1)], training=steered), root)
    with pytest.raises(ConfigError, match="no system 'a'"):
        run(block([member("a", 0)], training=steered), root)


def test_uneven_sampling_is_refused_where_an_emulator_steps(root):
    make_dataset(root, "uneven", dt=None)
    with pytest.raises(ConfigError, match="dataset uneven is not sampled evenly, which MLP needs: resample"):
        run(block([member("a", 0), member("uneven", 0)]), root)
    assert not (root / block([])["folder"]).exists()


def test_what_cannot_work_is_said_before_anything_is_written(root):
    plan = block([member("a", 0)])
    for wrong, message in [
        (plan | {"training": None}, "used without training"),
        (block([member("a", 0)], emulator={"_target_": "strangecast.emulators.persistence.Persistence"}), "learns"),
        (block([member("a", 0)], training=TRAINING | {"rollout_steps": 500}), "context . horizon"),
        (block([member("a", 0)], emulator=EMULATOR | {"activation": "sine"}), "no activation 'sine'"),
    ]:
        with pytest.raises(Exception, match=message) as caught:
            run(wrong, root)
        assert type(caught.value).__name__ in ("ConfigError", "DataError")
    assert not (root / plan["folder"] / "run.json").exists()
    with pytest.raises(ConfigError, match="no logger"):
        run(plan, root, logger="paper")
