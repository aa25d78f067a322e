"""Plans of datasets of many systems: shards, hashes, restarts, what is trained on and tested."""

from __future__ import annotations

import pytest

from strangecast.core.errors import ConfigError
from strangecast.data.recipe import Recipe
from strangecast.systems.validity.panel import check
from strangecast.workflow.checks import check_dataset
from strangecast.workflow.codehash import CodeHash
from strangecast.workflow.compose import SCALES, Registry
from strangecast.workflow.dag import Dag
from strangecast.workflow.datasets import Datasets
from strangecast.workflow.plan import Plan
from strangecast.workflow.settings import Settings

from .conftest import write_conf

CODE = CodeHash()  # hashes are remembered in it
JUDGE = {"_target_": "strangecast.data.judging.judge_row"}
MANY = {
    "systems": {"list": ["Lorenz", "SprottA", "HyperRossler"], "skew": {"pairs": 2, "couplings": 2}},
    "parameter_sets": 3, "initial_conditions": 2, "shard_size": 4, "at": {"smoke": {"initial_conditions": 1}},
}  # fmt: skip
BASE = {
    "system": None, "source": None, "noise": 0.0, "validity": {"boundedness": {}}, "sampling": {"length": 100},
    "shard_size": 100, "initial_conditions": 1, "window": {"context": 32, "horizon": 32, "count": 2},
    "split": {"by": "system", "test": ["HyperRossler"]},
}  # fmt: skip


@pytest.fixture
def plan_of(conf, tmp_path):
    """``plan_of(options, scale)``: a plan of nothing but datasets."""

    def make(options, scale="laptop"):
        write_conf(conf, {f"dataset/{name}": BASE | option for name, option in options.items()})
        return Plan(scale, (), Registry(conf), CODE, root=tmp_path)

    return make


@pytest.fixture
def planned(plan_of):
    """``planned(**changes)``: plan of the dataset ``many``."""
    return lambda scale="laptop", **changes: plan_of({"many": MANY | changes}, scale).dataset("many")


def test_shards_are_counted_from_the_roster(planned):
    # Lorenz 3 sets, SprottA 1, HyperRossler 3, four products 3 each: 19 sets
    assert len(planned()["shards"]) == 10
    assert len(planned(scale="smoke")["shards"]) == 5
    assert planned()["shards"][9] == "shard-0009.arrow"
    assert planned()["config"]["systems"]["list"][0] == "Lorenz"


def test_validity_belongs_to_generation_where_it_judges(planned):
    def hashes(tries, max_z):
        attempts = {"per_specimen": tries, "budget": None, "judge": JUDGE}
        return planned(attempts=attempts, validity={"boundedness": {"max_z": max_z}})["hash"]

    assert hashes(1, 10)["make"] == hashes(1, 20)["make"] == planned()["hash"]["make"]
    assert hashes(1, 10)["filter"] != hashes(1, 20)["filter"]
    assert hashes(3, 10)["make"] != hashes(3, 20)["make"]
    assert len({hashes(n, 10)["make"] for n in (1, 2, 3)}) == 3


def test_the_tests_code_enters_the_hash_where_generation_judges():
    code = CODE
    plain = code.of("strangecast.data.generate", config={"attempts": {"per_specimen": 1}})
    judged = code.of("strangecast.data.generate", config={"attempts": {"judge": JUDGE}})
    assert plain == code.of("strangecast.data.generate")
    assert judged != plain
    roots = [code._parse("strangecast.data.generate")[1], code._parse("strangecast.data.judging")[1]]
    assert not any("validity" in m or "filtering" in m for m in roots[0])
    assert any("filtering" in m for m in roots[1])


@pytest.mark.parametrize(
    "change", [{"parameter_sets": 4}, {"perturb": {"scale": 2.0}}, {"systems": {"list": ["Lorenz", "HyperRossler"]}}]
)
def test_what_is_made_is_in_the_hash(planned, change):
    assert planned(**change)["hash"]["make"] != planned()["hash"]["make"]


