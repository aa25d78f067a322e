"""Corpora split over systems, streams and augmentations as planned, and what nobody may train on who is scored on it."""

from __future__ import annotations

import pytest

from strangecast.core.errors import ConfigError
from strangecast.workflow.codehash import CodeHash
from strangecast.workflow.compose import SCALES, Registry
from strangecast.workflow.plan import Plan
from tests.unit.workflow.conftest import CAN, OPTIONS, study

POOLED = {"emulator/pooled": {**OPTIONS["emulator/mlp"], "title": "Pooled", "can": {**CAN, "pooled": True}}}
NAMES = ["Lorenz", "Rossler", "HyperRossler", "Chua"]
SPLIT = {"corpus/split": {"recipe": "chaos", "systems": NAMES, "split": {"test": ["Lorenz", "Chua"]}}}
MANY = OPTIONS["dataset/chaos"] | {"parameter_sets": 1}
SKEW = "skew-additive-Lorenz-Rossler-0"


def entry(**changes):
    return {"data": "chaos", "emulator": "pooled", "training": "supervised"} | changes


def suite(**changes):
    return {"suite/held": OPTIONS["suite/chaos"] | {"corpus": None} | changes}


def many(*names, **split):
    return MANY | {"systems": {"list": list(names)}, "split": {"by": "system"} | split}


def planned(make_plan, options, *runs, suites=("held",)):
    plan = make_plan(study(runs=list(runs), suites=list(suites)) | POOLED | options)
    assert plan.blocks
    return plan


def refused(make_plan, options, run):
    with pytest.raises(ConfigError) as e:
        planned(make_plan, options, run)
    assert "\n" not in str(e.value)
    return str(e.value)


# Corpora


def test_a_corpus_is_trained_on_in_one_part_and_scored_in_the_other(make_plan):
    plan = planned(make_plan, SPLIT | suite(corpus="split"), entry(data="split"))
    (block,) = plan.blocks.values()
    assert block["members"][0]["datasets"] == ["chaos-Rossler", "chaos-HyperRossler"]
    assert list(plan.suites["held"]["datasets"]) == ["chaos-Lorenz", "chaos-Chua"]
    assert set(plan.datasets) == {f"chaos-{n}" for n in NAMES}


def test_parts_by_name(make_plan):
    parts = {f"corpus/{p}": SPLIT["corpus/split"] | {"part": p} for p in ("train", "test")}
    plan = planned(make_plan, parts | suite(corpus="test"), entry(data="train"))
    assert list(plan.suites["held"]["datasets"]) == ["chaos-Lorenz", "chaos-Chua"]
    plan = planned(make_plan, parts | suite(corpus="test", part="train"), entry(data="test"))
    assert list(plan.suites["held"]["datasets"]) == ["chaos-Rossler", "chaos-HyperRossler"]
    told = refused(make_plan, parts | suite(corpus="train"), entry(data="train"))
    assert "Pooled, supervised is trained on HyperRossler, which suite 'held' scores" in told


def test_shares_numbers_and_choices_of_dysts(make_plan):
    share = {"corpus/split": {"recipe": "chaos", "systems": "all", "split": {"test_fraction": 0.3, "seed": 0}}}
    plan = planned(make_plan, share | suite(corpus="split"), entry(data="split"))
    (block,) = plan.blocks.values()
    assert (len(block["members"][0]["datasets"]), len(plan.suites["held"]["datasets"])) == (94, 41)
    delays = {"corpus/split": {"recipe": "chaos", "systems": "delays", "split": {"test": 2, "seed": 1}}}
    plan = planned(make_plan, delays | suite(corpus="split"), entry(data="split"))
    assert len(plan.suites["held"]["datasets"]) == 2
    assert plan.datasets["chaos-MackeyGlass"]["shards"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sistems": []}, "corpus 'split': there is no key 'sistems'; did you mean 'systems'"),
        ({"systems": "flow"}, "no choice of systems.dysts 'flow'; did you mean 'flows'"),
        ({"split": {"test": ["Lorentz"]}}, "corpus 'split', split: test: there is no system 'Lorentz'"),
        ({"split": {"within": {}}}, "corpus 'split': split: there is no key 'within'"),
        ({"split": None, "part": "test"}, "says part: test and no split"),
        ({"part": "validation"}, "no part 'validation'"),
        ({"split": {"test_fraction": 1.0}}, "the split leaves no system to its train part"),
        ({"datasets": ["river"]}, "a split is over systems"),
        ({"recipe": None}, "lists systems but no recipe"),
        ({"systems": ["Lorenz", "Lorenz", "Chua"]}, "lists chaos-Lorenz twice"),
    ],
)
def test_corpora_that_cannot_work(make_plan, changes, told):
    options = {"corpus/split": SPLIT["corpus/split"] | changes} | suite(corpus="chaos")
    assert told in refused(make_plan, options, entry(data="split"))


