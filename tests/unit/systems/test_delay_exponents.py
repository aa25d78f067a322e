"""Exponents of delay flows: linear ones have the real parts of their characteristic roots."""

from __future__ import annotations

import numpy as np
import pytest
from dysts import flows
from scipy.special import lambertw

from strangecast.systems.delay_exponents import delay_pair_rates, delay_spectrum_rates, pair
from strangecast.systems.graph import evaluate
from strangecast.systems.integrate import Solver
from strangecast.systems.method_of_steps import simulate_delay
from strangecast.systems.symbols import Builder
from strangecast.systems.tracing import trace_delay

SOLVER = Solver(rtol=1e-8)


def linear(a):
    """x' = a x(t - 1)."""
    b = Builder(1, 1)
    graph = b.graph([b.parameters[0] * b.delayed(0, 1.0)])
    system = type("Delay", (), {"graph": graph, "period": None})
    # Around x = 0 all is linear, wherever one is: the trajectory itself stays there.
    return graph, simulate_delay(system, [0.0], np.array([0.0, 1.0]), np.array([a])).segment


def test_characteristic_roots_of_a_linear_equation():
    a = -1.3
    graph, start = linear(a)
    roots = np.array([lambertw(a, n).real for n in range(-4, 4)])
    rates = delay_spectrum_rates(graph, start, np.array([a]), np.ones(1), SOLVER, 6, 120, ("linear",))
    np.testing.assert_allclose(rates.mean(axis=0), np.sort(roots)[::-1][:6], atol=0.02)


def test_the_second_solution_grows_by_the_first_root():
    for a in (0.7, -1.3):
        graph, start = linear(a)
        rates = delay_pair_rates(graph, start, np.array([a]), np.ones(1), SOLVER, 100, 1e-7, ("linear",))
        assert rates.mean() == pytest.approx(lambertw(a).real, abs=0.01)


@pytest.mark.parametrize(("name", "lags"), [("IkedaDelay", 300), ("MackeyGlass", 60)])
def test_both_methods_agree(name, lags):
    flow = getattr(flows, name)()
    graph, parameters = trace_delay(flow), np.array(flow.param_list, float)
    lag = flow.tau
    system = type("Delay", (), {"graph": graph, "period": flow.period})
    found = simulate_delay(system, flow.ic[:1], np.linspace(0, 60 * lag, 600), parameters)
    scale = found.states.std(axis=0)
    tangents = delay_spectrum_rates(graph, found.segment, parameters, scale, SOLVER, 2, lags, (name,))
    pairs = delay_pair_rates(graph, found.segment, parameters, scale, SOLVER, lags, 1e-7, (name,))
    error = np.hypot(tangents[:, 0].std(), pairs.std()) / np.sqrt(lags / 4)
    assert abs(tangents[:, 0].mean() - pairs.mean()) < 3 * error + 1e-3
    assert (np.diff(tangents.mean(axis=0)) < 0).all()
    same = delay_spectrum_rates(graph, found.segment, parameters, scale, SOLVER, 2, lags, (name,))
    np.testing.assert_array_equal(tangents, same)


def test_a_pair_is_two_copies():
    flow = flows.MackeyGlass()
    graph = trace_delay(flow)
    both = pair(graph)
    parameters = np.array(flow.param_list, float)
    past = lambda values: lambda i, lag: np.array(values)[i]  # noqa: E731
    found = evaluate(both, 0.0, np.array([0.4, 1.1]), parameters, past([0.9, 0.3]))
    one = evaluate(graph, 0.0, np.array([0.4]), parameters, past([0.9]))
    two = evaluate(graph, 0.0, np.array([1.1]), parameters, past([0.3]))
    np.testing.assert_array_equal(found, np.concatenate([one, two]))


def test_what_cannot_be_followed_has_no_exponent():
    b = Builder(1, 0)
    graph = b.graph([b.state[0] ** 2 + b.delayed(0, 1.0)])
    system = type("Delay", (), {"graph": graph, "period": None})
    start = simulate_delay(system, [1.0], np.array([0.0, 0.1]), np.zeros(0)).segment
    assert delay_spectrum_rates(graph, start, np.zeros(0), np.ones(1), SOLVER, 1, 20, ()) is None
    assert delay_pair_rates(graph, start, np.zeros(0), np.ones(1), SOLVER, 20, 1e-7, ()) is None
