"""Manifests and splits."""

from __future__ import annotations

import copy
import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangecast.core.errors import ConfigError, DataError
from strangecast.core.schemas import MANIFEST
from strangecast.core.tables import read_labels, read_parquet
from strangecast.data.divisions import divide
from strangecast.data.filtering import filter_dataset, judge
from strangecast.data.generate import spec_of
from strangecast.data.judging import judge_row
from strangecast.data.parts import PARTS
from strangecast.data.splits import split_dataset
from strangecast.data.store import Dataset
from strangecast.data.trajectories import row, write_shard
from strangecast.systems.load import load_system
from strangecast.systems.validity.panel import Known

from .conftest import dataset_plan


def assign(lengths, split, gap, name):
    return divide([{"length": n, "parameter_index": 0} for n in lengths], split, gap, name)


def shard_of(root, plan, arrays, statuses=None):
    """A shard of given arrays [T, 3] as if Lorenz had made them."""
    system = load_system("Lorenz")
    statuses = statuses or ["finished"] * len(arrays)
    rows = [
        row(f"Lorenz-p0-i{i}", "Lorenz", a, dt=0.03, ic_index=i, solver=f"dop853: {s}")
        for i, (a, s) in enumerate(zip(arrays, statuses, strict=True))
    ]
    write_shard(root / plan["folder"] / plan["shards"][0], rows, spec_of(system, 0.03, 0.9))


@pytest.fixture
def mixed(made, tmp_path):
    """A plan whose eight trajectories hold a constant, a cycle, a NaN and one cut short."""
    _, _, dataset = made
    good = [np.array(dataset.values(f"Lorenz-p0-i{i}")) for i in range(4)]
    t = np.arange(320) * 0.2
    broken = good[0].copy()
    broken[3] = np.nan
    arrays = [good[0], np.ones((320, 3)), good[1], np.stack([np.cos(t), np.sin(t), np.cos(2 * t)], 1), good[2], broken]
    plan = dataset_plan(shard_size=8, split={"by": "initial_condition", "train": 1, "validation": 1, "test": 1})
    shard_of(tmp_path, plan, [*arrays, good[3][:100]], ["finished"] * 6 + ["budget exhausted"])
    return plan, tmp_path


def test_reasons_and_verdicts_are_kept(mixed):
    plan, root = mixed
    filter_dataset(plan, root)
    rows = read_parquet(root / plan["folder"] / "manifest.parquet", MANIFEST).to_pylist()
    assert [r["accepted"] for r in rows] == [True, False, True, False, True, False, False]
    assert [r["reasons"] for r in rows if not r["accepted"]] == [
        ["boundedness", "fixed_point"],
        ["limit_cycle"],
        ["boundedness", "fixed_point", "limit_cycle"],
        ["integration"],
    ]
    cut = json.loads(rows[6]["verdicts"])["integration"]
    assert cut == {"passed": False, "statistic": 100.0, "threshold": 320.0}
    named = json.loads(rows[1]["verdicts"])["boundedness"]
    assert named["note"] == "channel 0, channel 1, channel 2 constant at 1"
    assert set(json.loads(rows[0]["verdicts"])) == {"integration", "boundedness", "fixed_point", "limit_cycle"}


def test_the_first_valid_ones_fill_the_split(mixed):
    plan, root = mixed
    filter_dataset(plan, root)
    split_dataset(plan, root)
    dataset = Dataset.open(root / plan["folder"])
    assert [dataset.segments(p)[0].trajectory_id for p in PARTS] == ["Lorenz-p0-i0", "Lorenz-p0-i2", "Lorenz-p0-i4"]


def test_too_few_valid_ones_are_counted_with_reasons(mixed):
    plan, root = mixed
    plan = copy.deepcopy(plan)
    plan["config"]["split"]["test"] = 3
    told = r"3 of 7 .* needs 5 .*boundedness 2.*fixed_point 2.*integration 1.*limit_cycle 2"
    with pytest.raises(DataError, match=told):
        filter_dataset(plan, root)


