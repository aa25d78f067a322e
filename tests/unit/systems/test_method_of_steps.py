"""Delay equations against exact solutions, and what is refused."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import lambertw

from strangecast.core.errors import ConfigError
from strangecast.systems.graph import evaluate
from strangecast.systems.integrate import Solver
from strangecast.systems.method_of_steps import carried_breaks, lags_of, simulate_delay
from strangecast.systems.symbols import Builder

TIGHT = Solver(rtol=1e-12, atol=1e-13)
NONE = np.zeros(0)


def delay_system(dim, n_parameters, slopes, period=None):
    """A system whose graph is ``slopes(builder)``."""
    b = Builder(dim, n_parameters)
    return SimpleNamespace(graph=b.graph(slopes(b)), period=period)


def feedback(lag=1.0):
    """x' = -x(t - lag)."""
    return delay_system(1, 0, lambda b: [b.add("neg", (b.delayed(0, lag),))])


MACKEY_GLASS = np.array([0.2, 0.1, 10.0, 16.0])


def mackey_glass():
    def slopes(b):
        beta, gamma, n, tau = b.parameters
        late = b.delayed(0, tau)
        return [beta * (late / (1 + late**n)) - gamma * b.state[0]]

    return delay_system(1, 4, slopes, period=5.96)


def by_steps(t, lag=1.0):
    """Solution of x' = -x(t - lag) with x = 1 before 0: a polynomial of degree k on the k-th lag."""
    x = np.zeros_like(t)
    for k in range(40):
        x += np.where(t >= (k - 1) * lag, (-np.clip(t - (k - 1) * lag, 0, None)) ** k / math.factorial(k), 0)
    return x


@pytest.mark.parametrize("lag", [1.0, 0.3, 2.7])
def test_piecewise_polynomials(lag):
    times = np.linspace(0, 8 * lag, 321)
    found = simulate_delay(feedback(lag), [1.0], times, NONE, TIGHT)
    assert found.finished
    np.testing.assert_allclose(found.states[:, 0], by_steps(times, lag), rtol=0, atol=1e-10)


def test_a_lag_that_is_a_parameter():
    system = delay_system(1, 1, lambda b: [b.add("neg", (b.delayed(0, b.parameters[0]),))])
    times = np.linspace(0, 5, 100)
    for lag in (0.5, 1.25):
        found = simulate_delay(system, [1.0], times, np.array([lag]), TIGHT)
        np.testing.assert_allclose(found.states[:, 0], by_steps(times, lag), rtol=0, atol=1e-10)


def test_growth_by_a_characteristic_root():
    # lambda = a exp(-lambda): x = exp(lambda t) for ever if it was so on the last lag; a complex root here.
    a = -2.5
    root = complex(lambertw(a, 0))
    system = delay_system(1, 1, lambda b: [b.parameters[0] * b.delayed(0, 1.0)])
    times = np.linspace(0, 10, 50)
    found = simulate_delay(system, lambda t: [np.exp(root * t).real], times, np.array([a]), TIGHT)
    np.testing.assert_allclose(found.states[:, 0], np.exp(root * times).real, rtol=1e-9, atol=1e-9)


def test_two_lags_and_two_coordinates():
    # x' = a y(t - 1/3) + b x(t - sqrt 2), y' = -x(t - 1), solved by x = c exp(r t), y = exp(r t).
    r, long, short = 0.4, math.sqrt(2), 1 / 3
    c = -r * math.exp(r)
    feedback = 0.3 * c
    a = (r * c - feedback * math.exp(-r * long)) * math.exp(r * short)
    system = delay_system(
        2,
        2,
        lambda b: [
            b.parameters[0] * b.delayed(1, short) + b.parameters[1] * b.delayed(0, long),
            -b.delayed(0, 1.0),
        ],
    )
    times = np.linspace(0, 6, 40)
    parameters = np.array([a, feedback / c])
    assert len(lags_of(system.graph, parameters)) == 3
    found = simulate_delay(system, lambda t: [c * math.exp(r * t), math.exp(r * t)], times, parameters, TIGHT)
    np.testing.assert_allclose(found.states, np.outer(np.exp(r * times), [c, 1.0]), rtol=1e-9)


