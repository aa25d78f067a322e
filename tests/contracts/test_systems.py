"""The System contract over every row of the catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from dysts import flows

from strangecast.core.streams import stream
from strangecast.systems import catalogue, options
from strangecast.systems.attractor import on_attractor
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system

FLOWS = [e.name for e in catalogue.entries().values() if e.kind == "flow"]
SAMPLE = (
    "lotka_volterra",
    "double_pendulum",
    "lorenz96_n",
    "Lorenz",
    "Chua",
    "ForcedBrusselator",
    "BlinkingRotlet",
    "Hopfield",
    "HyperPang",
)


@pytest.mark.parametrize("name", [*FLOWS, *options.names()])
def test_contract(name):
    entry, system = catalogue.lookup(name), load_system(name)
    assert (system.name, system.dim, system.parameters) == (entry.name, entry.dim, entry.parameters)
    assert system.period == entry.period
    assert system.offers == entry.offers
    assert system.values.shape == (len(entry.parameters),)
    assert np.flatnonzero(~system.bounded).tolist() == list(entry.unbounded)
    assert system.observes_state or entry.unbounded
    state = system.initial_condition
    field = system.bind(system.values)
    slope = field(0.0, state)
    assert slope.shape == (system.dim,)
    assert slope.dtype == np.float64
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 0
    assert np.array_equal(field(12.34, state), slope) == system.graph.autonomous
    seen = system.observe(np.stack([state, state]), system.values)
    assert seen.shape == (2, len(system.channels))
    assert np.isfinite(seen).all()
    assert len({c.name for c in system.channels}) == len(system.channels)


@pytest.mark.parametrize("name", FLOWS)
def test_right_hand_side_is_that_of_dysts(name):
    system, flow = load_system(name), getattr(flows, name)()
    field, rng = system.bind(system.values), stream("test", name)
    for _ in range(3):
        state = system.initial_condition * (1 + 0.01 * rng.standard_normal(system.dim))
        expected = np.array(flow.rhs(state, 0.0), float)
        np.testing.assert_allclose(field(0.0, state), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("name", SAMPLE)
def test_tighter_tolerances_agree(name):
    system = load_system(name)
    start = on_attractor(system, system.values, 0, 0, 2, Solver())
    assert start.finished
    times = np.linspace(0.0, system.period, 101)
    usual = system.simulate(start.states[-1], times, system.values, Solver())
    tight = system.simulate(start.states[-1], times, system.values, Solver(rtol=1e-12, atol=1e-13))
    assert usual.finished
    assert tight.finished
    assert tight.evaluations > usual.evaluations
    scale = np.ptp(tight.states, axis=0)
    assert (np.abs(usual.states - tight.states).max(axis=0) / scale).max() < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOWS)
def test_five_periods_finish_within_the_budget(name):
    system = load_system(name)
    path = system.simulate(
        system.initial_condition, np.linspace(0, 5 * system.period, 501), system.values, Solver(rtol=1e-7, atol=1e-8)
    )
    assert path.finished
    assert np.isfinite(system.observe(path.states, system.values)).all()