def test_suites_that_cannot_work(make_plan):
    for changes, told in (
        ({"corpus": "chaos", "part": "test"}, "corpus 'chaos' has no part 'test': it is not split"),
        ({"datasets": ["lorenz63"], "part": "test"}, "suite 'held' says part: test and names no corpus"),
        ({"corpus": "split", "part": "tests"}, "no part 'tests'; did you mean 'test'"),
    ):
        assert told in refused(make_plan, SPLIT | suite(**changes), entry(data="chaos"))


@pytest.mark.parametrize("scale", SCALES)
def test_the_presets_can_be_planned(scale):
    registry = Registry()
    runs = [{"data": "none", "emulator": "persistence"}]
    runs += [{"each": "dysts_100_30", "emulator": "ridge", "training": "least_squares", "suites": []}]
    asked = {"title": "Preset", "question": "?", "runs": runs, "metrics": ["mse"], "suites": ["dysts_100_30"]}
    plan = Plan(scale, (), registry, CodeHash(), extra={"preset": asked})
    assert len(plan.suites["dysts_100_30"]["datasets"]) == 30
    assert len(plan.datasets) == 130
    assert plan.blocks
    del asked["runs"][1]["suites"]
    asked["runs"][1]["each"] = "dysts_100_30_test"
    with pytest.raises(
        ConfigError, match="is trained on Aizawa, which suite 'dysts_100_30' scores; say trained_on_system"
    ):
        assert Plan(scale, (), registry, CodeHash(), extra={"preset": asked}).blocks


# Datasets of many systems and skew products


def test_training_parts_of_many_systems_are_seen(make_plan):
    options = {"dataset/all": many(*NAMES, test=["Lorenz"])}
    for scored, told in (("chaos-Lorenz", None), ("chaos-Rossler", "is trained on Rossler, which suite 'held' scores")):
        wanted = options | suite(datasets=[scored])
        if told is None:
            planned(make_plan, wanted, entry(data="all"))
        else:
            assert told in refused(make_plan, wanted, entry(data="all"))
            planned(make_plan, wanted, entry(data="all", trained_on_system=True))
    planned(make_plan, options | suite(datasets=["all"]), entry(data="all"))
    assert "trained on Lorenz" in refused(make_plan, options | suite(datasets=["all"]), entry(data="chaos"))


def test_parents_of_skew_products_are_seen_and_scored(make_plan):
    options = {"dataset/coupled": many(SKEW, test=[]), "dataset/pair": MANY | {"system": SKEW}}
    for parent in ("Lorenz", "Rossler"):
        told = refused(make_plan, options | suite(datasets=[f"chaos-{parent}"]), entry(data="coupled"))
        assert f"is trained on {parent}, which" in told
        plain = options | {"corpus/plain": {"recipe": "chaos", "systems": [parent, "Chua"]}} | suite(datasets=["pair"])
        assert f"is trained on {parent}, which" in refused(make_plan, plain, entry(data="plain"))
    planned(make_plan, options | suite(datasets=["chaos-Chua"]), entry(data="coupled"))


def test_a_suite_of_listed_systems(make_plan):
    options = {"dataset/all": MANY | {"systems": {"list": NAMES}, "split": OPTIONS["dataset/chaos"]["split"]}}
    told = refused(make_plan, options | suite(datasets=["all"], systems=["Chua"]), entry(data="chaos"))
    assert "trained on Chua" in told
    rest = {"corpus/rest": {"recipe": "chaos", "systems": NAMES[:3]}}
    planned(make_plan, options | rest | suite(datasets=["all"], systems=["Chua"]), entry(data="rest"))


def test_what_the_parent_of_a_run_has_seen_counts(make_plan):
    options = SPLIT | {"corpus/other": {"recipe": "chaos", "systems": ["Thomas", "Halvorsen"]}} | suite(corpus="split")
    first = entry(data="chaos", name="first", suites=[])
    with pytest.raises(ConfigError, match="is trained on Chua"):
        planned(make_plan, options, first, entry(data="other", init="first"))
    planned(make_plan, options, first, entry(data="other"))


# Streams and augmentations

SIZES = {"systems": 4, "trajectories": 8, "windows": 4}
STREAM = {
    "dataset/flow": many(*NAMES, test=["Lorenz"])
    | {
        "stream": {"validation": "chaos-Halvorsen", **SIZES},
        "sampling": {"points_per_period": 100, "length": 100, "transient_periods": 5},
    }
}