def test_errors_fall_with_the_tolerance():
    system, times = mackey_glass(), np.linspace(0, 120, 200)
    reference = simulate_delay(system, [0.8], times, MACKEY_GLASS, Solver(rtol=1e-13, atol=1e-14)).states
    errors = [
        np.abs(simulate_delay(system, [0.8], times, MACKEY_GLASS, Solver(rtol=r, atol=r / 10)).states - reference).max()
        for r in (1e-4, 1e-7, 1e-10)
    ]
    assert errors[0] < 1e-2
    assert errors[1] < errors[0] / 50
    assert errors[2] < min(errors[1] / 50, 1e-8)


def test_the_order_holds_across_the_jumps():
    # Constant history: derivative k jumps at k lags. Steps that ignored that would lose digits by the dozen.
    times = np.linspace(0, 10, 7)
    found = simulate_delay(feedback(), [1.0], times, NONE, Solver(rtol=1e-9, atol=1e-10))
    assert found.evaluations < 600
    np.testing.assert_allclose(found.states[:, 0], by_steps(times), rtol=0, atol=1e-9)


def test_jumps_are_carried_on_by_every_lag():
    found = dict(carried_breaks([(0.0, 0)], np.array([1.0, 0.4]), 3.0))
    assert found[0.0] == 0
    assert {0.4: 1, 0.8: 2, 1.0: 1, 1.2: 3, 1.4: 2, 2.0: 2}.items() <= {
        round(t, 12): n for t, n in found.items()
    }.items()
    assert max(found) <= 3.0
    assert max(found.values()) < 8
    # Half a lag: every second jump arrives by two ways and keeps the lower level.
    found = carried_breaks([(0.0, 0)], np.array([0.1, 0.3]), 9.0)
    assert np.diff([t for t, _ in found]).min() > 0.09
    assert min(n for t, n in found if abs(t - 0.6) < 1e-9) == 2


def test_the_grid_does_not_influence_the_steps():
    system = mackey_glass()
    fine = simulate_delay(system, [0.8], np.linspace(0, 200, 401), MACKEY_GLASS)
    coarse = simulate_delay(system, [0.8], np.linspace(0, 200, 101), MACKEY_GLASS)
    assert fine.evaluations == coarse.evaluations
    np.testing.assert_array_equal(fine.states[::4], coarse.states)


def test_same_bits_and_restart():
    system = mackey_glass()
    times = np.linspace(0, 300, 301)
    whole = simulate_delay(system, [0.8], times, MACKEY_GLASS, TIGHT)
    np.testing.assert_array_equal(whole.states, simulate_delay(system, [0.8], times, MACKEY_GLASS, TIGHT).states)
    # 40 is within the lags after the start in which derivatives still jump.
    first = simulate_delay(system, [0.8], times[:41], MACKEY_GLASS, TIGHT)
    second = simulate_delay(system, first.segment, times[40:], MACKEY_GLASS, TIGHT)
    np.testing.assert_allclose(np.r_[first.states, second.states[1:]], whole.states, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(second.states[0], first.states[-1])


def test_only_the_last_lag_is_kept():
    found = simulate_delay(mackey_glass(), [0.8], np.array([0.0, 4000.0]), MACKEY_GLASS)
    segment = found.segment
    assert segment.end == 4000.0
    assert segment.starts[0] <= 4000.0 - 16.0 < segment.starts[1]
    assert len(segment.starts) < 40


def test_offsets_give_a_delay_embedding():
    system = mackey_glass()
    times = np.arange(0, 101, 4.0)
    plain = simulate_delay(system, [0.8], times, MACKEY_GLASS).states[:, 0]
    embedded = simulate_delay(system, [0.8], times, MACKEY_GLASS, offsets=[0.0, 4.0, 20.0]).states
    assert embedded.shape == (26, 3)
    np.testing.assert_allclose(embedded[:, 0], plain, rtol=0, atol=0)
    np.testing.assert_allclose(embedded[1:, 1], plain[:-1], rtol=0, atol=1e-13)
    np.testing.assert_allclose(embedded[5:, 2], plain[:-5], rtol=0, atol=1e-13)
    assert (embedded[:5, 2] == 0.8).all()


def test_the_segment_solves_the_equation():
    system = mackey_glass()
    segment = simulate_delay(system, [0.8], np.array([0.0, 100.0]), MACKEY_GLASS, TIGHT, offsets=[32.0]).segment
    t, eps = np.linspace(86, 99, 20), 1e-4
    slope = (segment(t + eps) - segment(t - eps)) / (2 * eps)
    expected = evaluate(system.graph, 0.0, segment(t), MACKEY_GLASS, lambda i, lag: segment(t - lag)[..., i])
    np.testing.assert_allclose(slope, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("MackeyGlass", lambda x, late, p: p["beta"] * (late / (1 + late ** p["n"])) - p["gamma"] * x),
        ("VossDelay", lambda x, late, p: -p["alpha"] * x - 10.44 * late**3 - 13.95 * late**2 - 3.63 * late + 0.85),
        (
            "PiecewiseCircuit",
            lambda x, late, p: -p["alpha"] * late + p["beta"] * (3 * late / p["c"] - (late / p["c"]) ** 3),
        ),
    ],
)
def test_near_the_trajectories_of_dysts(name, slope):
    # dysts interpolates the past linearly on the output grid: two digits over a few lags.
    from dysts import flows

    flow = getattr(flows, name)()
    n, lag = 800, float(flow.tau)
    state = np.random.get_state()
    _, theirs = flow.make_trajectory(n, pts_per_period=n * flow.period / (2 * lag), return_times=True)
    np.random.set_state(state)
    system = delay_system(1, 0, lambda b: [slope(b.state[0], b.delayed(0, lag), flow.params)])
    times = np.concatenate([[0.0], np.linspace(lag, 3 * lag, n)])
    ours = simulate_delay(system, flow.ic[:1], times, NONE, offsets=np.linspace(0, lag, 10)).states[1:]
    assert np.abs(ours - theirs).mean() < 0.01 * np.abs(theirs).mean()


