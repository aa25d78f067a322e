"""Spectra by tangent dynamics: known exponents, exact sums, saltation, and an independent method beside it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.systems import catalogue
from strangecast.systems.exponent_rates import Pace, pair_rates, tangent_rates
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system
from strangecast.systems.lyapunov_spectrum import (
    lyapunov_spectrum,
    spectrum_from,
    two_trajectory_exponent,
)
from strangecast.systems.lyapunov_starts import Starts, means_and_errors, starts_on_attractor
from strangecast.systems.symbols import Builder

NONE = np.zeros(0)
# Largest exponents found in the literature for the parameters of dysts: J. C. Sprott, Chaos and Time-Series Analysis
# (2003), appendix A.
SPROTT = {"SprottB": 0.210, "SprottC": 0.163, "SprottF": 0.117, "SprottJ": 0.076, "SprottS": 0.188}


def rates_of(graph, state, pace, k, **settings):
    starts = Starts(0.0, np.atleast_2d(state).astype(float), np.ones(graph.dim))
    return tangent_rates(graph, starts, NONE, np.full(graph.dim, 1e9), pace, k, ("test",), **settings)


def test_lorenz():
    system = load_system("Lorenz")
    found = lyapunov_spectrum(system, system.values)
    assert (np.abs(found.values - [0.906, 0.0, -14.57]) < 3 * found.errors).all()
    assert (found.errors < 0.01).all()
    assert found.dimension == pytest.approx(2.062, abs=3e-3)
    assert 0 < found.dimension_error < 2e-3
    # sigma + 1 + beta of dysts, where beta is not 8/3 to all digits.
    assert found.values.sum() == pytest.approx(-13.667, rel=1e-3)


@pytest.mark.parametrize(
    "name", ["Rossler", "HastingsPowell", "HindmarshRose", "Lorenz96", "Chua", "AtmosphericRegime"]
)
def test_strong_contraction_does_not_collapse_the_vectors(name):
    system = load_system(name)
    starts = starts_on_attractor(system, system.values, 0, 8, 50.0, Solver())
    found = spectrum_from(system, system.values, starts, system.dim, 0, 300.0, 1e-7, Solver())
    assert np.isfinite(found.values).all()
    assert (np.diff(found.values) < 0).all()
    assert found.values.sum() == pytest.approx(found.divergence, rel=1e-3)
    assert (np.abs(found.values) < 3 * found.errors).sum() == 1
    value, error = two_trajectory_exponent(system, system.values, starts, 0, 300.0, Solver())
    assert abs(value - found.values[0]) < max(0.1 * found.values[0], 3 * math.hypot(error, found.errors[0]))


@pytest.mark.parametrize("name", SPROTT)
def test_exponents_of_the_literature(name):
    system = load_system(name)
    found = lyapunov_spectrum(system, system.values, periods=600)
    assert abs(found.values[0] - SPROTT[name]) < 3 * found.errors[0] + 5e-4


def test_a_conservative_flow():
    system = load_system("NuclearQuadrupole")
    found = lyapunov_spectrum(system, system.values, periods=100)
    np.testing.assert_allclose(found.values, -found.values[::-1], atol=1e-4)
    assert found.dimension == 4.0


def test_eigenvalues_of_a_linear_flow():
    b = Builder(3, 0)
    x, y, z = b.state
    graph = b.graph([-0.1 * x + 2.0 * y, -2.0 * x - 0.1 * y, 0.3 * z - x])
    found = rates_of(graph, [[1.0, 0.0, 1e-3]], Pace(30.0, 40.0, 1e-3, 10**7, 1e-9), 3)
    np.testing.assert_allclose(found.rates.mean(axis=(0, 1)), [0.3, -0.1, -0.1], atol=2e-3)
    np.testing.assert_allclose(found.divergences, 0.1, rtol=1e-9)


def crossing():
    """x' = 1; y' = -y where x < 0, else 2 - y."""
    b = Builder(2, 0)
    x, y = b.state
    return b.graph([b.add("constant", value=1.0), b.add("sign", (x,)) + 1.0 - y])


def test_saltation_is_that_of_the_flow_map():
    x0, span = -0.7, 1.9
    found = rates_of(crossing(), [[x0, 0.4]], Pace(0.0, span, 1e-3, 10**7, 1e-10), 2)
    flow_map = np.array([[1.0, 0.0], [2 * math.exp(-(span + x0)), math.exp(-span)]])
    # The vectors start as they were drawn; logarithms of growth are those of R in the QR decomposition.
    first = np.linalg.qr(stream("tangents", "test").standard_normal((2, 2)))[0]
    growth = np.log(np.abs(np.diag(np.linalg.qr(flow_map @ first)[1])))
    np.testing.assert_allclose(found.rates.mean(axis=1)[0] * span, growth, atol=1e-6)
    assert found.saltation
    assert not found.slides


def test_without_saltation_the_jump_would_be_missed():
    b = Builder(2, 0)
    x, y = b.state
    kink = b.graph([b.add("constant", value=1.0), b.add("abs", (x,)) - y])
    found = rates_of(kink, [[-0.7, 0.4]], Pace(0.0, 1.9, 1e-3, 10**7, 1e-10), 2)
    assert not found.saltation
    # d|x|/dx jumps from -1 to 1; the flow map is that of the smooth pieces one after the other.
    a, c = 0.7, 1.2
    before = np.array([[1.0, 0.0], [-(1 - math.exp(-a)), math.exp(-a)]])
    after = np.array([[1.0, 0.0], [1 - math.exp(-c), math.exp(-c)]])
    first = np.linalg.qr(stream("tangents", "test").standard_normal((2, 2)))[0]
    growth = np.log(np.abs(np.diag(np.linalg.qr(after @ before @ first)[1])))
    np.testing.assert_allclose(found.rates.mean(axis=1)[0] * 1.9, growth, atol=1e-6)


@pytest.mark.parametrize("name", ["AnishchenkoAstakhov", "Colpitts"])
def test_switches_of_continuous_fields_are_kinks(name):
    system = load_system(name)
    found = lyapunov_spectrum(system, system.values)
    assert found.method == "tangent"
    assert found.chaotic == found.neutral == 8


@pytest.mark.parametrize("name", ["FluidTrampoline", "SprottMore"])
def test_flows_with_jumps(name):
    system = load_system(name)
    starts = starts_on_attractor(system, system.values, 0, 8, 50.0, Solver())
    found = spectrum_from(system, system.values, starts, system.dim, 0, 600.0, 1e-7, Solver())
    assert found.method == "tangent with saltation"
    assert found.values.sum() == pytest.approx(found.divergence, abs=1e-3 * np.abs(found.values).sum())
    assert np.abs(found.values).min() < 3 * found.errors[np.abs(found.values).argmin()]
    value, error = two_trajectory_exponent(system, system.values, starts, 0, 600.0, Solver())
    assert abs(value - found.values[0]) < max(0.1 * found.values[0], 3 * math.hypot(error, found.errors[0]))


def test_neighbours_and_their_number_change_no_bit():
    system = load_system("SprottMore")
    starts = starts_on_attractor(system, system.values, 0, 11, 20.0, Solver())
    some = Starts(starts.time, starts.states[[9, 2, 5]], starts.scale)
    pace, limits = Pace(10.0, 60.0, 1e-3, 10**7, 1e-7), np.full(3, 1e6)
    whole = tangent_rates(system.graph, starts, system.values, limits, pace, 3, ("bits",))
    part = tangent_rates(system.graph, some, system.values, limits, pace, 3, ("bits",))
    np.testing.assert_array_equal(whole.rates[[9, 2, 5]], part.rates)


def test_the_portable_path_agrees(monkeypatch):
    system = load_system("SprottMore")
    starts = starts_on_attractor(system, system.values, 0, 2, 20.0, Solver())
    # Short of the time in which last bits grow to the size of the attractor.
    pace, limits = Pace(0.0, 20.0, 1e-3, 10**7, 1e-9), np.full(3, 1e6)
    fast = tangent_rates(system.graph, starts, system.values, limits, pace, 3, ("path",))
    monkeypatch.setenv("STRANGECAST_LANES", "numba")
    slow = tangent_rates(system.graph, starts, system.values, limits, pace, 3, ("path",))
    np.testing.assert_allclose(slow.rates.mean(axis=1), fast.rates.mean(axis=1), atol=1e-3)


def test_what_cannot_be_followed_has_no_spectrum():
    system = load_system("Lorenz")
    found = lyapunov_spectrum(system, system.values, solver=Solver(limit=1.0))
    assert np.isnan(found.values).all()
    assert np.isnan(found.dimension)
    spent = lyapunov_spectrum(
        system, system.values, periods=50, transient_periods=1, solver=Solver(evaluations_per_period=20)
    )
    assert np.isnan(spent.values).all()


def test_numbers_of_vectors_that_cannot_be():
    system = load_system("Lorenz")
    for count in (0, 4):
        with pytest.raises(ConfigError, match="1 to D"):
            lyapunov_spectrum(system, system.values, count=count)
    with pytest.raises(ConfigError, match="graph"):
        lyapunov_spectrum(load_system("MackeyGlass"), load_system("MackeyGlass").values)


def test_errors_have_both_parts():
    rng = np.random.default_rng(0)
    rates = 0.3 + rng.normal(0, 1, (400, 10))
    value, error = means_and_errors(rates, 1e9)
    assert abs(value - 0.3) < 4 * error
    assert error == pytest.approx(1 / math.sqrt(4000), rel=0.1)
    apart = 0.3 + np.tile(rng.normal(0, 1, (100, 1)), (1, 10))
    assert means_and_errors(apart, 1e9)[1] == pytest.approx(1 / math.sqrt(100), rel=0.2)
    assert means_and_errors(np.full((2, 10), 0.3), 100.0)[1] == pytest.approx(1 / 100)
    left = np.where(np.arange(10) < 7, rates, np.nan)
    assert means_and_errors(left, 1e9)[0] == pytest.approx(rates[:, :7].mean())


def test_what_leaves_counts_until_then():
    # x' = x - 1e-3: away from an unstable point; leaves at |x| = 2.
    b = Builder(1, 0)
    graph = b.graph([b.state[0] - 1e-3])
    near = 1e-3 + np.array([[1e-9], [1e-6], [1e-3], [-1e-9], [1e-12]])
    starts = Starts(0.0, near, np.ones(1))
    pace = Pace(0.0, 20.0, 1e-3, 10**7, 1e-9)
    found = tangent_rates(graph, starts, NONE, np.full(1, 2.0), pace, 1, ("leaves",))
    kept = np.isfinite(found.rates[:, :, 0]).sum(axis=1)
    assert kept.tolist() == [10, 7, 3, 10, 10]
    np.testing.assert_allclose(found.rates[np.isfinite(found.rates)], 1.0, rtol=1e-6)
    assert tangent_rates(graph, Starts(0.0, near[2:3], np.ones(1)), NONE, np.full(1, 2.0), pace, 1, ("leaves",)) is None


def test_the_portable_path_agrees_on_pairs(monkeypatch):
    system = load_system("Thomas")
    starts = starts_on_attractor(system, system.values, 0, 2, 20.0, Solver())
    pace, limits = Pace(0.0, 20.0, 1e-3, 10**7, 1e-11), np.full(3, 1e6)
    fast = pair_rates(system.graph, starts, system.values, limits, pace, 1e-6, ("path",))
    monkeypatch.setenv("STRANGECAST_LANES", "numba")
    slow = pair_rates(system.graph, starts, system.values, limits, pace, 1e-6, ("path",))
    np.testing.assert_allclose(slow.mean(axis=1), fast.mean(axis=1), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", [e.name for e in catalogue.entries().values() if e.kind == "flow"])
def test_every_flow(name):
    system, solver = load_system(name), Solver()
    starts = starts_on_attractor(system, system.values, 0, 8, 50.0, solver)
    found = spectrum_from(system, system.values, starts, system.dim, 0, 300.0, 1e-7, solver)
    finite = np.isfinite(found.values)
    # Sliding along a surface loses one direction altogether.
    assert (~finite).sum() == (name == "StickSlipOscillator")
    if finite.all():
        assert abs(found.values.sum() - found.divergence) <= 1e-3 * max(np.abs(found.values).sum(), 1e-12)
    # One direction is neutral: that of the flow, or of the phase of a drive. PanXuZhou may have come to rest.
    assert found.neutral == found.initial_conditions or name == "PanXuZhou"
    value, error = two_trajectory_exponent(system, system.values, starts, 0, 300.0, solver)
    allowed = max(0.1 * abs(found.values[0]), 3 * math.hypot(error, found.errors[0]))
    # LiuChen's chaos is kept alive by errors of integration, so the two need not agree: docs/lyapunov.md.
    assert abs(value - found.values[0]) <= allowed or name == "LiuChen"
