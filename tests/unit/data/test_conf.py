"""The committed recipes, corpora and suites fit together at every scale."""

from __future__ import annotations

import pytest

from strangecast.systems import catalogue
from strangecast.systems.integrate import Solver
from strangecast.systems.validity.panel import TESTS, check
from strangecast.workflow.compose import SCALES, Registry


@pytest.fixture(scope="module")
def registry():
    return Registry()


@pytest.mark.parametrize("scale", SCALES)
def test_corpus(registry, scale):
    corpus = registry.option("corpus", "chaos", scale)
    systems = [catalogue.lookup(s) for s in corpus["systems"]]
    assert all(s.kind == "flow" for s in systems)
    assert len(set(corpus["systems"])) == len(systems) == {"smoke": 3, "laptop": 8, "full": 40}[scale]
    assert len({s.dim for s in systems}) > 1
    assert {"Lorenz", "Rossler"} <= set(corpus["systems"])
    assert corpus["recipe"] in registry.names("dataset")


def test_the_order_of_the_corpus_does_not_change_with_scale(registry):
    lists = [registry.option("corpus", "chaos", s)["systems"] for s in ("laptop", "full")]
    assert lists[1][: len(lists[0])] == lists[0]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ["chaos", "lorenz63"])
def test_recipe(registry, scale, name):
    recipe = registry.option("dataset", name, scale)
    split, window, sampling = recipe["split"], recipe["window"], recipe["sampling"]
    assert recipe["system"] == {"chaos": None, "lorenz63": "Lorenz"}[name]
    assert split["train"] + split["validation"] + split["test"] <= recipe["initial_conditions"]
    assert window["context"] + window["horizon"] <= sampling["length"]
    assert max(window["prefixes"]) == window["horizon"]
    assert set(recipe["validity"]) == set(TESTS)
    check(recipe["validity"])
    assert Solver.from_config(recipe["solver"]) == Solver()
    if scale == "laptop":
        assert split["train"] * sampling["length"] >= 8000