def test_a_restart_takes_systems_and_goes_on_counting(plan_of):
    again = {"restart_from": "many", "initial_conditions": 5}
    options = {"many": MANY, "again": again, "more": again | {"restart_from": "again"}}
    plan = plan_of(options)
    found = plan.dataset("again")
    assert found["config"]["restart"] == {"folder": "data/many", "first_ic": 2}
    assert found["config"]["systems"]["list"] == ["Lorenz", "SprottA", "HyperRossler"]
    assert Datasets(plan.registry, "laptop").info("again").roster[0].ic_index == 2
    assert plan.dataset("more")["config"]["restart"] == {"folder": "data/again", "first_ic": 7}
    # what the source is made by, and what it accepts, decides what is restarted
    for change in ({"perturb": {"scale": 9}}, {"validity": {"boundedness": {"max_z": 3}}}):
        other = plan_of(options | {"many": MANY | change})
        assert other.dataset("again")["hash"]["make"] != found["hash"]["make"]
    other = plan_of(options | {"many": MANY | {"noise": 0.1}})
    assert other.dataset("again")["hash"]["make"] == found["hash"]["make"]


def test_a_dataset_cannot_restart_itself(plan_of):
    with pytest.raises(ConfigError, match="restarts itself"):
        plan_of({"one": {"restart_from": "two"}, "two": {"restart_from": "one"}}).dataset("one")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"system": "Lorenz"}, "gives system and systems"),
        ({"systems": {"list": ["Lorentz"]}}, "dataset 'many': .*'Lorenz'"),
        ({"systems": {"dysts": "none"}}, "systems.dysts"),
        ({"parameter_sets": 0.5}, "at least 1"),
    ],
)
def test_mistakes_are_named(planned, changes, told):
    with pytest.raises(ConfigError, match=told):
        planned(**changes)


def test_what_is_trained_on_and_what_is_tested():
    infos = Datasets(Registry(), "laptop")
    alone, products = infos.info("dysts_all"), infos.info("skew")
    assert len(alone.systems("train")) == 100
    assert len(alone.systems("test")) == 30
    assert not alone.systems("train") & alone.systems("test")
    assert not products.systems("train") & alone.systems("test")
    assert not products.systems("train") & products.systems("test")
    assert not alone.systems("train") & products.systems("test")
    assert infos.info("chaos-Lorenz").systems("train") == infos.info("chaos-Lorenz").systems("test") == {"Lorenz"}
    one = infos.info("chaos-skew-additive-Lorenz-Rossler-0")
    assert one.systems("test") == {"skew-additive-Lorenz-Rossler-0", "Lorenz", "Rossler"}
    assert (alone.many, alone.channels, alone.system) == (True, None, None)
    assert (one.many, one.channels) == (False, 3)
    assert products.offers >= {"vector_field", "jacobian", "state"}


@pytest.mark.parametrize("scale", SCALES)
def test_the_committed_datasets_can_be_planned(scale):
    infos = Datasets(Registry(), scale)
    expected = {"smoke": {"skew": 20}, "laptop": {"dysts_all": 540, "skew": 1280}, "full": {"skew": 20_000}}
    for name in ("dysts_all", "dysts_perturbed", "skew"):
        info = infos.info(name)
        assert len(info.roster) == expected[scale].get(name, len(info.roster))
        check_dataset(name, info.config)
        Recipe.from_config(info.config)
        check(info.config["validity"])


def test_a_restart_waits_for_the_manifest_it_reads(conf, tmp_path):
    write_conf(conf, {f"dataset/{n}": BASE | o for n, o in {"many": MANY, "again": {"restart_from": "many"}}.items()})
    dag = Dag(Settings(scale="smoke"), tmp_path / "results", tmp_path / "figures", write=False)
    dag._plans["smoke"] = Plan("smoke", (), Registry(conf), CODE, root=tmp_path / "results" / "smoke")
    assert dag.restarted("smoke", "again") == [f"{tmp_path}/results/smoke/data/many/manifest.parquet"]
    assert dag.restarted("smoke", "many") == []
