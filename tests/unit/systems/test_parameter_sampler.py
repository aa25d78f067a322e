"""Parameter sets: the rule's statistics, and keys."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.systems.load import load_system
from strangecast.systems.parameter_sampler import Perturbation, parameter_set, perturbable, perturbed

MANY = np.tile([2.0, -0.5, 0.0, 1e-5], 5000)


def draws(perturb, values=MANY, key=0):
    return perturbed(values, np.ones(len(values), bool), perturb, stream("test", key)) - values


def test_spread_is_in_units_of_the_parameter_plus_a_floor():
    moved = draws(Perturbation(scale=0.3, sign_match=0.0, ignore=0.0)).reshape(-1, 4)
    assert moved.mean(axis=0) == pytest.approx(np.zeros(4), abs=0.02)
    np.testing.assert_allclose(moved.std(axis=0), [0.6, 0.15, 1e-3, 1e-3], rtol=0.03)


def test_sign_match_makes_parameters_grow():
    always = draws(Perturbation(scale=0.3, sign_match=1.0, ignore=0.0)).reshape(-1, 4)
    assert (always[:, 0] >= 0).all()
    assert (always[:, 1] <= 0).all()
    np.testing.assert_array_equal(always[:, 2], 0.0)
    half = draws(Perturbation(scale=0.3, sign_match=0.5, ignore=0.0)).reshape(-1, 4)
    assert (half[:, 0] > 0).mean() == pytest.approx(0.75, abs=0.02)
    np.testing.assert_allclose(np.abs(half[:, 0]).mean(), 0.6 * np.sqrt(2 / np.pi), rtol=0.03)


def test_ignore_keeps_a_share_that_grows_with_the_number_of_parameters():
    perturb = Perturbation(scale=0.1, ignore=0.5)
    for count, share in ((1, 0.5 * (1 - np.exp(-1))), (20, 0.5)):
        kept = [not draws(perturb, np.ones(count), key).any() for key in range(2000)]
        assert np.mean(kept) == pytest.approx(share, abs=0.035)


def test_set_zero_is_the_default_and_others_are_keyed():
    system, perturb = load_system("Lorenz"), Perturbation(ignore=0.0)
    np.testing.assert_array_equal(parameter_set(system, 0, perturb), system.values)
    np.testing.assert_array_equal(parameter_set(system, 0, perturb, attempt=3), system.values)
    sets = [parameter_set(system, p, perturb) for p in (1, 2, 3)]
    assert len({s.tobytes() for s in sets}) == 3
    np.testing.assert_array_equal(parameter_set(load_system("Lorenz"), 2, perturb), sets[1])
    assert not np.array_equal(parameter_set(system, 1, perturb, attempt=1), sets[0])
    assert not np.array_equal(parameter_set(load_system("Rossler"), 1, perturb), sets[0])
    # the same draws, scaled
    small, large = (parameter_set(system, 1, Perturbation(s, 0.5, 0.0, 0.0)) - system.values for s in (0.1, 0.2))
    np.testing.assert_allclose(large, 2 * small)


def test_lags_stay_positive():
    system, strong = load_system("MackeyGlass"), Perturbation(scale=2.0, sign_match=0.0, ignore=0.0)
    at = system.parameters.index("tau")
    sets = np.array([parameter_set(system, p, strong) for p in range(1, 60)])
    assert (sets[:, at] > 0).all()
    assert (np.delete(sets, at, axis=1) < 0).any()


def test_switches_stay():
    system = load_system("BlinkingRotlet")
    free = perturbable(system)
    assert [n for n, f in zip(system.parameters, free, strict=True) if not f] == ["bc"]
    found = parameter_set(system, 1, Perturbation(ignore=0.0))
    assert (found != system.values).tolist() == free.tolist()
    assert perturbable(load_system("Lorenz")).all()


def test_what_stays_out_of_a_coupling_stays_out():
    system = load_system("skew-additive-Lorenz-HyperRossler-0")
    found = parameter_set(system, 1, Perturbation(ignore=0.0))
    names = np.array(system.parameters)
    assert set(names[found == system.values]) == {"clock"} | {
        n for n, v in zip(names, system.values, strict=True) if n.startswith("drive[") and v == 0
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"sclae": 1}, "'scale'"),
        ({"scale": -1}, "negative"),
        ({"sign_match": 2}, "probabilities"),
        ({"ignore": -1}, "prob"),
    ],
)
def test_mistakes_are_named(given, told):
    with pytest.raises(ConfigError, match=told):
        Perturbation.from_config(given)