def test_unknown_tests_and_thresholds(smooth):
    with pytest.raises(ConfigError, match="'boundedness'"):
        judge(smooth, {"bounded": {}})
    with pytest.raises(ConfigError, match="max_x"):
        judge(smooth, {"boundedness": {"max_x": 3}})
    assert judge(smooth, {"boundedness": None}) == {}


def judged(root, plan, rows):
    write_shard(root / plan["folder"] / plan["shards"][0], rows, spec_of(load_system("Lorenz"), 0.03, 0.9))
    filter_dataset(plan, root)
    manifest = read_parquet(root / plan["folder"] / "manifest.parquet", MANIFEST).to_pylist()
    return [(r["reasons"], json.loads(r["verdicts"])) for r in manifest]


def test_random_numbers_are_keyed_by_trajectory_and_exponents_reach_their_test(made, tmp_path):
    values = np.array(made[2].values("Lorenz-p0-i0"))
    plan = dataset_plan(
        shard_size=8,
        validity={"zero_one": {"min_growth": 0.9}, "lyapunov_sign": {}},
        split={"by": "initial_condition", "train": 1, "validation": 0, "test": 0},
    )
    solver = "dop853: finished"
    rows = [
        row("Lorenz-p0-i0", "Lorenz", values, dt=0.03, solver=solver, lyapunov=0.9, lyapunov_standard_error=0.01),
        row("Lorenz-p0-i1", "Lorenz", values, dt=0.03, solver=solver, lyapunov=0.9, lyapunov_standard_error=0.8),
        row("Lorenz-p0-i0", "Lorenz", values, dt=0.03, solver=solver),
    ]
    (first, one), (second, two), (_, three) = judged(tmp_path, plan, rows)
    assert "lyapunov_sign" not in first
    assert "lyapunov_sign" in second
    assert one["lyapunov_sign"]["statistic"] == pytest.approx(90)
    assert (
        one["zero_one"]
        == three["zero_one"]
        == judge(values, plan["config"]["validity"], Known(("Lorenz-p0-i0",)))["zero_one"].to_json()
    )
    assert one["zero_one"]["statistic"] != two["zero_one"]["statistic"]


def test_perturbed_parameters_are_held_against_the_default_ones(made, tmp_path):
    values, t = np.array(made[2].values("Lorenz-p0-i0")), np.arange(320) * 0.2
    plan = dataset_plan(
        shard_size=8,
        validity={"same_attractor": {"max_scale": 5.0}},
        split={"by": "initial_condition", "train": 1, "validation": 0, "test": 0},
    )

    def rows(*indices):
        series = [values, 3 * values, 30 * values, np.stack([np.cos(t), np.sin(t), np.cos(2 * t)], 1)]
        return [
            row(f"Lorenz-p{i}-i0", "Lorenz", series[i], dt=0.03, solver="dop853: finished", parameter_index=i)
            for i in indices
        ]

    (_, own), (near, _), (far, _), (other, told) = judged(tmp_path, plan, rows(0, 1, 2, 3))
    assert set(own) == {"integration"}
    assert (near, far, other) == ([], ["same_attractor"], ["same_attractor"])
    assert told["same_attractor"]["note"].startswith("limit cycle instead of chaotic")
    # Without a reference the test does not apply, as where generation judges.
    for reasons, verdicts in judged(tmp_path, plan, rows(1, 2)):
        assert reasons == []
        assert set(verdicts) == {"integration"}


def test_one_system_without_a_reference_leaves_the_others_theirs(made, tmp_path):
    values = np.array(made[2].values("Lorenz-p0-i0"))
    limits = {"same_attractor": {"max_scale": 5.0}}
    plan = dataset_plan(
        shard_size=8, validity=limits, split={"by": "initial_condition", "train": 1, "validation": 0, "test": 0}
    )

    def series(system, i, factor, status="finished"):
        return row(f"{system}-p{i}-i0", system, factor * values, dt=0.03, solver=f"dop853: {status}", parameter_index=i)

    rows = [
        series("Lorenz", 0, 1),
        series("Lorenz", 1, 30),
        series("Burst", 0, 1, "budget exhausted"),
        series("Burst", 1, 30),
    ]
    found = judged(tmp_path, plan, rows)
    assert [reasons for reasons, _ in found] == [[], ["same_attractor"], ["integration"], []]
    assert ["same_attractor" in verdicts for _, verdicts in found] == [False, True, False, False]
    told, passed = judge_row(30 * values, True, len(values), limits, "Burst-p1-i0", lambda: (None, None), None)
    assert (json.loads(told), passed) == (found[3][1], True)


