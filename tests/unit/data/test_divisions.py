"""Splits of many systems: by system with skew exclusion, then parameter set, initial condition and time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strangecast.core.errors import ConfigError, DataError
from strangecast.data.divisions import divide, parts_of_systems
from strangecast.systems import catalogue
from strangecast.systems.roster import parents_of, system_names

DYSTS = {n: () for n in catalogue.entries()}
SKEW = {n: parents_of(n) for n in system_names({"skew": {"pairs": 400}})}
PAPER = {"by": "system", "among": "dysts", "train": 100, "test": 30, "seed": 0}


def rows(**counts):
    """Accepted rows: number of parameter sets x initial conditions by system."""
    return [
        {"system": s, "parameter_index": p, "length": 500}
        for s, (sets, starts) in counts.items()
        for p in range(sets)
        for _ in range(starts)
    ]


def of(parts, part):
    return {s for s, p in parts.items() if p == part}


@settings(max_examples=12, deadline=None)
@given(st.floats(0.05, 0.9), st.integers(0, 50))
def test_no_training_product_has_a_tested_parent(share, seed):
    parts = parts_of_systems(DYSTS | SKEW, {"by": "system", "test_fraction": share, "seed": seed}, "d")
    for name, parents in SKEW.items():
        assert (parts[name] == "test") == ("test" in {parts[p] for p in parents})
        assert (parts[name] == "train") == ({parts[p] for p in parents} == {"train"})
    assert len({n for n in DYSTS if parts[n] == "test"}) == int(share * len(DYSTS) + 0.5)


def test_datasets_of_dysts_hold_out_the_same_systems():
    alone, products = parts_of_systems(DYSTS, PAPER, "a"), parts_of_systems(SKEW, PAPER, "b")
    assert len(of(alone, "test")) == 30
    assert len(of(alone, "train")) == 100
    assert len(of(alone, None)) == 5
    for name, (driver, response) in SKEW.items():
        both = {alone[driver], alone[response]}
        expected = "test" if "test" in both else None if None in both else "train"
        assert products[name] == expected
    few = parts_of_systems({n: () for n in ("Lorenz", "Rossler", "Chua")}, PAPER, "c")
    assert few == {n: alone[n] for n in few}


def test_validation_systems_come_from_the_training_ones():
    plain = parts_of_systems(DYSTS, {"by": "system", "test_fraction": 0.3, "seed": 1}, "d")
    parts = parts_of_systems(DYSTS, {"by": "system", "test_fraction": 0.3, "seed": 1, "validation_fraction": 0.1}, "d")
    assert of(parts, "test") == of(plain, "test")
    assert len(of(parts, "validation")) == round(0.1 * len(of(plain, "train")))
    mixed = parts_of_systems(SKEW, {"by": "system", "test": [], "validation_fraction": 0.2, "seed": 0}, "d")
    assert of(mixed, "test") == set()
    founders = {f for p in SKEW.values() for f in p}
    validated = of(
        parts_of_systems({f: () for f in founders}, {"by": "system", "test": [], "validation_fraction": 0.2}, "d"),
        "validation",
    )
    assert of(mixed, "validation") == {n for n, parents in SKEW.items() if set(parents) & validated}


def test_mixed_products_are_scored_or_left_out():
    scored, left = (parts_of_systems(SKEW, PAPER | {"mixed": m}, "d") for m in ("test", "unused"))
    alone = parts_of_systems(DYSTS, PAPER, "a")
    for name, parents in SKEW.items():
        tested = [alone[p] == "test" for p in parents]
        assert left[name] == (scored[name] if all(tested) or not any(tested) else None)
        assert (left[name] == "test") == all(tested)


def test_named_systems():
    systems = {
        "Lorenz": (),
        "Chua": (),
        "skew-additive-Lorenz-Chua-0": ("Lorenz", "Chua"),
        "skew-additive-Chua-Rossler-0": ("Chua", "Rossler"),
    }
    parts = parts_of_systems(systems, {"by": "system", "test": ["Lorenz"]}, "d")
    assert list(parts.values()) == ["test", "train", "test", "train"]


def test_within_divides_each_training_system():
    found = divide(
        rows(Lorenz=(2, 3), Chua=(1, 4), Rossler=(1, 1)),
        {
            "by": "system",
            "test": ["Rossler"],
            "within": {"by": "initial_condition", "train": None, "validation": 1, "test": 1},
        },
        10,
        "d",
        {"Lorenz": (), "Chua": (), "Rossler": ()},
    )
    assert [s[1] for s in found] == ["train"] * 4 + [
        "validation",
        "test",
        "train",
        "train",
        "validation",
        "test",
        "test",
    ]
    assert [s[0] for s in found] == list(range(11))


def test_by_parameter_sets_stay_whole():
    split = {"by": "parameter", "train": None, "validation": 1, "test": 1}
    found = divide(rows(Lorenz=(4, 2), SprottA=(1, 2)), split, 10, "d", {"Lorenz": (), "SprottA": ()})
    assert [s[1] for s in found[:8]] == ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
    assert [s[1] for s in found[8:]] == ["validation"] * 2  # one set reaches the first part that wants one


def test_systems_with_too_few_fill_the_parts_in_order():
    split = {"by": "initial_condition", "train": 2, "validation": 1, "test": 1}
    found = divide(
        rows(Lorenz=(1, 5), Chua=(1, 3), Rossler=(1, 1)),
        split,
        10,
        "d",
        dict.fromkeys(("Lorenz", "Chua", "Rossler"), ()),
    )
    assert [s[1] for s in found] == ["train", "train", "validation", "test", "train", "train", "validation", "train"]
    with pytest.raises(DataError, match="leaves nothing to the test part"):
        divide(rows(Chua=(1, 3)), split, 10, "d", {"Chua": ()})


def test_by_time_every_trajectory_is_cut():
    split = {"by": "time", "train": 0.6, "validation": 0.2, "test": 0.2}
    found = divide(rows(Lorenz=(1, 2), Chua=(1, 1)), split, 20, "d", {"Lorenz": (), "Chua": ()})
    assert [s[1] for s in found] == ["train", "validation", "test"] * 3


@pytest.mark.parametrize(
    ("split", "error", "told"),
    [
        ({"by": "sistem"}, ConfigError, "'system'"),
        ({"by": "system", "test_fracton": 0.3}, ConfigError, "'test_fraction'"),
        ({"by": "system", "test": ["Lorentz"]}, ConfigError, "'Lorenz'"),
        ({"by": "system", "test_fraction": 2}, ConfigError, "between 0 and 1"),
        ({"by": "system", "test_fraction": 0.5, "test": ["Lorenz"]}, ConfigError, "not both"),
        ({"by": "system", "test": ["Lorenz"], "among": "all"}, ConfigError, "allowed: dataset, dysts"),
        ({"by": "system", "test": ["Lorenz", "Chua"], "validation_fraction": 0.1, "within": {}}, ConfigError, "not both"),
        ({"by": "system", "test": ["Lorenz"], "mixed": "train"}, ConfigError, "allowed: test, unused"),
        ({"by": "system", "test_fraction": 0.1}, DataError, "leaves nothing to the test part"),
        ({"by": "system", "test": ["Lorenz"], "within": {"by": "system"}}, ConfigError, "way to split one system"),
        ({"by": "parameter", "train": None, "validation": None, "test": 1}, ConfigError, "at most one of them null"),
        ({"by": "time", "train": 0.5, "validation": 0.2, "test": 0.2}, ConfigError, "add up to 1"),
        ({"by": "time", "train": 0.5, "validation": 0.2, "test": 0.3, "seed": 1}, ConfigError, "no key of a split 'seed'"),
    ],
)  # fmt: skip
def test_splits_that_cannot_work(split, error, told):
    with pytest.raises(error, match=told):
        divide(rows(Lorenz=(1, 2), Chua=(1, 1)), split, 20, "d", {"Lorenz": (), "Chua": ()})
