"""Shards: the same bits alone, in a batch and in any order."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.core.hashing import array_digest, file_digest
from strangecast.core.tables import read_labels
from strangecast.data.generate import generate_shard, make_row
from strangecast.data.recipe import Recipe
from strangecast.data.shards import Shard
from strangecast.systems.load import load_system
from strangecast.systems.roster import Specimen

from .conftest import CONFIG, dataset_plan, make


def test_one_trajectory_alone_equals_the_stored_one(made):
    root, plan, _ = made
    shard = Shard(root / plan["folder"] / "shard-0001.arrow")
    alone = make_row(Recipe.from_config(CONFIG), Specimen("Lorenz", 0, 6))
    assert alone["trajectory_id"] == shard.get("trajectory_id", 1) == "Lorenz-p0-i6"
    assert alone["sha256"] == shard.get("sha256", 1)
    np.testing.assert_array_equal(alone["values"].reshape(320, 3), shard.values(1))


def test_shards_in_reverse_order_have_the_same_bytes(made, tmp_path):
    root, plan, _ = made
    for shard in (1, 0):
        generate_shard(plan, tmp_path, shard)
    for name in plan["shards"]:
        assert file_digest(tmp_path / plan["folder"] / name) == file_digest(root / plan["folder"] / name)


def test_another_shard_size_has_the_same_trajectories(made, tmp_path):
    _, _, dataset = made
    other = make(dataset_plan(shard_size=8), tmp_path)
    assert other.segments("test") == dataset.segments("test")
    assert all(other.sha256(s.trajectory_id) == dataset.sha256(s.trajectory_id) for s in other.segments("train"))
    # but a job that reads it need not notice
    assert other.content == dataset.content


def test_what_a_shard_says(made):
    root, plan, dataset = made
    path = root / plan["folder"] / "shard-0000.arrow"
    shard = Shard(path)
    system = load_system("Lorenz")
    assert len(shard) == 5
    assert replace(shard.spec, context_range=(1, 64)) == dataset.spec
    assert read_labels(path)["rule"] == "generate"
    assert dataset.spec.dt == shard.get("dt", 0) == system.period / 50
    assert dataset.spec.parameters == ("beta", "rho", "sigma")
    assert shard.get("parameters", 0) == system.values.tolist()
    assert re.fullmatch(r"lanes dop853 \w+ rtol=1e-09 atol=1e-10: finished", shard.get("solver", 0))
    assert shard.get("status", 0) == "finished"
    assert shard.get("evaluations", 0) > 1000
    assert shard.get("parents", 0) == []
    np.testing.assert_array_equal(shard.get("initial_condition", 0), shard.values(0)[0])
    assert shard.get("sha256", 2) == array_digest(shard.values(2))
    error = shard.get("lyapunov_standard_error", 0)
    assert abs(dataset.spec.lyapunov - 0.906) < 4 * error


def test_trajectories_solve_the_equations(made):
    _, _, dataset = made
    values = dataset.values("Lorenz-p0-i0")
    dt = dataset.spec.dt
    system = load_system("Lorenz")
    slope = (8 * (values[3:-1] - values[1:-3]) - (values[4:] - values[:-4])) / (12 * dt)
    exact = system.rhs(0.0, values[2:-2], system.values)
    # fourth-order differences on 50 samples per turn are good to about 1 %
    assert np.abs(slope - exact).max() < 0.03 * np.abs(exact).max()


def test_observed_channels_are_kept_beside_the_state(tmp_path):
    plan = dataset_plan("d", system="Duffing", initial_conditions=7, shard_size=7, lyapunov=None)
    dataset = make(plan, tmp_path)
    name = dataset.segments("test")[0].trajectory_id
    values, state = dataset.values(name), dataset.state(name)
    assert values.shape == state.shape == (320, 3)
    np.testing.assert_allclose(values[:, 2], np.cos(state[:, 2]), atol=1e-12)
    assert np.abs(state[:, 2]).max() > 10
    assert dataset.spec.lyapunov is None


def test_a_failed_integration_is_stored_with_its_status(tmp_path):
    plan = dataset_plan(solver={"name": "dop853", "limit": 30.0}, initial_conditions=2, lyapunov=None)
    generate_shard(plan, tmp_path, 0)
    shard = Shard(tmp_path / plan["folder"] / "shard-0000.arrow")
    assert shard.get("solver", 0).endswith(": diverged in the transient")
    assert shard.values(0).shape == (0, 3)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sampling": {"points_per_perod": 50, "length": 10, "transient_periods": 1}}, "'points_per_period'"),
        ({"sampling": {"points_per_period": 50, "length": 1, "transient_periods": 1}}, "length"),
        ({"lyapunov": {"period": 3}}, "'periods'"),
        ({"system": "Lorentz"}, "'Lorenz'"),
        ({"initial_conditions": 0}, "at least 1"),
    ],
)
def test_config_mistakes_are_named(changes, told, tmp_path):
    plan = dataset_plan() | {"config": CONFIG | {"lyapunov": None} | changes}
    with pytest.raises(ConfigError, match=told):
        generate_shard(plan, tmp_path, 0)


def test_exponent_is_null_where_it_cannot_be_measured(tmp_path):
    plan = dataset_plan(solver={"name": "dop853", "limit": 30.0}, initial_conditions=1)
    generate_shard(plan, tmp_path, 0)
    shard = Shard(tmp_path / plan["folder"] / "shard-0000.arrow")
    assert shard.get("lyapunov", 0) is None
    assert shard.spec.lyapunov is None
    assert not any(isinstance(v, float) and math.isnan(v) for v in shard.spec.to_json().values())