@pytest.mark.parametrize(
    ("slopes", "history", "solver", "status"),
    [
        (lambda b: [5.0 * b.delayed(0, 1.0)], [1.0], Solver(), "diverged"),
        (lambda b: [b.add("log", (b.delayed(0, 1.0),))], [-1.0], Solver(), "non-finite"),
        (lambda b: [1.0 - b.delayed(0, 0.1)], [0.5], Solver(evaluations_per_period=100), "budget exhausted"),
        (lambda b: [b.state[0] ** 2 + 0.0 * b.delayed(0, 1.0)], [1.0], Solver(limit=1e300), "step too small"),
        (lambda b: [-b.delayed(0, 1.0)], [1.0], Solver(), "finished"),
    ],
)
def test_every_status(slopes, history, solver, status):
    times = np.linspace(0, 20, 21)
    found = simulate_delay(delay_system(1, 0, slopes), history, times, NONE, solver)
    assert found.status == status
    assert (len(found.states) == len(times)) == (status == "finished")
    assert np.isfinite(found.states).all()


def test_lags_that_cannot_be_followed_are_refused():
    by_parameter = delay_system(1, 1, lambda b: [-b.delayed(0, b.parameters[0])])
    for lag in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ConfigError, match="positive"):
            simulate_delay(by_parameter, [1.0], np.array([0.0, 1.0]), np.array([lag]))
    by_state = delay_system(1, 0, lambda b: [-b.delayed(0, 1 + b.state[0] ** 2)])
    with pytest.raises(ConfigError, match="depends on state"):
        simulate_delay(by_state, [1.0], np.array([0.0, 1.0]), NONE)
    with pytest.raises(ConfigError, match="no delayed coordinate"):
        simulate_delay(delay_system(1, 0, lambda b: [-b.state[0]]), [1.0], np.array([0.0, 1.0]), NONE)


def test_histories_that_do_not_fit_are_refused():
    times = np.array([0.0, 1.0])
    for history, words in [
        ([1.0, 2.0], "2 coordinates"),
        ([math.nan], "not finite"),
        (lambda t: [t, t] if t < -0.2 else [t], "shape"),
        (lambda t: [math.sin(1e9 * t)], "too rough"),
        (simulate_delay(feedback(0.5), [1.0], times, NONE).segment, "needed on"),
    ]:
        with pytest.raises(ConfigError, match=words):
            simulate_delay(feedback(), history, times, NONE)
    with pytest.raises(ConfigError, match="offsets"):
        simulate_delay(feedback(), [1.0], times, NONE, offsets=[-1.0])
    with pytest.raises(ConfigError, match="4 parameters"):
        simulate_delay(mackey_glass(), [1.0], times, NONE)
