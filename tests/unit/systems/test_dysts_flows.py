"""The adapter against dysts itself on the kinds of flow that differ."""

from __future__ import annotations

import numpy as np
import pytest
from dysts import flows

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.systems.attractor import on_attractor
from strangecast.systems.dysts_flows import DystsFlow
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system

# plain, array parameters, overridden rhs, plain Python rhs, driven with a map of angles, inherited
KINDS = ("Lorenz", "BickleyJet", "Hopfield", "MacArthur", "IsothermalChemical", "BlinkingVortex", "ThomasLabyrinth")


@pytest.mark.parametrize("name", KINDS)
def test_changed_parameters_reach_the_right_hand_side(name):
    system = DystsFlow(name)
    rng = stream("test", name)
    changed = system.values * (1 + 0.01 * rng.standard_normal(len(system.values)))
    flow = getattr(flows, name)()
    at = 0
    for key in sorted(flow.params):
        shape = np.shape(flow.params[key])
        size = int(np.prod(shape))
        flow.params[key] = changed[at : at + size].reshape(shape) if shape else float(changed[at])
        at += size
    flow.__dict__.update(flow.params)
    flow.param_list = [flow.params[k] for k in sorted(flow.params)]
    state = system.initial_condition
    expected = np.array(flow.rhs(state, 0.3), float)
    np.testing.assert_allclose(system.bind(changed)(0.3, state), expected, rtol=1e-12, atol=1e-14)
    assert not np.array_equal(expected, system.bind(system.values)(0.3, state))
    # the defaults were not touched
    np.testing.assert_array_equal(DystsFlow(name).values, system.values)


def test_states_in_a_batch_equal_states_alone():
    system = load_system("Halvorsen")
    states = stream("test").standard_normal((2, 3, 3))
    batch = system.rhs(0.0, states, system.values)
    assert batch.shape == (2, 3, 3)
    np.testing.assert_array_equal(batch[1, 2], system.bind(system.values)(0.0, states[1, 2]))


def test_angles_are_observed_through_a_bounded_map():
    system = load_system("BlinkingRotlet")
    assert not system.observes_state
    state = np.array([[0.5, 1e3, 7e4], [0.2, -5.0, 0.0]])
    seen = system.observe(state, system.values)
    assert seen.shape == (2, 3)
    assert np.abs(seen).max() <= 1.0
    np.testing.assert_allclose(seen[:, 0], state[:, 0] * np.cos(state[:, 1]))


def test_delay_flows_are_no_flows():
    with pytest.raises(ConfigError, match="delay flow"):
        DystsFlow("MackeyGlass")


def test_wrong_number_of_parameters():
    with pytest.raises(ConfigError, match="3 parameters, 2 were given"):
        load_system("Lorenz").bind(np.ones(2))


def test_numpy_global_generator_is_left_alone():
    np.random.seed(11)
    before = np.random.get_state()[1].copy()
    system = load_system("Rossler")
    on_attractor(system, system.values, 0, 0, 1, Solver())
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_initial_conditions_are_keyed():
    system = load_system("Lorenz")
    ends = [on_attractor(system, system.values, 0, i, 3, Solver()).states[-1] for i in (0, 1, 0)]
    np.testing.assert_array_equal(ends[0], ends[2])
    assert np.abs(ends[0] - ends[1]).max() > 0.1
