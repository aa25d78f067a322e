"""Skew products: the equations as written, amplitudes, clock, period and what is observed."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.streams import stream
from strangecast.systems import catalogue
from strangecast.systems.coupling import LEAST, STRENGTH, draw
from strangecast.systems.flow_scales import flow_scales, mean_turn, measure, turn
from strangecast.systems.integrate import Solver, integrate
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.load import load_system
from strangecast.systems.roster import skew_names
from strangecast.systems.skew_product import CLOCK_RANGE

SPEEDS = np.array([1.0, 20.0, 0.0, 3.0]), np.array([2.0, 0.5, 10.0])
BENT = {"tanh": np.tanh, "sin": np.sin, "relu": lambda a: np.maximum(a, 0)}


def by_hand(system, t, state):
    """The equations of the docstring, without graphs."""
    d, p = system.driver.dim, system.values
    k, q = len(system.driver.parameters), len(system.response.parameters)
    clock, coupling = p[k + q], p[k + q + 1 :]
    v = clock * system.driver.rhs(clock * t, state[:d], p[:k])
    g = system.response.rhs(t, state[d:], p[k : k + q])
    n = len(g)
    if system.named.kind == "additive":
        return np.concatenate([v, coupling[: n * d].reshape(n, d) @ v + coupling[n * d :] * g])
    gain, drive, own = np.split(coupling, [n, n + n * d])
    bent = BENT[system.named.activation](drive.reshape(n, d) @ v)
    return np.concatenate([v, gain * bent + own.reshape(n, n) @ g])


NAMES = [
    "skew-additive-Lorenz-Rossler-0", "skew-additive-HyperPang-Lorenz-1", "skew-additive-Lorenz-HyperPang-2",
    "skew-activated-Chua-Aizawa-0", "skew-activated-Torus-Halvorsen-0", "skew-activated-Lorenz-Duffing-4",
    *(n.name for n in skew_names({"pairs": 6, "kinds": ["activated"], "seed": 5})),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_right_hand_side_is_the_equations(name):
    system = load_system(name)
    assert (system.name, system.dim, system.parameters) == (name, system.entry.dim, system.entry.parameters)
    assert len(system.channels) == system.entry.channels
    rng = stream("test", name)
    for t in (0.0, 1.7):
        state = system.initial_condition * (1 + 0.01 * rng.standard_normal(system.dim))
        np.testing.assert_allclose(system.rhs(t, state, system.values), by_hand(system, t, state), rtol=1e-10)
    assert np.flatnonzero(~system.bounded).tolist() == list(system.entry.unbounded)


def test_the_driver_moves_as_if_alone():
    system = load_system("skew-additive-Lorenz-Rossler-0")
    alone, d = load_system("Lorenz"), 3
    assert system.clock == 1.0
    times = np.linspace(0, 2, 50)
    ours = integrate(system.bind(system.values), system.initial_condition, times, Solver(rtol=1e-11, atol=1e-12))
    theirs = integrate(alone.bind(alone.values), system.initial_condition[:d], times, Solver(rtol=1e-11, atol=1e-12))
    np.testing.assert_allclose(ours.states[:, :d], theirs.states, atol=1e-6)


def test_only_the_response_is_seen():
    system = load_system("skew-activated-Lorenz-Duffing-4")
    state = np.stack([system.initial_condition, 2 * system.initial_condition])
    seen = system.observe(state, system.values)
    np.testing.assert_array_equal(seen, system.response.observe(state[:, 3:], system.response.values))
    assert not system.observes_state
    from strangecast.systems.graph import evaluate

    np.testing.assert_allclose(evaluate(system.observation, 0.0, state, system.values), seen)


def test_without_a_drive_the_response_is_itself():
    system = load_system("skew-additive-Lorenz-Rossler-0")
    off = system.values.copy()
    off[[n.startswith("drive[") for n in system.parameters]] = 0.0
    slope = system.rhs(0.0, system.initial_condition, off)
    response = system.response
    np.testing.assert_allclose(slope[3:], response.rhs(0.0, response.initial_condition, response.values), rtol=1e-13)


def test_additive_couplings_choose_coordinates_and_amplitudes():
    strengths = []
    for i in range(300):
        p = draw("additive", *SPEEDS, stream("test", i))
        drive, own = p[:12].reshape(3, 4), p[12:]
        assert ((drive != 0).sum(axis=1) <= 1).all()
        assert ((drive != 0).sum(axis=0) <= 1).all()
        np.testing.assert_array_equal(drive[:, 2], 0.0)  # a coordinate that does not move drives nothing
        np.testing.assert_array_equal(own, 1.0)
        # strength: size of the drive by size of the own flow, the same for all driven coordinates
        sizes = (np.abs(drive) * SPEEDS[0]).sum(axis=1) / SPEEDS[1]
        strengths.append(sizes.max())
        np.testing.assert_allclose(sizes[sizes > 0], sizes.max())
    assert STRENGTH[0] <= min(strengths) < 0.06
    assert 0.85 < max(strengths) <= STRENGTH[1]
    assert np.mean(np.log(strengths)) == pytest.approx(np.mean(np.log(STRENGTH)), abs=0.15)
    wide = draw("additive", SPEEDS[1], SPEEDS[0], stream("test", 0))[:12].reshape(4, 3)
    assert ((wide != 0).sum(axis=1) == 0).sum() >= 1  # four coordinates cannot be driven by three


def test_activated_couplings_have_rank_one_or_full():
    ranks, shares = [], []
    for i in range(400):
        gain, drive, own = np.split(draw("activated", *SPEEDS, stream("test", i)), [3, 15])
        ranks.append(np.linalg.matrix_rank(drive.reshape(3, 4)))
        assert np.linalg.matrix_rank(own.reshape(3, 3) - np.eye(3), tol=1e-9) <= 1
        np.testing.assert_allclose(gain / SPEEDS[1], gain[0] / SPEEDS[1][0])
        shares.append((drive.reshape(3, 4) * SPEEDS[0]).ravel())
    assert set(ranks) == {1, 3}
    assert 0.4 < np.mean(np.array(ranks) == 1) < 0.6
    # what goes into the activation is of order one
    assert np.std([s.reshape(3, 4).sum(axis=1) for s in shares]) == pytest.approx(np.sqrt(3 / 4), rel=0.15)


def test_attempts_draw_anew_and_more_weakly():
    system = load_system("skew-additive-Lorenz-Rossler-0")
    np.testing.assert_array_equal(system.redraw(0), system.values)
    first, again = system.redraw(1), system.redraw(1)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, system.values)
    own = len(system.driver.values) + len(system.response.values)
    np.testing.assert_array_equal(first[:own], system.values[:own])

    def strength(attempt, i):
        return (draw("additive", *SPEEDS, stream("test", i), attempt)[:12].reshape(3, 4) * SPEEDS[0]).max(
            axis=1
        ) / SPEEDS[1]

    for i in range(20):
        np.testing.assert_allclose(strength(1, i), np.maximum(0.5 * strength(0, i), LEAST * (strength(0, i) > 0)))


def test_couplings_of_a_pair_share_a_graph_and_differ_in_parameters():
    one, other = (load_system(f"skew-activated-Lorenz-Rossler-{i}") for i in (0, 1))
    assert one.graph is other.graph
    assert not np.array_equal(one.values, other.values)
    assert load_system("skew-activated-Lorenz-Rossler-1").period == other.period


@pytest.mark.parametrize(
    ("driver", "response"), [("Rossler", "Lorenz"), ("StickSlipOscillator", "Chen"), ("Chen", "Blasius")]
)
def test_clocks_bring_periods_together(driver, response):
    system = load_system(f"skew-additive-{driver}-{response}-0")
    there, here = system.driver.period, system.response.period
    ratio = there / system.clock / here
    assert 1 / CLOCK_RANGE * (1 - 1e-12) <= ratio <= CLOCK_RANGE * (1 + 1e-12)
    assert (system.clock == 1.0) == (1 / CLOCK_RANGE <= there / here <= CLOCK_RANGE)


def test_a_turn_of_a_sine_is_its_period():
    t = np.linspace(0, 40 * 2.5, 20_001)
    w = 2 * np.pi / 2.5
    states, slopes = np.stack([3 * np.sin(w * t), 5 + 0 * t], 1), np.stack([3 * w * np.cos(w * t), 0 * t], 1)
    system = load_system("Lorenz")
    system.bounded = np.ones(2, bool)
    assert turn(system, states, slopes) == pytest.approx(2.5, rel=1e-3)
    # an angle counts by its speed
    assert mean_turn(np.array([77.0]), np.array([w]), np.array([False])) == pytest.approx(2.5)


def test_the_period_follows_the_response_under_its_drive():
    system = load_system("skew-additive-Chua-Lorenz-0")
    assert system.period == float(f"{system.period:.2g}") != system.response.period
    assert system.period == pytest.approx(system.response.period, rel=0.2)
    alone = load_system("skew-additive-Chua-Lorenz-0")
    alone.values = alone.values.copy()
    alone.values[[n.startswith("drive[") for n in alone.parameters]] = 0.0
    assert alone.period == pytest.approx(alone.response.period, rel=0.05)
    alone.values = alone.values.copy()
    alone.values[[n.startswith("own[") for n in alone.parameters]] = 0.5
    del alone.period
    # half the flow, twice the time of a turn
    assert alone.period == pytest.approx(2 * alone.response.period, rel=0.1)


def test_the_period_is_the_catalogued_one_where_the_pilot_fails():
    system = load_system("skew-additive-Lorenz-Rossler-0")
    system.values = np.where([n.startswith("drive[") for n in system.parameters], 1e6, system.values)
    assert system.period == system.response.period


@pytest.mark.parametrize("name", ["Lorenz", "Duffing", "HyperPang"])
def test_the_table_of_scales_is_what_is_measured(name):
    for stored, found in zip(flow_scales(name), measure(name), strict=True):
        np.testing.assert_allclose(stored, found, rtol=0.1)  # of chaotic trajectories


def test_every_flow_has_scales():
    for entry in catalogue.entries().values():
        if entry.kind == "flow":
            spread, speed = flow_scales(entry.name)
            assert len(spread) == len(speed) == entry.dim
            assert np.isfinite(spread).all()
            assert (speed > 0).any()


def test_lanes_give_what_scipy_gives():
    system = load_system("skew-activated-Chua-Aizawa-0")
    times = np.linspace(0, 2 * system.response.period, 40)
    ours = integrate_ensemble(system.graph, system.initial_condition[None], times, system.values, Solver(), once=True)
    theirs = integrate(system.bind(system.values), system.initial_condition, times, Solver(rtol=1e-12, atol=1e-13))
    np.testing.assert_allclose(ours.states[0], theirs.states, rtol=1e-5, atol=1e-6)
