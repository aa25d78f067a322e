"""Attempts within a budget, and restarts from saved parameters."""

from __future__ import annotations

import json

import numpy as np
import pytest

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.hashing import file_digest
from strangecast.core.schemas import MANIFEST
from strangecast.core.tables import read_parquet
from strangecast.data.filtering import filter_dataset
from strangecast.data.generate import generate_shard, make_row
from strangecast.data.judging import judge_row
from strangecast.data.recipe import Recipe
from strangecast.data.shards import Shard
from strangecast.systems.load import load_system
from strangecast.systems.parameter_sampler import Perturbation, parameter_set
from strangecast.systems.roster import Specimen
from strangecast.workflow.compose import Registry

from .conftest import make
from .many import JUDGE, many_plan

# A quarter of the candidates at strongly perturbed parameters diverge or come to rest.
STRONG = {
    "systems": {"list": ["Lorenz", "Chua"]},
    "parameter_sets": 5,
    "perturb": {"scale": 0.8, "ignore": 0.0},
    "shard_size": 10,
}


def plan_of(tries, budget=None, **changes):
    return many_plan(attempts={"per_specimen": tries, "budget": budget, "judge": JUDGE}, **(STRONG | changes))


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    plan = plan_of(4)
    for number in range(len(plan["shards"])):
        generate_shard(plan, root, number)
    filter_dataset(plan, root)
    return root, plan, read_parquet(root / plan["folder"] / "manifest.parquet", MANIFEST).to_pylist()


def test_every_attempt_has_a_row_and_the_accepted_one_is_the_last(tried):
    _, _, rows = tried
    specimens = {}
    for r in rows:
        specimens.setdefault((r["system"], r["parameter_index"], r["ic_index"]), []).append(r)
    assert len(specimens) == 20
    for own in specimens.values():
        assert [r["attempt"] for r in own] == list(range(len(own)))
        assert not any(r["accepted"] for r in own[:-1])
        assert own[-1]["accepted"] or len(own) == 4
    assert any(len(own) > 1 and own[-1]["accepted"] for own in specimens.values())
    assert len({r["trajectory_id"] for r in rows}) == len(rows)
    assert any(r["trajectory_id"] == "Chua-p1-i0-a1" for r in rows)


def test_rejected_attempts_keep_reasons_and_no_values(tried):
    root, plan, rows = tried
    for r in rows:
        shard = Shard(root / plan["folder"] / r["shard"])
        assert shard.get("verdicts", r["row"]) == r["verdicts"]
        assert shard.get("shape", r["row"]) == [320 if r["accepted"] else 0, 3]
        assert r["length"] == (320 if r["accepted"] else 0)
        verdicts = json.loads(r["verdicts"])
        assert r["reasons"] == [t for t, v in verdicts.items() if not v["passed"]]
        assert bool(r["reasons"]) != r["accepted"]
        if r["status"] != "finished":
            assert r["reasons"] == ["integration"]
        elif not r["accepted"]:
            assert set(verdicts) == {"integration", "boundedness", "fixed_point"}
            assert len(shard.get("initial_condition", r["row"])) == 3


def test_candidates_are_keyed_and_can_be_made_alone(tried):
    root, plan, rows = tried
    recipe = Recipe.from_config(plan["config"])
    for r in [r for r in rows if r["attempt"]][:4]:
        shard = Shard(root / plan["folder"] / r["shard"])
        alone = make_row(recipe, Specimen(r["system"], r["parameter_index"], r["ic_index"]), r["attempt"])
        assert alone["parameters"].tolist() == shard.get("parameters", r["row"])
        assert alone["trajectory_id"] == r["trajectory_id"]
        if r["accepted"]:
            assert alone["sha256"] == r["sha256"]
        wanted = parameter_set(
            load_system(r["system"]), r["parameter_index"], Perturbation(0.8, ignore=0.0), r["attempt"]
        )
        np.testing.assert_array_equal(alone["parameters"], wanted)


