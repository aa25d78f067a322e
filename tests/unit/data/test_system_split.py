"""Systems for training and systems for tests: a keyed choice, the same in any order and company."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.data.system_split import divided, split_systems
from strangecast.systems import catalogue
from strangecast.workflow.compose import SCALES, Registry
from strangecast.workflow.datasets import Datasets

SPARE = ["CircadianRhythm", "HindmarshRose", "JerkCircuit", "LiuChen", "MackeyGlass"]
TESTED = [
    "Aizawa", "AnishchenkoAstakhov", "BickleyJet", "BlinkingRotlet", "Chen", "ExcitableCell", "Finance",
    "GlycolyticOscillation", "HastingsPowell", "HyperJha", "HyperYangChen", "ItikBanksTumor", "Lorenz", "Lorenz84",
    "LorenzStenflo", "MooreSpiegel", "RabinovichFabrikant", "SaltonSea", "ScrollDelay", "ShimizuMorioka", "SprottA",
    "SprottDelay", "SprottF", "SprottI", "SprottK", "SprottQ", "SprottR", "VallisElNino", "WangSun", "WindmiReduced",
]  # fmt: skip
NAMES = [n for n, e in catalogue.entries().items() if e.kind in ("flow", "delay")]  # continuous systems of dysts


def test_a_share_is_tested_and_the_rest_trains():
    train, test = split_systems(NAMES, 0.3, 0)
    assert len(test) == 41  # 40.5, halves up
    assert sorted(train + test) == sorted(NAMES)
    assert [n for n in NAMES if n in train] == train, "the order of the list is kept"
    assert split_systems(NAMES, 0.0, 0) == (NAMES, [])
    assert split_systems(NAMES, 1.0, 0) == ([], NAMES)
    assert split_systems([], 0.3, 0) == ([], [])


def test_the_choice_depends_on_names_and_seed_alone():
    _, test = split_systems(NAMES, 0.3, 7)
    np.random.seed(3)
    shuffled = np.random.default_rng(1).permutation(NAMES).tolist()
    assert set(split_systems(shuffled, 0.3, 7)[1]) == set(test)
    assert set(split_systems(NAMES, 0.3, 8)[1]) != set(test)


def test_seeds_choose_every_system_alike():
    counts = dict.fromkeys(NAMES, 0)
    for seed in range(200):
        for name in split_systems(NAMES, 0.3, seed)[1]:
            counts[name] += 1
    found = np.array(list(counts.values())) / 200
    assert found.mean() == pytest.approx(41 / 135)
    assert np.abs(found - 41 / 135).max() < 0.14  # four standard errors of 200 draws


def test_smaller_tests_lie_in_larger_ones():
    tests = [set(split_systems(NAMES, share, 0)[1]) for share in (0.1, 0.2, 0.3, 0.6)]
    assert all(a < b for a, b in itertools.pairwise(tests))


def test_another_system_moves_at_most_one():
    before = set(split_systems(NAMES, 0.3, 0)[1])
    for new in ("LotkaVolterra", "DoublePendulumOfMine", "Robertson"):
        after = set(split_systems([*NAMES, new], 0.3, 0)[1]) - {new}
        assert len(before ^ after) <= 1


def test_what_a_yaml_may_say():
    assert divided(NAMES, {"test_fraction": 0.3, "seed": 2}) == split_systems(NAMES, 0.3, 2)
    train, test = divided(NAMES, {"test": ["Rossler", "Lorenz"]})
    assert test == ["Lorenz", "Rossler"]
    assert len(train) == 133
    assert divided(NAMES, {"train": train}) == (train, test)
    assert divided(NAMES, {"train": ["Chua"], "test": ["Lorenz"]}) == (["Chua"], ["Lorenz"])
    train, test = divided(NAMES, {"test": 30})
    assert (len(train), len(test)) == (105, 30)
    assert [len(x) for x in divided(NAMES, {"train": 10, "test": 5, "seed": 1})] == [10, 5]
    assert set(divided(NAMES, {"train": 10, "test": 5, "seed": 1})[1]) == set(divided(NAMES, {"test": 5, "seed": 1})[1])


@pytest.mark.parametrize(
    ("split", "told"),
    [
        ({"test_fraction": 1.5}, "test_fraction must be between 0 and 1, found 1.5"),
        ({"test_fraction": 0.3, "test": ["Lorenz"]}, "not both"),
        ({"test_frction": 0.3}, "no key 'test_frction'; did you mean 'test_fraction'"),
        ({"seed": 0}, "give test_fraction, or names or numbers"),
        ({"test": ["Lorentz"]}, "no system 'Lorentz'; did you mean 'Lorenz'"),
        ({"test": ["Lorenz"], "train": ["Lorenz"]}, "Lorenz stands in train and in test"),
        ({"test": ["Lorenz"], "train": 3}, "both be lists of names or both be numbers"),
        ({"test": 100, "train": 36}, "there are 135"),
        ({"test": -1}, "a number of systems, found -1"),
        ({"test_fraction": 0.3, "seed": "a"}, "seed must be a whole number"),
    ],
)
def test_splits_that_cannot_work(split, told):
    with pytest.raises(ConfigError, match=told):
        divided(NAMES, split)


def test_a_name_given_twice():
    with pytest.raises(ConfigError, match="Lorenz is named twice"):
        split_systems([*NAMES, "Lorenz"], 0.3, 0)


@pytest.mark.parametrize("scale", SCALES)
def test_the_preset_holds_these_systems(scale):
    datasets = Datasets(Registry(), scale)
    train, test = (datasets.corpus(f"dysts_100_30_{part}") for part in ("train", "test"))
    assert len(set(NAMES)) == 135
    assert sorted(test) == [f"flow-{n}" for n in TESTED]
    assert sorted(train) == sorted(f"flow-{n}" for n in set(NAMES) - {*TESTED, *SPARE})
    assert datasets.corpus("dysts_100_30") == train
    assert datasets.corpus("dysts_100_30", otherwise="test") == datasets.corpus("dysts_100_30", "test") == test
