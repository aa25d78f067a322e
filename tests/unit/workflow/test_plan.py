"""From studies to runs, blocks and plan files."""

from __future__ import annotations

import json

import pytest

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.plans import plan_path, read_plan
from tests.unit.workflow.conftest import OPTIONS, study

BASE = {"each": "chaos", "emulator": "mlp", "training": "supervised", "trained_on_system": True}


def test_runs_are_the_product_of_data_points_and_seeds(make_plan):
    plan = make_plan()
    assert len(plan.studies["small"]["runs"]) == 1 + 4 * 2 * 2
    labels = {r["label"] for r in plan.studies["small"]["runs"]}
    assert labels == {"Persistence", "MLP, 1 steps", "MLP, 4 steps"}


def test_blocks_hold_one_shape_in_declared_order(make_plan):
    plan = make_plan()
    blocks = [b for b in plan.blocks.values() if b["training"]]
    names = sorted(b["folder"].rpartition("/")[2].partition("-")[2] for b in blocks)
    # Lorenz, Rossler | HyperRossler (4 channels) | Chua (3 channels, second chunk), for each of two points
    assert names == sorted(2 * ["3c.0-s0.4", "4c.1-s0.4", "3c.1-s0.4"])
    first = next(b for b in blocks if b["folder"].endswith("3c.0-s0.4"))
    assert [(m["dataset"], m["seed"]) for m in first["members"]] == [
        ("chaos-Lorenz", 0), ("chaos-Lorenz", 1), ("chaos-Rossler", 0), ("chaos-Rossler", 1),
    ]  # fmt: skip


def test_a_new_seed_leaves_other_blocks_and_keys(make_plan):
    few, many = make_plan(seeds=5), make_plan(seeds=6)
    assert set(few.blocks) < set(many.blocks)
    for folder, block in few.blocks.items():
        assert many.blocks[folder] == block


def test_a_new_seed_within_a_block_keeps_the_other_members(make_plan):
    few, many = make_plan(seeds=2), make_plan(seeds=3)
    keys = lambda plan: {m["run_id"]: m["static_key"] for b in plan.blocks.values() for m in b["members"]}  # noqa: E731
    assert keys(few).items() < keys(many).items()
    assert set(few.blocks) == set(many.blocks)


def test_member_values_share_a_block(make_plan):
    plan = make_plan(study(runs=[{**BASE, "sweep": {"emulator.gain": [1.0, 2.0]}}]))
    block = next(b for b in plan.blocks.values() if "3c.0" in b["folder"])
    assert len(block["members"]) == 2 * 2 * 2
    assert {m["emulator"]["gain"] for m in block["members"]} == {1.0, 2.0}
    assert "base-" in block["folder"]


def test_shape_values_do_not(make_plan):
    plan = make_plan(study(runs=[{**BASE, "sweep": {"emulator.hidden": [8, 16]}}]))
    folders = [f for f in plan.blocks if "3c.0" in f]
    assert len(folders) == 2
    assert {plan.blocks[f]["emulator"]["config"]["hidden"] for f in folders} == {8, 16}


def test_two_studies_share_a_run(make_plan):
    other = {"study/other": study()["study/small"] | {"metrics": ["smape"], "title": "Other"}}
    plan = make_plan(other, studies=("small", "other"))
    alone = make_plan(other)
    assert set(plan.blocks) == set(alone.blocks)
    use = next(iter(plan.blocks.values()))["suites"]["chaos"]
    assert set(use["metrics"]) == {"mse", "smape"}


def test_a_run_does_not_know_its_study_or_label(make_plan):
    renamed = study(runs=[{**BASE, "sweep": {"training.rollout_steps": [1, 4]}, "label": "{training.rollout_steps}"}])
    keys = lambda plan: {m["run_id"]: m["static_key"] for b in plan.blocks.values() for m in b["members"]}  # noqa: E731
    assert keys(make_plan(renamed)).items() <= keys(make_plan(study())).items() | keys(make_plan(renamed)).items()
    before, after = keys(make_plan(study())), keys(make_plan(renamed))
    assert all(before[k] == v for k, v in after.items())