def test_first_attempts_are_those_of_a_dataset_without_attempts(tried, tmp_path):
    _, _, rows = tried
    plain = many_plan(**STRONG)
    for number in range(2):
        generate_shard(plain, tmp_path, number)
    filter_dataset(plain, tmp_path)
    found = read_parquet(tmp_path / plain["folder"] / "manifest.parquet", MANIFEST).to_pylist()
    first = {r["trajectory_id"]: r for r in rows if r["attempt"] == 0}
    assert [r["trajectory_id"] for r in found] == list(first)
    for r in found:
        other = first[r["trajectory_id"]]
        assert (r["accepted"], r["reasons"], r["evaluations"]) == (
            other["accepted"],
            other["reasons"],
            other["evaluations"],
        )
        assert r["sha256"] == other["sha256"] or not r["accepted"]


def test_the_budget_ends_attempts_and_never_the_first(tried, tmp_path):
    root, plan, rows = tried
    costs = {}
    for r in rows:
        if r["shard"] == "shard-0001.arrow":
            costs[r["attempt"]] = costs.get(r["attempt"], 0) + r["evaluations"]
    assert len(costs) > 2
    for budget, rounds in ((0, 1), (costs[0], 1), (costs[0] + 1, 2), (sum(costs.values()) + 1, len(costs))):
        limited = plan_of(4, budget)
        generate_shard(limited, tmp_path, 1)
        shard = Shard(tmp_path / limited["folder"] / "shard-0001.arrow")
        assert max(shard.get("attempt", i) for i in range(len(shard))) == rounds - 1
    assert file_digest(shard.path) == file_digest(root / plan["folder"] / "shard-0001.arrow")


def test_skew_products_draw_another_coupling(tmp_path):
    name = "skew-additive-Lorenz-Rossler-0"
    plan = plan_of(3, systems={"list": [name]}, parameter_sets=1, initial_conditions=1)
    generate_shard(plan, tmp_path, 0)
    shard = Shard(tmp_path / plan["folder"] / "shard-0000.arrow")
    system = load_system(name)
    assert len(shard) > 1
    for i in range(len(shard)):
        np.testing.assert_array_equal(shard.get("parameters", i), system.redraw(shard.get("attempt", i)))


def test_the_exponent_decides_last_and_is_kept(tmp_path):
    plan = plan_of(
        2, systems={"list": ["Lorenz", "Torus"]}, parameter_sets=1, initial_conditions=1,
        validity={"lyapunov_sign": {"min_z": 2.0}, "boundedness": {}}, lyapunov={"periods": 20, "transient_periods": 5},
    )  # fmt: skip
    generate_shard(plan, tmp_path, 0)
    shard = Shard(tmp_path / plan["folder"] / "shard-0000.arrow")
    told = [json.loads(shard.get("verdicts", i)) for i in range(len(shard))]
    assert told[0]["lyapunov_sign"]["passed"]
    assert told[0]["lyapunov_sign"]["statistic"] == pytest.approx(
        shard.get("lyapunov", 0) / shard.get("lyapunov_standard_error", 0)
    )
    assert [t["lyapunov_sign"]["passed"] for t in told[1:]] == [False, False]
    assert shard.get("lyapunov", 1) is not None


def test_references_are_the_default_and_the_undriven_system(tmp_path):
    def told(i):
        return json.loads(shard.get("verdicts", i))

    plan = plan_of(
        2, systems={"list": ["Lorenz", "skew-activated-Chua-Aizawa-0"]}, parameter_sets=2, initial_conditions=1,
        perturb={"scale": 0.01, "ignore": 0.0},
        sampling={"points_per_period": 50, "length": 1200, "transient_periods": 8},
        validity={"same_attractor": {"max_scale": 1.5, "same_kind": False}, "boundedness": {}},
    )  # fmt: skip
    generate_shard(plan, tmp_path, 0)
    shard = Shard(tmp_path / plan["folder"] / "shard-0000.arrow")
    ids = [shard.get("trajectory_id", i) for i in range(len(shard))]
    assert "same_attractor" not in told(ids.index("Lorenz-p0-i0"))
    perturbed = told(ids.index("Lorenz-p1-i0"))["same_attractor"]
    assert perturbed["passed"]
    assert 1 <= perturbed["statistic"] < 1.5
    assert "same_attractor" in told(next(i for i, t in enumerate(ids) if t.startswith("skew")))


