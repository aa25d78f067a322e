"""A dataset of many systems from end to end: flows, a driven one, a delay flow and skew products in one folder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from strangecast.core.errors import ConfigError, DataError
from strangecast.core.hashing import file_digest
from strangecast.core.schemas import MANIFEST
from strangecast.core.spec import Spec
from strangecast.core.tables import read_labels, read_parquet
from strangecast.data.acceptance import acceptance, write_acceptance
from strangecast.data.generate import generate_shard, make_row, spec_of
from strangecast.data.recipe import Recipe
from strangecast.data.shards import Shard
from strangecast.data.windows import Windows, build_windows
from strangecast.systems.integrate import Solver, integrate
from strangecast.systems.load import load_system
from strangecast.systems.roster import Roster, parents_of

from .conftest import make, suite_plan
from .many import many_plan


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    plan = many_plan(lyapunov={"periods": 10, "transient_periods": 5})
    dataset = make(plan, root)
    build_windows(suite_plan(plan), root)
    return root, plan, dataset


def rows_of(root, plan):
    return read_parquet(root / plan["folder"] / "manifest.parquet", MANIFEST).to_pylist()


def test_one_row_for_every_specimen_in_their_order(many):
    root, plan, _ = many
    rows, roster = rows_of(root, plan), Roster.from_config(plan["config"])
    assert [r["trajectory_id"] for r in rows] == [s.trajectory_id for s in roster]
    assert len(rows) == 36
    assert [r["shard"] for r in rows] == [f"shard-{i // 7:04d}.arrow" for i in range(36)]
    for r in rows:
        system = load_system(r["system"])
        assert r["channels"] == len(system.channels)
        assert r["dt"] == pytest.approx(system.period / 50)
        assert tuple(r["parents"]) == parents_of(r["system"])
        assert (r["attempt"], r["status"]) == (0, "finished") or not r["accepted"]
        assert r["evaluations"] > 0
    assert {r["channels"] for r in rows} == {1, 3, 4}
    lorenz = [r for r in rows if r["system"] == "Lorenz"]
    assert lorenz[0]["lyapunov"] == lorenz[1]["lyapunov"] != lorenz[2]["lyapunov"]
    assert all(r["lyapunov_standard_error"] > 0 for r in lorenz)


def test_any_trajectory_alone_has_the_same_bits(many):
    root, plan, _ = many
    recipe = Recipe.from_config(plan["config"])
    shards = {}
    for number, (r, specimen) in enumerate(zip(rows_of(root, plan), recipe.roster, strict=True)):
        if number % 5 and r["system"] != "MackeyGlass":
            continue
        shard = shards.setdefault(r["shard"], Shard(root / plan["folder"] / r["shard"]))
        alone = make_row(recipe, specimen)
        assert alone["sha256"] == r["sha256"]
        assert alone["parameters"].tolist() == shard.get("parameters", r["row"])
        assert alone["evaluations"] == r["evaluations"]


def test_a_shard_alone_and_in_another_order_has_the_same_bytes(many, tmp_path):
    root, plan, _ = many
    for number in (4, 1):
        generate_shard(plan, tmp_path, number)
        name = plan["shards"][number]
        assert file_digest(tmp_path / plan["folder"] / name) == file_digest(root / plan["folder"] / name)


def test_another_shard_size_and_a_shorter_roster_have_the_same_trajectories(many, tmp_path):
    root, plan, _ = many
    of = {r["trajectory_id"]: r["sha256"] for r in rows_of(root, plan)}
    fewer = many_plan(systems={"list": ["Duffing", "HyperPang"]}, shard_size=3)
    generate_shard(fewer, tmp_path, 1)
    shard = Shard(tmp_path / fewer["folder"] / "shard-0001.arrow")
    assert [shard.get("trajectory_id", i) for i in range(3)] == ["Duffing-p1-i1", "HyperPang-p0-i0", "HyperPang-p0-i1"]
    assert all(shard.get("sha256", i) == of[shard.get("trajectory_id", i)] for i in range(3))


def test_specs(many):
    root, plan, dataset = many
    assert dataset.many
    assert (dataset.spec.system, dataset.spec.channels, dataset.spec.dt, dataset.spec.parameters) == ("", (), None, ())
    for segment in dataset.segments("train") + dataset.segments("test"):
        tid = segment.trajectory_id
        system = load_system(dataset.system(tid))
        expected = replace(
            spec_of(system, dataset.dt(tid), dataset.lyapunov(tid)), context_range=dataset.spec.context_range
        )
        assert dataset.spec_of(tid) == expected
        assert dataset.values(tid).shape == (320, expected.C)
        assert len(dataset.parameters(tid)) == len(expected.parameters)
        assert np.diff(dataset.times(tid)) == pytest.approx(expected.dt)
    assert "context_range" not in read_labels(root / plan["folder"] / "shard-0000.arrow")["spec"]


def test_states_of_skew_products_hold_driver_and_response(many):
    _, _, dataset = many
    tid = next(s.trajectory_id for s in dataset.segments("test") if dataset.system(s.trajectory_id).startswith("skew"))
    system = load_system(dataset.system(tid))
    state, parameters = dataset.state(tid), dataset.parameters(tid)
    assert state.shape == (320, system.dim)
    np.testing.assert_array_equal(system.observe(state, parameters), dataset.values(tid))
    path = integrate(system.bind(parameters), state[0].copy(), dataset.times(tid)[:20], Solver(rtol=1e-11, atol=1e-12))
    np.testing.assert_allclose(path.states, state[:20], rtol=1e-5, atol=1e-5)


def test_a_skew_product_is_tested_where_a_parent_is(many):
    _, _, dataset = many
    parts = {part: {dataset.system(s.trajectory_id) for s in dataset.segments(part)} for part in ("train", "test")}
    assert "Thomas" in parts["test"]
    for part, systems in parts.items():
        for system in systems:
            assert ("Thomas" in {system, *parents_of(system)}) == (part == "test")
    assert any(s.startswith("skew") for s in parts["test"])
    assert {dataset.system(s.trajectory_id) for s in dataset.segments("validation")} == parts["train"]
    ids = [s.trajectory_id for part in ("train", "validation", "test") for s in dataset.segments(part)]
    assert len(ids) == len(set(ids))


def test_climates_are_of_the_system(many):
    _, _, dataset = many
    trained = [
        dataset.values(s.trajectory_id) for s in dataset.segments("train") if s.trajectory_id.startswith("Lorenz-")
    ]
    np.testing.assert_array_equal(dataset.climate_of("Lorenz")[0], np.concatenate(trained).mean(axis=0))
    held_out = [
        dataset.values(s.trajectory_id) for s in dataset.segments("test") if s.trajectory_id.startswith("Thomas-")
    ]
    np.testing.assert_array_equal(dataset.climate_of("Thomas")[1], np.concatenate(held_out).std(axis=0))
    with pytest.raises(DataError, match="each with a climate of its own"):
        _ = dataset.climate
    with pytest.raises(DataError, match="did you mean 'Lorenz'"):
        dataset.climate_of("Lorentz")


def test_noise_is_in_units_of_each_system(many):
    _, _, dataset = many
    for segment in dataset.segments("train")[:6]:
        clean, noisy = dataset.observed(segment, 0.0), dataset.observed(segment, 0.1)
        std = dataset.climate_of(dataset.system(segment.trajectory_id))[1]
        np.testing.assert_allclose((noisy - clean).std(axis=0) / std, 0.1, rtol=0.2)


def test_windows_carry_what_belongs_to_their_trajectory(many):
    root, _, dataset = many
    windows = Windows.open(root, "suites/chaos")
    table = windows.table
    assert set(table.system) == {dataset.system(s.trajectory_id) for s in dataset.segments("test")}
    for row in range(len(table)):
        w = table.iloc[row]
        assert w.system == dataset.system(w.trajectory_id)
        assert w["dt"] == dataset.dt(w.trajectory_id)
        assert w.lyapunov == dataset.lyapunov(w.trajectory_id) or np.isnan(w.lyapunov)
        np.testing.assert_array_equal(w.climate_std, dataset.climate_of(w.system)[1])
        assert len(w.climate_mean) == dataset.channels(w.trajectory_id)
    past, times = windows.context(np.array([0, 1]), 8)
    assert past.shape == (2, 8, 3)
    assert np.diff(times[0]) == pytest.approx(table["dt"][0])


def test_a_suite_may_list_its_systems(many):
    root, plan, _ = many
    suite = suite_plan(plan, name="some")
    suite["config"]["systems"] = ["Thomas"]
    build_windows(suite, root)
    assert set(Windows.open(root, "suites/some").table.system) == {"Thomas"}
    suite["config"]["systems"] = ["Lorenz"]
    with pytest.raises(ConfigError, match="no system 'Lorenz'"):
        build_windows(suite, root)


def test_acceptance(many, tmp_path):
    root, plan, _ = many
    rows = rows_of(root, plan)
    table = acceptance(rows)
    first = {r["kind"]: r for r in reversed(table)}
    assert first["all"]["specimens"] == first["all"]["candidates"] == 36
    assert first["all"]["accepted"] == first["all"]["reached"] == sum(r["accepted"] for r in rows)
    assert first["all"]["reason"] == "any"
    assert first["all"]["rejected"] + first["all"]["accepted"] == 36
    assert {k: v["specimens"] for k, v in first.items()} == {
        "all": 36, "flow": 8, "flow, perturbed": 8, "delay": 2, "delay, perturbed": 2, "additive": 4,
        "additive, perturbed": 4, "activated": 4, "activated, perturbed": 4,
    }  # fmt: skip
    write_acceptance(root / plan["folder"], tmp_path / "acceptance.csv")
    lines = (tmp_path / "acceptance.csv").read_text().splitlines()
    assert lines[0] == "kind,specimens,reached,candidates,accepted,reason,rejected,share"
    assert len(lines) == len(table) + 1


def test_reasons_are_counted_with_the_status_of_the_integration():
    def one(accepted, reasons, status="finished", i=0):
        return {
            "system": "Lorenz", "parameter_index": 0, "ic_index": i, "status": status, "accepted": accepted,
            "reasons": reasons,
        }  # fmt: skip

    rows = [
        one(False, ["integration"], "diverged in the transient"),
        one(False, ["zero_one", "stationarity"]),
        one(True, []),
        one(False, ["zero_one"], i=1),
    ]
    found = acceptance(rows)
    assert [(r["reason"], r["rejected"], r["share"]) for r in found] == [
        ("any", 3, 0.75), ("zero_one", 2, 0.5), ("diverged", 1, 0.25), ("stationarity", 1, 0.25),
    ]  # fmt: skip
    assert {(r["kind"], r["specimens"], r["reached"], r["candidates"], r["accepted"]) for r in found} == {
        ("flow", 2, 1, 4, 1)
    }


def test_gaussian_starts_have_no_transient(tmp_path):
    plan = many_plan(
        systems={"list": ["Lorenz", "HyperPang"]}, start={"sampler": "gaussian", "spread": 1e-3}, initial_conditions=40,
        parameter_sets=1, shard_size=80, sampling={"points_per_period": 50, "length": 3, "transient_periods": 4},
    )  # fmt: skip
    generate_shard(plan, tmp_path, 0)
    shard = Shard(tmp_path / plan["folder"] / "shard-0000.arrow")
    for name, first in (("Lorenz", 0), ("HyperPang", 40)):
        starts = np.array([shard.get("initial_condition", first + i) for i in range(40)])
        given = load_system(name).initial_condition
        np.testing.assert_allclose(starts, np.broadcast_to(given, starts.shape), rtol=6e-3)
        assert (starts / given).std() == pytest.approx(1e-3, rel=0.2)
        np.testing.assert_array_equal(shard.values(first)[0], starts[0])


def test_one_system_with_perturbed_sets_is_split_by_them(tmp_path):
    plan = many_plan(
        systems=None, system="Lorenz", parameter_sets=4, split={"by": "parameter", "train": 2, "validation": 1, "test": 1}
    )  # fmt: skip
    dataset = make(plan, tmp_path)
    assert not dataset.many
    assert dataset.spec.system == "Lorenz"
    sets = {p: {s.trajectory_id.split("-")[1] for s in dataset.segments(p)} for p in ("train", "validation", "test")}
    assert sets == {"train": {"p0", "p1"}, "validation": {"p2"}, "test": {"p3"}}
    assert all(len(dataset.segments(p)) == 2 * len(sets[p]) for p in sets)


def test_what_specs_have_in_common():
    lorenz, rossler = (spec_of(load_system(n), 0.1, 0.9) for n in ("Lorenz", "Rossler"))
    assert Spec.common([lorenz, lorenz]) == lorenz
    both = Spec.common([lorenz, replace(rossler, context_range=(4, 64))], "both")
    assert (both.channels, both.dt, both.lyapunov) == (lorenz.channels, 0.1, 0.9)
    assert (both.parameters, both.system, both.context_range) == ((), "both", (4, 64))
    apart = Spec.common([lorenz, spec_of(load_system("HyperPang"), 0.2, None)])
    assert (apart.channels, apart.dt, apart.lyapunov, apart.system) == ((), None, None, "")
    assert Spec.common(iter([lorenz, replace(lorenz, lyapunov=0.8)])).system == "Lorenz"
