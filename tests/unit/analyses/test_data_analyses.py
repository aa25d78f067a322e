"""Analyses of datasets against what was put into their files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from strangecast.analyses.attempts import in_order, kind_of
from strangecast.analyses.gallery import COLUMNS as GALLERY
from strangecast.analyses.gallery import evenly, gallery
from strangecast.analyses.generated import Generated, generated
from strangecast.analyses.job import analyse
from strangecast.analyses.pass_rates import COLUMNS as RATES
from strangecast.analyses.pass_rates import pass_rates
from strangecast.analyses.perturbation_ensemble import COLUMNS as ENSEMBLE
from strangecast.analyses.perturbation_ensemble import perturbation_ensemble
from strangecast.analyses.portraits import portrait
from strangecast.analyses.sampling import COLUMNS as SAMPLING
from strangecast.analyses.sampling import sampling
from strangecast.core.errors import DataError
from strangecast.core.proportions import wilson
from strangecast.core.tables import read_parquet
from tests.unit.simulated import LENGTH, PER_PERIOD, PERIOD, Attempt, SimulatedDataset, curve, three_datasets

NAMES = ["dysts_all", "dysts_perturbed", "skew"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "results" / "smoke"
    three_datasets(folder)
    return folder


@pytest.fixture
def datasets(root):
    return list(generated({"datasets": NAMES}, root))


def test_kinds_come_from_the_catalogue():
    assert kind_of("Lorenz").kind == "flow"
    assert kind_of("MackeyGlass").kind == "delay"
    assert kind_of("ForcedVanDerPol").driven
    assert not kind_of("Chua").smooth
    assert (kind_of("skew-additive-Lorenz-Rossler-0").kind, kind_of("skew-additive-Lorenz-Rossler-0").coupling) == (
        "skew",
        "additive",
    )
    assert kind_of("my-own-pendulum").kind == "recorded"
    assert kind_of("ForcedVanDerPol").unbounded


def test_tests_stand_in_the_order_of_the_panel():
    assert in_order(["zero_one", "other", "integration", "boundedness"]) == [
        "integration", "boundedness", "zero_one", "other",
    ]  # fmt: skip
    assert in_order([]) == []


# Gallery


def test_the_gallery_shows_accepted_then_kept_then_nothing(datasets):
    table = gallery(datasets[:1])
    assert list(table.columns) == GALLERY
    shown = table.groupby("system", sort=False).first()
    assert shown["trajectory_id"].to_dict() == {
        "Lorenz": "Lorenz-p0-i0",
        "ArnoldBeltramiChildress": "ArnoldBeltramiChildress-p0-i0",
        "ForcedVanDerPol": "ForcedVanDerPol-p0-i0",
        "Chua": "Chua-p0-i0",
        "MackeyGlass": "MackeyGlass-p0-i0",
        "HyperRossler": "HyperRossler-p0-i0",
    }
    assert shown.loc["Chua", "reasons"] == "boundedness, stationarity"
    assert not shown.loc["Chua", "accepted"]
    gone = table[table["system"] == "HyperRossler"]
    assert len(gone) == 1
    assert gone[["x", "y", "z"]].isna().all(axis=None)
    assert gone["status"].item() == "diverged in the transient"


def test_a_portrait_holds_the_samples_of_the_file(datasets):
    table = gallery(datasets[:1])
    own = table[table["system"] == "Lorenz"]
    expected = curve(Attempt("Lorenz"), 3).astype(np.float32)
    np.testing.assert_array_equal(own[["x", "y", "z"]].to_numpy(), expected)
    assert own["axes"].unique().tolist() == ["x, y, z"]
    half = gallery(datasets[:1], per_period=PER_PERIOD // 2, points=50)
    half = half[half["system"] == "Lorenz"]
    np.testing.assert_array_equal(half[["x", "y", "z"]].to_numpy(), expected[::2][:50])


def test_drives_and_delays_have_coordinates_of_their_own(datasets):
    table = gallery(datasets[:1]).set_index("system")
    driven = table.loc["ForcedVanDerPol"]
    assert driven["axes"].iloc[0] == "x, y"
    assert driven["z"].isna().all()
    delayed = table.loc["MackeyGlass"]
    lag = round(0.7 / (PERIOD / PER_PERIOD))
    values = curve(Attempt("MackeyGlass"), 1)[:, 0].astype(np.float32)
    np.testing.assert_array_equal(delayed["x"], values[lag:])
    np.testing.assert_array_equal(delayed["y"], values[:-lag])


def test_a_skew_product_shows_its_response_and_says_its_coupling(datasets):
    table = gallery(datasets[2:]).drop_duplicates("system").set_index("system")
    assert table["kind"].unique().tolist() == ["skew"]
    assert table.loc["skew-activated-Thomas-Lorenz-0", "coupling"] == "activated"


def test_large_datasets_are_shown_at_even_distances(datasets):
    assert evenly(list("abcdefghij"), 3) == ["a", "d", "g"]
    assert evenly(["a", "b"], 3) == ["a", "b"]
    assert gallery(datasets[:1], most=2)["system"].unique().tolist() == ["Lorenz", "Chua"]


def test_portraits_of_arrays():
    T = np.arange(6.0)
    wide = np.stack([T, 10 * T, 100 * T, 1000 * T], axis=1)
    assert portrait(wide, "abcd").axes == "a, b, c"
    assert portrait(wide, "abcd", unbounded=[0]).axes == "b, c, d"
    assert portrait(wide[:, :2], "ab", unbounded=[1]).axes == "a, b"  # one left is too few
    field = np.stack([wide, -wide], axis=2)  # the grid's first point
    np.testing.assert_array_equal(portrait(field, "abcd").points, portrait(wide, "abcd").points)
    assert portrait(wide[:0], "abcd").points.shape == (0, 3)


def test_a_damaged_shard_is_named(tmp_path):
    made = SimulatedDataset(tmp_path, "d", [Attempt("Lorenz"), Attempt("Rossler")]).write()
    shard = made.folder / "shard-0000.arrow"
    content = bytearray(shard.read_bytes())
    at = content.find(curve(Attempt("Lorenz"), 3).tobytes())
    content[at + 9] ^= 1
    shard.write_bytes(content)
    with pytest.raises(DataError, match=r"shard-0000\.arrow is damaged"):
        gallery(generated({"datasets": ["d"]}, tmp_path))


# Ensembles


def test_an_ensemble_has_the_default_first_and_an_accepted_attempt_where_there_is_one(datasets):
    table = perturbation_ensemble(datasets, systems=["Rossler"])
    assert list(table.columns) == ENSEMBLE
    assert table["dataset"].unique().tolist() == ["dysts_perturbed"]
    assert table["system"].unique().tolist() == ["Rossler", "Lorenz"]
    own = table[table["system"] == "Lorenz"].drop_duplicates("parameter_index")
    assert own["parameter_index"].tolist() == [0, 1, 2, 3]
    assert own["trajectory_id"].tolist()[1] == "Lorenz-p1-i0"
    assert own["accepted"].tolist() == [True, True, False, False]
    assert own["reasons"].tolist() == ["", "", "stationarity", "integration"]
    few = perturbation_ensemble(datasets, count=1, sets=2)
    assert few.drop_duplicates(["system", "parameter_index"])[["system", "parameter_index"]].to_numpy().tolist() == [
        ["Lorenz", 0],
        ["Lorenz", 1],
    ]
    assert len(perturbation_ensemble(datasets[:1])) == 0


# Rates


def rate(table: pd.DataFrame, dataset: str, group: str, what: str, name: str) -> pd.Series:
    own = table[(table["dataset"] == dataset) & (table["group"] == group)]
    return own[(own["what"] == what) & (own["name"] == name)].iloc[0]


def test_rates_by_hand(datasets):
    table = pass_rates(datasets)
    assert list(table.columns) == RATES
    every = rate(table, "dysts_all", "all", "accepted", "trajectories")
    assert (every["of"], every["count"]) == (7, 4)
    assert every[["rate", "low", "high"]].tolist() == list(wilson(4, 7))
    assert rate(table, "dysts_all", "default parameters", "accepted", "systems")[["of", "count"]].tolist() == [6, 4]
    bounded = rate(table, "dysts_all", "all", "test", "boundedness")
    assert bounded[["of", "count", "failed", "failed_first"]].tolist() == [6, 4, 2, 2]
    steady = rate(table, "dysts_all", "all", "test", "stationarity")
    assert steady[["of", "count", "failed", "failed_first"]].tolist() == [6, 5, 1, 0]
    integrated = rate(table, "dysts_all", "all", "test", "integration")
    assert integrated[["of", "count", "failed", "failed_first"]].tolist() == [7, 6, 1, 1]
    assert rate(table, "dysts_all", "all", "status", "diverged in the transient")["count"] == 1


def test_fallbacks_and_exponents_are_counted_where_flows_stand_alone(datasets):
    table = pass_rates(datasets)
    flows = rate(table, "dysts_all", "flows at default parameters", "solver", "without fallback")
    assert flows[["of", "count"]].tolist() == [6, 4]  # one by the fallback, one diverged
    delays = rate(table, "dysts_all", "delays at default parameters", "solver", "without fallback")
    assert delays[["of", "count"]].tolist() == [1, 1]
    # Lorenz, ForcedVanDerPol and Chua at 0.5; HyperRossler at 0.15 lies within two standard errors of zero.
    flows = rate(table, "dysts_all", "flows at default parameters", "exponent", "positive")
    assert flows[["of", "count"]].tolist() == [4, 3]


def test_groups_are_those_of_the_trajectories(datasets):
    table = pass_rates(datasets)
    groups = table.groupby("dataset")["group"].unique().map(list).to_dict()
    assert groups["skew"] == ["all", "additive coupling", "activated coupling"]
    assert groups["dysts_perturbed"] == [
        "all", "default parameters", "perturbed parameters", "flows at default parameters",
    ]  # fmt: skip
    sets = rate(table, "dysts_perturbed", "perturbed parameters", "accepted", "parameter sets")
    assert sets[["of", "count"]].tolist() == [6, 2]
    attempts = rate(table, "dysts_perturbed", "perturbed parameters", "accepted", "trajectories")
    assert attempts[["of", "count"]].tolist() == [7, 2]


def test_recorded_data_have_no_solver(tmp_path):
    made = SimulatedDataset(tmp_path, "own", [Attempt("Lorenz")], config={"source": {"path": "x.npy"}}).write()
    table = pass_rates([Generated("own", made.folder, made.plan["config"])])
    assert not set(table["what"]) & {"status", "solver"}


# Sampling


def test_lengths_in_every_clock(datasets):
    table = sampling(datasets)
    assert list(table.columns) == SAMPLING
    own = table[table["dataset"] == "dysts_all"].set_index("system")
    lorenz = own.loc["Lorenz"]
    assert lorenz[["trajectories", "accepted", "length", "channels"]].tolist() == [2, 1, LENGTH, 3]
    assert lorenz["points_per_period"] == pytest.approx(PER_PERIOD)
    assert lorenz["periods"] == pytest.approx(LENGTH / PER_PERIOD)
    assert lorenz["lyapunov_time"] == 2.0
    assert lorenz["length_lyapunov"] == pytest.approx(LENGTH * PERIOD / PER_PERIOD / 2)
    assert lorenz["points_per_lyapunov_time"] == pytest.approx(2 * PER_PERIOD / PERIOD)
    assert np.isnan(own.loc["MackeyGlass", "length_lyapunov"])  # its exponent is negative
    assert np.isnan(own.loc["ArnoldBeltramiChildress", "lyapunov_time"])  # its exponent is unknown
    assert np.isnan(own.loc["HyperRossler", "periods"])  # nothing was kept
    assert len(table[table["dataset"] == "dysts_perturbed"]) == 8


# The job


def test_the_job_gives_analyses_the_datasets_of_the_study(root):
    study = {
        "name": "attractors",
        "datasets": NAMES,
        "analyses": {
            "sampling": {"_target_": "strangecast.analyses.sampling.sampling", "of": "datasets", "title": "S"}
        },
    }
    analyse(study, root, "sampling")
    table = read_parquet(root / "attractors" / "analysis" / "sampling.parquet").to_pandas()
    assert set(table["dataset"]) == set(NAMES)


@pytest.mark.parametrize("function", [gallery, perturbation_ensemble, pass_rates, sampling])
def test_nothing_to_look_at_is_an_empty_table(function):
    assert len(function([])) == 0


def test_conf_names_these_functions(root):
    from strangecast.workflow.compose import Registry

    registry = Registry()
    study = registry.option("study", "attractors", "smoke")
    options = {a: registry.option("analysis", a, "smoke") for a in study["analyses"]}
    for name in options:
        analyse({"name": "again", "datasets": NAMES, "analyses": options}, root, name)
        assert (root / "again" / "analysis" / f"{name}.parquet").exists()