@given(st.integers(3000, 9000), st.integers(1, 400), st.integers(1, 3))
def test_blocks_in_time_keep_their_distance(length, gap, n):
    split = {"by": "time", "train": 0.5, "validation": 0.2, "test": 0.3}
    segments = assign([length] * n, split, gap, "d")
    for i in range(n):
        own = [s for s in segments if s[0] == i]
        assert [s[1] for s in own] == list(PARTS)
        assert own[0][2] == 0
        assert own[-1][3] == length
        for (_, _, start, stop), (_, _, following, _) in pairwise(own):
            assert stop > start
            assert following - stop == gap
        assert own[-1][3] - own[-1][2] >= gap


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_initial_conditions_are_in_one_split_only(train, validation, test):
    split = {"by": "initial_condition", "train": train, "validation": validation, "test": test}
    segments = assign(list(range(100, 115)), split, 10, "d")
    assert [s[0] for s in segments] == list(range(train + validation + test))
    assert [s[1] for s in segments] == ["train"] * train + ["validation"] * validation + ["test"] * test


@pytest.mark.parametrize(
    ("split", "error", "told"),
    [
        ({"by": "initial_condition", "train": 3, "validation": 1, "test": 1}, DataError, "needs 5 trajectories, 4"),
        ({"by": "time", "train": 0.5, "validation": 0.2, "test": 0.2}, ConfigError, "add up to 1"),
        ({"by": "time", "train": 0.7, "validation": 0.1, "test": 0.2}, DataError, "samples are needed"),
        ({"by": "systems"}, ConfigError, "initial_condition"),
        ({"by": "system", "test": ["Lorenz"]}, ConfigError, "split one system"),
        ({"by": "parameter", "train": 1, "validation": 1, "test": 0}, DataError, "needs 2 parameter sets, 1"),
    ],
)
def test_splits_that_cannot_work(split, error, told):
    with pytest.raises(error, match=told):
        assign([300] * 4, split, 100, "d")


def test_needed_length_in_the_message_suffices():
    split = {"by": "time", "train": 0.7, "validation": 0.1, "test": 0.2}
    assign([2 * 100 + 501], split, 100, "d")
    with pytest.raises(DataError, match="701 samples are needed"):
        assign([699], split, 100, "d")


def test_content_tells_what_a_job_would_read(made, tmp_path):
    root, plan, dataset = made
    shutil.copytree(root / plan["folder"], tmp_path / plan["folder"])
    again = copy.deepcopy(plan)
    split_dataset(again, tmp_path)
    assert Dataset.open(tmp_path / plan["folder"]).content == dataset.content
    for change in ({"noise": 0.1}, {"split": {"by": "initial_condition", "train": 2, "validation": 2, "test": 2}}):
        split_dataset(again | {"config": plan["config"] | change}, tmp_path)
        assert Dataset.open(tmp_path / plan["folder"]).content != dataset.content


def test_the_context_range_comes_from_the_window_and_is_no_content(made, tmp_path):
    root, plan, dataset = made
    assert dataset.spec.context_range == (1, 64)
    shutil.copytree(root / plan["folder"], tmp_path / plan["folder"])
    split_dataset(plan | {"config": plan["config"] | {"window": plan["config"]["window"] | {"context": 48}}}, tmp_path)
    again = Dataset.open(tmp_path / plan["folder"])
    assert again.spec.context_range == (1, 48)
    assert again.content == dataset.content
    for name in ("shard-0000.arrow", "manifest.parquet"):
        assert "context_range" not in json.loads(read_labels(tmp_path / plan["folder"] / name)["spec"])