def test_init_chains_are_ordered_and_enter_the_key(make_plan):
    runs = [
        {**BASE, "name": "first"},
        {**BASE, "sweep": {"training.rollout_steps": [4]}, "init": "first"},
    ]
    plan = make_plan(study(runs=runs))
    child = next(b for b in plan.blocks.values() if b["init"])
    parent = plan.blocks[child["init"]["folder"]]
    assert {m["init"] for m in child["members"]} == {m["run_id"] for m in parent["members"]}
    folders = list(plan.blocks)
    assert folders.index(parent["folder"]) < folders.index(child["folder"])


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ([{**BASE, "emulator": "mpl"}], "no emulator 'mpl'; did you mean 'mlp'"),
        ([{**BASE, "trainin": 1}], "no key 'trainin'; did you mean 'training'"),
        ([{**BASE, "seeds": 0}], "seeds is 0; a learned run needs at least 1"),
        (
            [{**BASE, "emulator": "persistence"}],
            "needs an emulator with learns: gradient, and persistence has learns: none",
        ),
        ([{**BASE, "training": "none"}], "mlp has to be trained; trainings that fit it: mix_chain, supervised"),
        (
            [{**BASE, "each": "chaos-MackeyGlass", "training": "mix_chain"}],
            "needs a stepper, and system MackeyGlass of chaos-MackeyGlass has none",
        ),
        ([{"data": "none", "emulator": "mlp", "training": "supervised"}], "needs data, and data is none"),
        ([{"data": "chaos", "emulator": "mlp", "training": "supervised"}], "write `each: chaos` instead"),
        ([{**BASE, "each": "chaoss"}], "no dataset 'chaoss'; did you mean 'chaos'"),
        ([{**BASE, "each": "chaos-Lorentz"}], "no system 'Lorentz'; did you mean 'Lorenz'"),
        ([{**BASE, "each": "lorenz63"}], "lorenz63 is in none of its suites"),
        ([{k: v for k, v in BASE.items() if k != "trained_on_system"}], "say trained_on_system: true"),
        ([{**BASE, "sweep": {"training.rollout": [1]}}], "no key 'rollout'; did you mean 'rollout_steps'"),
        ([{**BASE, "sweep": {"rollout_steps": [1]}}], "must start with emulator. or training."),
        ([{**BASE, "sweep": {"training.rollout_steps": []}}], "needs a list of values"),
        ([{**BASE, "label": "{training.tau}"}], "names a key that is not swept"),
        ([{**BASE, "init": "nowhere"}], "no earlier run entry 'nowhere'"),
        ([], "lists no runs and no datasets"),
    ],
)
def test_impossible_runs_are_refused_in_one_sentence(make_plan, runs, sentence):
    with pytest.raises(ConfigError) as e:
        assert make_plan(study(runs=runs)).blocks
    assert sentence in str(e.value)
    assert "\n" not in str(e.value)


def test_unknown_figure_input(make_plan):
    options = study(figures=["odd"]) | {"figure/odd": {"_target_": "a.b", "inputs": ["scorse"], "title": "Odd"}}
    with pytest.raises(ConfigError, match="no input 'scorse'; did you mean 'scores'"):
        assert make_plan(options).studies


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"figurs": []}, "no key 'figurs'; did you mean 'figures'"),
        ({"tables": {"t": {"_target_": "a.b", "inputs": ["comparsons"]}}}, "did you mean 'comparisons'"),
        ({"tables": {"t": {"inputs": []}}}, "table 't' does not say its _target_"),
        (
            {"runs": [{**BASE, "label": "A"}, {**BASE, "label": "A", "sweep": {"training.rollout_steps": [4]}}]},
            "label 'A' stands for runs that differ in point",
        ),
    ],
)
def test_studies_that_cannot_work(make_plan, changes, sentence):
    with pytest.raises(ConfigError) as e:
        assert make_plan(study(**changes)).studies
    assert sentence in str(e.value)


@pytest.mark.parametrize(
    ("option", "changes", "sentence"),
    [
        ("suite/chaos", {"normalisation": "contxt"}, "no normalisation 'contxt'; did you mean 'context'"),
        ("suite/chaos", {"batch": 0}, "batch is 0"),
        ("dataset/chaos", {"sampling": {"length": 60}}, "cannot hold a window of context + horizon = 32 + 32 = 64"),
        (
            "dataset/chaos",
            {"split": {"by": "initial_condition", "train": 9, "validation": 2, "test": 4}},
            "the split needs 15 trajectories, initial_conditions makes 12",
        ),
    ],
)
def test_numbers_that_cannot_fit(make_plan, option, changes, sentence):
    with pytest.raises(ConfigError) as e:
        assert make_plan({option: OPTIONS[option] | changes}).datasets
    assert sentence in str(e.value)


def test_own_data_declare_channels(make_plan, conf):
    runs = [{**BASE, "each": "river"}]
    plan = make_plan(study(runs=runs, suites=["own-river"]))
    assert plan.datasets["river"]["made_by"] == "import"
    bad = {"dataset/river": {"defaults": ["chaos", "_self_"], "source": {"path": "river.csv", "channels": None}}}
    with pytest.raises(ConfigError, match="own data declare their channels"):
        make_plan(study(runs=runs, suites=["own-river"]) | bad)


def test_plan_files_are_written_once_and_read_back(make_plan):
    plan = make_plan()
    plan.write()
    folder, block = next(iter(plan.blocks.items()))
    file = plan_path(plan.root, "block", folder)
    stamp = file.stat().st_mtime_ns
    found, root = read_plan(file)
    assert found == json.loads(json.dumps(block))
    assert root == plan.root.resolve()
    make_plan().write()
    assert file.stat().st_mtime_ns == stamp


def test_other_formats_are_refused_untouched(make_plan):
    plan = make_plan()
    plan.root.mkdir(parents=True)
    (plan.root / "format.json").write_text('{"format": 0}')
    with pytest.raises(ResultsError, match="format 0, this one reads 1.*nothing was touched"):
        plan.write()
    assert not (plan.root / "plan").exists()
    (plan.root / "format.json").unlink()
    (plan.root / "runs").mkdir()
    with pytest.raises(ResultsError, match="format none"):
        plan.write()


def test_hashes_follow_what_each_rule_uses(make_plan):
    before = make_plan().datasets["chaos-Lorenz"]["hash"]
    options = {"dataset/chaos": OPTIONS["dataset/chaos"] | {"validity": {"boundedness": {"limit": 3}}, "at": {}}}
    after = make_plan(options).datasets["chaos-Lorenz"]["hash"]
    assert {k for k in before if before[k] != after[k]} == {"filter"}
