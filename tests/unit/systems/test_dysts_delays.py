"""The delay flows of dysts behind the System contract."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.systems import catalogue
from strangecast.systems.dysts_delays import DystsDelay
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system

DELAYS = [e.name for e in catalogue.entries().values() if e.kind == "delay"]


@pytest.mark.parametrize("name", DELAYS)
def test_contract(name):
    entry, system = catalogue.lookup(name), load_system(name)
    assert isinstance(system, DystsDelay)
    assert (system.name, system.dim, system.parameters) == (entry.name, entry.dim, entry.parameters)
    assert system.period == entry.period
    assert system.offers == entry.offers == set()
    assert system.rhs is None
    assert system.jacobian is None
    assert system.observes_state
    assert [c.name for c in system.channels] == ["x"]
    assert len(system.graph.lags) == 1
    at = system.parameters.index("tau")
    np.testing.assert_array_equal(system.delays(system.values), [system.values[at]])
    changed = system.values.copy()
    changed[at] *= 2
    np.testing.assert_array_equal(system.delays(changed), [2 * system.values[at]])
    np.testing.assert_array_equal(system.history(-3.0), system.initial_condition)


@pytest.mark.parametrize("name", DELAYS)
def test_simulation_starts_from_any_history(name):
    system = load_system(name)
    times = np.linspace(0.0, system.period, 21)
    path = system.simulate(system.initial_condition, times, system.values, Solver())
    assert path.status == "finished"
    assert path.states.shape == (21, 1)
    np.testing.assert_array_equal(path.states[0], system.initial_condition)
    by_function = system.simulate(system.history, times, system.values, Solver())
    np.testing.assert_allclose(by_function.states, path.states, rtol=1e-9)
    onward = system.simulate(path.segment, times + times[-1], system.values, Solver())
    whole = system.simulate(
        system.initial_condition, np.concatenate([times, times[1:] + times[-1]]), system.values, Solver()
    )
    spread = np.ptp(whole.states)
    np.testing.assert_allclose(onward.states[-1], whole.states[-1], atol=1e-4 * spread)


def test_a_flow_is_no_delay_flow():
    with pytest.raises(ConfigError, match="not a delay flow"):
        DystsDelay("Lorenz")