@pytest.mark.parametrize(
    ("attempts", "told"),
    [
        ({"per_specimen": 0.5}, "at least 1"),
        ({"per_specimen": 3}, "attempts.judge"),
        ({"per_specimn": 3}, "'per_specimen'"),
        ({"per_specimen": 2, "judge": {"_target_": "strangecast.data.judging.judge"}, "budget": -1}, "not negative"),
    ],
)
def test_mistakes_are_named(attempts, told):
    with pytest.raises(ConfigError, match=told):
        Recipe.from_config(many_plan(attempts=attempts)["config"])


# Restarts


def test_a_restart_follows_saved_parameters_from_new_initial_conditions(tried, tmp_path_factory):
    root, plan, rows = tried
    again = many_plan(
        "again", **STRONG | {"initial_conditions": 3}, restart={"folder": plan["folder"], "first_ic": 2},
        split={"by": "initial_condition", "train": 1, "validation": 1, "test": None},
    )  # fmt: skip
    dataset = make(again, root)
    found = read_parquet(root / again["folder"] / "manifest.parquet", MANIFEST).to_pylist()
    accepted = {}
    for r in rows:
        if r["accepted"]:
            accepted.setdefault((r["system"], r["parameter_index"]), r)
    assert {(r["system"], r["parameter_index"]) for r in found} == set(accepted)
    assert {r["ic_index"] for r in found} == {2, 3, 4}
    for r in found:
        source = accepted[r["system"], r["parameter_index"]]
        theirs = Shard(root / plan["folder"] / source["shard"]).get("parameters", source["row"])
        assert Shard(root / again["folder"] / r["shard"]).get("parameters", r["row"]) == theirs
    assert {s.trajectory_id for s in dataset.segments("train")}.isdisjoint({r["trajectory_id"] for r in rows})


def test_a_restart_of_defaults_continues_the_enumeration(tmp_path):
    common = {"systems": {"list": ["Lorenz", "MackeyGlass"]}, "parameter_sets": 1, "shard_size": 20}
    first, more = many_plan("first", **common), many_plan("more", **common | {"initial_conditions": 4})
    by = {"by": "initial_condition", "train": None, "validation": 0, "test": 1}
    make(first | {"config": first["config"] | {"split": by}}, tmp_path)
    make(more | {"config": more["config"] | {"split": by}}, tmp_path)
    rest = many_plan("rest", **common, restart={"folder": "data/first", "first_ic": 2}, split=by)
    make(rest, tmp_path)
    whole = {r["trajectory_id"]: r["sha256"] for r in manifest(tmp_path, "more")}
    assert {r["trajectory_id"]: r["sha256"] for r in manifest(tmp_path, "rest")} == {
        t: sha for t, sha in whole.items() if t.endswith(("i2", "i3"))
    }


def manifest(root, name):
    return read_parquet(root / f"data/{name}/manifest.parquet", MANIFEST).to_pylist()


def test_a_restart_of_nothing_is_told(tmp_path):
    plan = many_plan(restart={"folder": "data/absent", "first_ic": 2})
    with pytest.raises(ResultsError, match=r"manifest.parquet does not exist; run the rule"):
        generate_shard(plan, tmp_path, 0)


@pytest.mark.parametrize("size", [1e-200, 1e-320, 1e150])
def test_values_of_any_size_get_a_verdict(size):
    validity = Registry().option("dataset", "skew", "full")["validity"]
    t = np.arange(2000) * 0.1
    values = size * np.stack([np.sin(t) + np.sin(1.7 * t), np.cos(t)], axis=1)
    told, _ = judge_row(values, True, 2000, validity, "x", lambda: (None, None), None)
    assert set(json.loads(told)) >= {"integration", "boundedness", "limit_cycle", "zero_one"}