def test_a_stream_is_planned_with_the_data_that_select_its_weights(make_plan):
    plan = planned(make_plan, STREAM | suite(datasets=["chaos-Lorenz"]), entry(data="flow"))
    (block,) = plan.blocks.values()
    one = block["members"][0]
    assert one["datasets"] == ["chaos-Halvorsen"]
    assert one["dataset"] is None
    assert (one["stream"]["name"], one["stream"]["many"]) == ("flow", True)
    assert one["stream"]["config"]["stream"] == SIZES
    assert "window" not in one["stream"]["config"]
    assert set(plan.datasets) == {"chaos-Halvorsen", "chaos-Lorenz"}
    assert block["folder"].startswith("runs/flow/")


def test_what_a_stream_is_made_of_enters_its_key_and_its_code(make_plan):
    wanted = suite(datasets=["chaos-Lorenz"])
    other = {"dataset/flow": STREAM["dataset/flow"] | {"noise": 0.1}}
    window = {"dataset/flow": STREAM["dataset/flow"] | {"window": {"context": 8, "horizon": 8, "count": 1}}}
    keys = [
        next(iter(planned(make_plan, o | wanted, entry(data="flow")).blocks.values()))["members"][0]["static_key"]
        for o in (STREAM, other, window)
    ]
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]
    code = CodeHash()
    job = code.of("strangecast.training.job")
    assert job != code.of("strangecast.training.job", "strangecast.data.streaming")


def test_systems_of_a_stream_and_of_its_validation_are_seen(make_plan):
    for scored, found in (("Rossler", "Rossler"), ("Halvorsen", "Halvorsen"), ("Chua", "Chua")):
        told = refused(make_plan, STREAM | suite(datasets=[f"chaos-{scored}"]), entry(data="flow"))
        assert f"is trained on {found}, which" in told


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        ({"validation": None, **SIZES}, "stream.validation must name the data that select weights"),
        ({"validation": "flow"}, "stream.validation 'flow' is a stream itself"),
        ({"validation": "chaoss"}, "no dataset 'chaoss'; did you mean 'chaos'"),
    ],
)
def test_streams_that_cannot_work(make_plan, stream, told):
    options = {"dataset/flow": STREAM["dataset/flow"] | {"stream": stream}} | suite(datasets=["chaos-Lorenz"])
    assert told in refused(make_plan, options, entry(data="flow"))


def test_a_stream_is_neither_stored_nor_scored_nor_mixed(make_plan):
    plan = make_plan(STREAM | POOLED)
    with pytest.raises(ConfigError, match="never stored; its validation is chaos-Halvorsen"):
        plan.dataset("flow")
    told = refused(make_plan, STREAM | suite(datasets=["flow"]), entry(data="chaos"))
    assert "flow is a stream, of which nothing is stored" in told
    mixed = STREAM | {"corpus/mixed": {"datasets": ["flow", "chaos-Chua"]}} | suite(datasets=["chaos-Lorenz"])
    assert "flow is a stream, which is trained on alone" in refused(make_plan, mixed, entry(data="mixed"))
    told = refused(make_plan, STREAM | suite(datasets=["chaos-Lorenz"]), entry(data="flow", emulator="mlp"))
    assert "flow holds many systems and mlp learns one at a time" in told


AUGMENTATION = {
    "augmentation/mild": {"rate": 0.1, "augmentations": {}, "probabilities": {}},
    "training/supervised": OPTIONS["training/supervised"] | {"augmentation": None},
}


def test_a_training_names_its_augmentation(make_plan):
    wanted = AUGMENTATION | suite(datasets=["chaos-Halvorsen"])
    plan = planned(
        make_plan, wanted, entry(sweep={"training.augmentation": [None, "mild"]}, label="{training.augmentation}")
    )
    plain, mild = (
        plan.blocks[f] for f in sorted(plan.blocks, key=lambda f: str(plan.blocks[f]["members"][0]["point"]))
    )
    configs = [b["training"]["config"] for b in (plain, mild)]
    assert {"augmentation" in c for c in configs} == {True, False}
    (config,) = [c for c in configs if "augmentation" in c]
    assert config["augmentation"] == AUGMENTATION["augmentation/mild"]
    assert plain["code"]["train"] != mild["code"]["train"]
    without = planned(make_plan, suite(datasets=["chaos-Halvorsen"]), entry())
    assert {m["static_key"] for b in without.blocks.values() for m in b["members"]}


def test_augmentations_that_cannot_be(make_plan):
    wanted = AUGMENTATION | suite(datasets=["chaos-Halvorsen"])
    told = refused(make_plan, wanted, entry(sweep={"training.augmentation": ["milt"]}))
    assert "no augmentation 'milt'; did you mean 'mild'" in told
    lone = entry(
        data="chaos-Halvorsen", emulator="mlp", trained_on_system=True, sweep={"training.augmentation": ["mild"]}
    )
    assert "an emulator of one system cannot follow" in refused(make_plan, wanted, lone)
