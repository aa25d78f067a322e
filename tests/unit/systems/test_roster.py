"""Rosters: a fixed enumeration that needs no system, and names that say what is coupled."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangecast.core.errors import ConfigError
from strangecast.systems import catalogue
from strangecast.systems.pairs import ranked_pairs
from strangecast.systems.roster import Roster, Specimen, channels_of, entry_of, parents_of, skew_names, system_names
from strangecast.systems.skew_names import ACTIVATIONS, SkewName, coupling_parameters, parse

NAMES = ["Lorenz", "SprottA", "HyperRossler", "MackeyGlass"]


def roster(**given):
    return Roster.from_config({"systems": {"list": NAMES}, "initial_conditions": 2, "parameter_sets": 3} | given)


def test_enumeration_is_systems_then_sets_then_initial_conditions():
    found = list(roster())
    sets = {"SprottA": 1}  # it has no parameters to perturb
    assert found == [Specimen(name, p, i) for name in NAMES for p, i in product(range(sets.get(name, 3)), range(2))]
    assert len(roster()) == len(found) == 20
    assert found[7].trajectory_id == "SprottA-p0-i1"


@given(st.integers(1, 25))
def test_shards_are_the_enumeration_cut(size):
    one = roster()
    parts = [one.shard(n, size) for n in range(one.shards(size))]
    assert [s for part in parts for s in part] == list(one)
    assert all(len(part) == size for part in parts[:-1])
    assert parts[-1]
    assert one.shard(one.shards(size), size) == []
    assert one.shard(-1, size) == []


def test_one_system_counts_its_initial_conditions():
    assert list(Roster.from_config({"system": "Lorenz", "initial_conditions": 3})) == [
        Specimen("Lorenz", 0, i) for i in range(3)
    ]
    assert [s.ic_index for s in Roster.from_config({"system": "Lorenz", "initial_conditions": 2}, first_ic=5)] == [5, 6]


def test_all_of_dysts():
    assert system_names({"dysts": "all"}) == list(catalogue.entries())
    assert len(system_names({"dysts": "flows"})) == 129
    assert len(system_names({"dysts": "delays"})) == 6
    assert "Lorenz" not in system_names({"dysts": "flows", "exclude": ["Lorenz"]})
    mixed = system_names({"list": ["van_der_pol"], "dysts": "delays", "skew": {"pairs": 1}})
    assert mixed[0] == "van_der_pol"
    assert parse(mixed[-1]) is not None


def test_pairs_are_different_and_their_order_depends_on_names_alone():
    names = list(catalogue.entries())[:12]
    pairs = ranked_pairs(names, "additive", 0, 132)
    assert len(set(pairs)) == 132
    assert all(a != b for a, b in pairs)
    assert ranked_pairs(names, "additive", 0, 40) == pairs[:40]
    fewer = [n for n in reversed(names) if n != names[3]]
    without = [p for p in pairs if names[3] not in p]
    assert ranked_pairs(fewer, "additive", 0, 110) == without
    assert ranked_pairs(names, "activated", 0, 132) != pairs
    assert ranked_pairs(names, "additive", 1, 132) != pairs
    # every system drives and responds about equally often in any prefix
    drivers = [a for a, _ in ranked_pairs(list(catalogue.entries()), "additive", 0, 3000)]
    assert max(drivers.count(n) for n in set(drivers)) < 50


def test_kinds_take_turns_and_couplings_follow_each_other():
    found = skew_names({"pairs": 4, "couplings": 3})
    assert [n.kind for n in found[::3]] == ["additive", "activated"] * 2
    assert [n.number for n in found] == [0, 1, 2] * 4
    assert len({n.structure for n in found}) == 4
    assert skew_names({"pairs": 9, "couplings": 3})[:12] == found
    assert all(entry_of(n.name).kind == "skew" for n in found)
    spread = [n.activation for n in skew_names({"pairs": 300, "kinds": ["activated"]})]
    assert all(60 < spread.count(a) < 140 for a in ACTIVATIONS)


def test_what_a_name_says():
    found = parse("skew-activated-Lorenz-Duffing-17")
    assert found == SkewName("activated", "Lorenz", "Duffing", 17)
    assert found.name == "skew-activated-Lorenz-Duffing-17"
    entry = found.entry
    assert (entry.dim, entry.channels, entry.unbounded) == (6, 3, (5,))
    assert entry.parameters[:4] == ("driver.beta", "driver.rho", "driver.sigma", "response.alpha")
    assert len(entry.parameters) == 3 + 5 + 1 + len(coupling_parameters("activated", 3, 3))
    assert channels_of(found.name) == 3
    assert parents_of(found.name) == ("Lorenz", "Duffing")
    assert parents_of("Lorenz") == ()
    assert parse("Lorenz") is None
    assert entry.offers >= {"vector_field", "jacobian", "state"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("skew-additive-Lorenz-Rossler", "skew-<kind>-<driver>-<response>-<number>"),
        ("skew-additive-Lorenz-Rossler-x", "skew-<kind>-<driver>-<response>-<number>"),
        ("skew-additive-Lorenz-Rossler-07", "is written skew-additive-Lorenz-Rossler-7"),
        ("skew-aditive-Lorenz-Rossler-0", "did you mean 'additive'"),
        ("skew-additive-Lorentz-Rossler-0", "'Lorenz'"),
        ("skew-additive-Lorenz-MackeyGlass-0", "only ODE flows"),
    ],
)
def test_names_that_are_none(name, told):
    with pytest.raises(ConfigError, match=told):
        parse(name)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"lst": ["Lorenz"]}, "'list'"),
        ({"list": ["Lorentz"]}, "'Lorenz'"),
        ({"list": ["Lorenz", "Lorenz"]}, "Lorenz twice"),
        ({"dysts": "flow"}, "'flows'"),
        ({"list": []}, "name nothing"),
        ({"list": ["Lorenz"], "exclude": ["Rossler"]}, "systems.exclude"),
        ({"skew": {"pairs": 0}}, "pairs 0"),
        ({"skew": {"pair": 3}}, "'pairs'"),
        ({"skew": {"pairs": 3, "kinds": ["adititve"]}}, "'additive'"),
        (
            {"skew": {"pairs": 3, "among": {"list": ["Lorenz", "Rossler"]}, "kinds": ["additive"]}},
            "make 2; raise couplings",
        ),
        ({"skew": {"pairs": 1, "among": {"dysts": "delays"}}}, "only ODE flows"),
    ],
)
def test_mistakes_are_named(given, told):
    with pytest.raises(ConfigError, match=told):
        system_names(given)


def test_numbers_below_one_are_refused():
    for key in ("parameter_sets", "initial_conditions"):
        with pytest.raises(ConfigError, match="at least 1"):
            roster(**{key: -1})


def test_counting_twenty_thousand_imports_no_simulator():
    code = (
        "import sys\nfrom strangecast.systems.roster import Roster\n"
        "r = Roster.from_config({'systems': {'skew': {'pairs': 2500, 'couplings': 4}}, 'parameter_sets': 2, "
        "'initial_conditions': 1})\n"
        "print(len(r), r.shards(250), [m for m in ('dysts', 'numba', 'scipy', 'torch', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split(" ", 2) == ["20000", "80", "[]\n"]
