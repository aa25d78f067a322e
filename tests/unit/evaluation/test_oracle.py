"""An emulator that is given the true state and the true system passes the whole line, and nothing beats it."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import DataError
from strangecast.core.schemas import COMPARISONS
from strangecast.core.tables import read_parquet
from strangecast.data.windows import Windows
from strangecast.emulators.base import Emulator
from strangecast.evaluation.check import check_results
from strangecast.evaluation.contexts import batches_alike, context_of
from strangecast.evaluation.forecast import forecast_block, forecast_windows
from strangecast.evaluation.metric_option import higher_is_better
from tests.unit.evaluation.oracle import FLOWS, Oracle, make_world, oracle_plan
from tests.unit.evaluation.synthetic import METRICS, evaluate

NEEDS = Oracle.can.needs


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(root, study plan) of three flows, the oracle, persistence and climatology, evaluated."""
    root = tmp_path_factory.mktemp("oracle") / "results" / "smoke"
    study, made = make_world(root)
    evaluate(root, study, made)
    return root, study


@pytest.fixture(scope="module")
def windows(world):
    return Windows.open(world[0], "suites/waves")


def test_the_oracle_beats_everything_in_everything(world):
    root, study = world
    table = read_parquet(root / "ripples" / "comparisons.parquet", COMPARISONS).to_pandas()
    pairs = table[(table["label"] == "Oracle") & table["peer"].notna()]
    assert set(pairs["metric"]) == set(METRICS)
    assert set(pairs["peer"]) == {"Persistence", "Climatology"}
    assert (pairs["superiority"] == 1.0).all()
    alone = table[(table["label"] == "Oracle") & table["peer"].isna()].set_index(["metric", "horizon"])["median"]
    assert alone["nrmse"].max() < 1e-4
    for metric in METRICS:
        sign = 1 if higher_is_better(metric, study["metrics"][metric]) else -1
        assert (sign * pairs.loc[pairs["metric"] == metric, "low"] > 0).all()
    assert check_results([study], root) == []


def test_every_flow_was_forecast_with_its_own_parameters(windows):
    rows = windows.rows("Lorenz")
    assert len({p.tobytes() for p in windows.parameters(rows)}) == 2  # two test trajectories
    truth = windows.truth(rows)[0]
    found = np.stack(forecast_windows(Oracle(), windows, [rows], 4, needs=NEEDS)[0])
    assert np.abs(found - truth).max() < 1e-3 * truth.std()


def test_batches_hold_one_system_and_one_number_of_parameters(windows):
    together = batches_alike(windows, {"m": FLOWS}, NEEDS)
    assert [set(windows.table["dataset"].iloc[p["m"]]) for p in together] == [{n} for n in FLOWS]
    blind = batches_alike(windows, {"m": FLOWS})
    assert [set(windows.table["dataset"].iloc[p["m"]]) for p in blind] == [{"Lorenz", "Rossler"}, {"Halvorsen"}]
    given = [context_of(windows, p["m"][None], "cpu")[0] for p in blind]
    assert [c.parameters.shape[2] for c in given] == [3, 2]
    assert all(c.system is None and c.state is None for c in given)
    for part, context in zip(blind, given, strict=True):
        assert (context.parameters[0].numpy() == windows.parameters(part["m"])).all()


def test_members_of_one_system_each_stand_side_by_side_with_a_system_each(windows):
    """As gray-box models trained on one flow each would."""
    parts = batches_alike(windows, {"a": ["Lorenz"], "b": ["Rossler"], "c": ["Halvorsen"], "d": FLOWS}, NEEDS)
    assert [set(p) for p in parts] == [{"a", "b"}, {"c"}, {"d"}, {"d"}, {"d"}]
    context, times = context_of(windows, np.stack([parts[0]["a"], parts[0]["b"]]), "cpu", NEEDS)
    assert [s.name for s in context.system] == ["Lorenz", "Rossler"]
    assert context.state.shape == (2, len(parts[0]["a"]), 3)
    assert times.shape[:2] == context.state.shape[:2]
    for s, name in enumerate(("Lorenz", "Rossler")):
        assert (context.state[s].numpy() == windows.state(windows.rows(name))).all()
        assert (context.state[s].numpy() == windows.truth(windows.rows(name))[0][:, 0]).all()


def test_members_of_the_same_flow_share_it(windows):
    seen = []

    class Watch(Emulator):
        def forecast(self, context, times, *, samples=None, rng=None):
            seen.append(context.system.name)
            return context.values[:, :, -1:].expand(2, -1, times.shape[2], -1)

    rows = windows.rows("Halvorsen")
    specs = (windows.spec("Halvorsen"),) * 2
    forecast_windows(Watch(specs), windows, [rows, rows], 4, needs=["vector_field"])
    assert seen == ["Halvorsen"]


def test_data_without_equations_are_named(built):
    with pytest.raises(
        DataError, match="needs the vector field of the system, and 'waves-A' is data without equations"
    ):
        forecast_block(oracle_plan(), built.root, "waves", device="cpu")


def test_what_a_system_lacks_is_named(windows):
    rows = windows.rows("Lorenz")[None]
    with pytest.raises(DataError, match="needs the magic wand of the system, which Lorenz does not have"):
        context_of(windows, rows, "cpu", ["state", "magic_wand"])
