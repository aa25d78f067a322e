"""Trajectories to be looked at one by one."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.analyses.generated import Generated
from strangecast.analyses.shown import of_dataset, simulated
from strangecast.core.errors import ConfigError
from strangecast.data.generate import make_row
from strangecast.data.recipe import Recipe
from strangecast.systems.roster import Specimen
from strangecast.workflow.compose import Registry
from tests.unit.simulated import Attempt, SimulatedDataset, curve


@pytest.fixture(scope="module")
def config():
    config = Registry().option("dataset", "dysts_all", "smoke")
    return config | {"sampling": config["sampling"] | {"length": 600}, "lyapunov": None}


def test_parameter_sets_come_before_further_trajectories(tmp_path):
    attempts = [
        Attempt("Lorenz", ic_index=1), Attempt("Lorenz"), Attempt("Rossler"),
        Attempt("Lorenz", parameter_index=2, failed=("stationarity", "boundedness")),
        Attempt("Lorenz", parameter_index=1, failed=("boundedness",)), Attempt("Lorenz", parameter_index=1, attempt=1),
        Attempt("Lorenz", parameter_index=3, kept=False, failed=("boundedness",)),
    ]  # fmt: skip
    made = SimulatedDataset(tmp_path, "d", attempts).write()
    generated = Generated("d", made.folder, made.plan["config"])
    shown = of_dataset(generated, "Lorenz")
    assert [s.trajectory_id for s in shown] == [
        "Lorenz-p0-i0", "Lorenz-p1-i0-a1", "Lorenz-p2-i0", "Lorenz-p0-i1", "Lorenz-p1-i0",
    ]  # fmt: skip
    assert shown[2].reasons == ("boundedness", "stationarity")
    np.testing.assert_array_equal(shown[0].values, curve(Attempt("Lorenz"), 3))
    assert shown[0].channels == ("x", "y", "z")
    assert shown[0].lyapunov == 0.5
    assert len(of_dataset(generated, "Lorenz", most=2)) == 2
    assert shown[0].portrait.points.shape == (240, 3)


def test_what_is_simulated_is_what_a_dataset_would_hold(config):
    shown = simulated("Rossler", config)
    assert [s.trajectory_id for s in shown] == ["Rossler-p0-i0", "Rossler-p0-i1"]
    recipe = Recipe.from_config(config | {"systems": None, "system": "Rossler", "initial_conditions": 2})
    row = make_row(recipe, Specimen("Rossler", 0, 1))
    np.testing.assert_array_equal(shown[1].values.reshape(-1), row["values"])
    assert shown[1].dt == row["dt"]
    assert shown[1].lyapunov is None


def test_a_delay_flow_is_shown_against_its_own_delay(config):
    (one,) = simulated("MackeyGlass", config, 1)
    assert one.values.shape[1] == 1
    assert one.portrait.axes == "x(t), x(t - lag)"
    assert 1 < one.lag <= 200


def test_unknown_systems_are_refused(config):
    with pytest.raises(ConfigError, match="did you mean 'Lorenz'"):
        simulated("Lorentz", config)
