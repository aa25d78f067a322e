"""Systems written as one function, and the textbook systems among them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml

from strangecast.core.errors import ConfigError
from strangecast.core.spec import Channel
from strangecast.core.streams import stream
from strangecast.systems import catalogue, options
from strangecast.systems.derivatives import jacobian
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system
from strangecast.systems.numpy_field import batch
from strangecast.systems.ode_system import OdeSystem
from strangecast.systems.period import dominant_period
from strangecast.systems.tracing import trace

TIGHT = Solver(rtol=1e-12, atol=1e-13)
TEXTBOOK = options.names()


class Mine(OdeSystem):
    """A damped oscillator whose phase is counted."""

    coordinates = ("x", "v", "phase")
    constants = ("k", "c")
    unbounded = ("phase",)

    def equations(self, t, state, parameters):
        x, v, _ = state
        k, c = parameters
        return v, -k * x - c * v, 1.0


GIVEN = {"period": 6.0, "initial_condition": [1, 0, 0], "parameters": {"k": 1.0, "c": 0.1}}


def test_what_a_class_and_its_numbers_give():
    system = Mine("mine", **GIVEN)
    assert (system.name, system.dim, system.parameters) == ("mine", 3, ("k", "c"))
    assert system.channels == (Channel("x"), Channel("v"), Channel("phase"))
    assert system.offers == {"vector_field", "jacobian", "stepper", "state"}
    assert system.bounded.tolist() == [True, True, False]
    assert system.observes_state
    np.testing.assert_array_equal(system.values, [1.0, 0.1])
    np.testing.assert_allclose(system.rhs(0.0, np.array([1.0, 2.0, 5.0]), system.values), [2.0, -1.2, 1.0])
    np.testing.assert_allclose(system.jacobian(0.0, np.ones(3), system.values), [[0, 1, 0], [-1, -0.1, 0], [0, 0, 0]])
    # exact: x'' = -k x - c x'
    times = np.linspace(0, 10, 50)
    path = system.simulate(system.initial_condition, times, system.values, TIGHT).states[:, 0]
    w = np.sqrt(1 - 0.05**2)
    np.testing.assert_allclose(
        path, np.exp(-0.05 * times) * (np.cos(w * times) + 0.05 / w * np.sin(w * times)), atol=1e-10
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"parameters": {"k": 1.0}}, "needs a value of its parameter c"),
        ({"parameters": {"k": 1.0, "c": 1.0, "kk": 2.0}}, "no parameter of system 'mine' 'kk'; did you mean 'k'"),
        ({"parameters": {"k": 1.0, "c": float("nan")}}, "needs 2 finite parameters"),
        ({"parameters": {"k": 1.0, "c": "much"}}, "needs 2 parameters"),
        ({"initial_condition": [1.0, 2.0]}, "needs 3 finite numbers in initial_condition, found \\[1.0, 2.0\\]"),
        ({"initial_condition": None}, "needs 3 numbers in initial_condition"),
        ({"period": 0.0}, "needs a positive period"),
        ({"period": None}, "number as its period"),
    ],
)
def test_numbers_that_do_not_fit(changed, message):
    with pytest.raises(ConfigError, match=message):
        Mine("mine", **(GIVEN | changed))


def test_equations_that_cannot_be_traced():
    class Short(Mine):
        def equations(self, t, state, parameters):
            return state[0], state[1]

    class Deciding(Mine):
        def equations(self, t, state, parameters):
            return state if state[0] > 0 else -state

    class Blind(Mine):
        channels = ("x", "v")

        def observed(self, state, parameters):
            return state

    for cls, message in (
        (Short, "function of mine returns 2 numbers, 3 are needed"),
        (Deciding, "function of mine decides by the value"),
        (Blind, "function of mine's observation returns 3 numbers, 2 are needed"),
    ):
        with pytest.raises(ConfigError, match=message):
            cls("mine", **GIVEN)


# Options


@pytest.mark.parametrize("name", TEXTBOOK)
def test_the_catalogue_says_what_the_system_is(name):
    entry, system = catalogue.lookup(name), load_system(name)
    assert (entry.name, entry.dim, entry.parameters) == (name, system.dim, system.parameters)
    assert entry.offers == system.offers
    assert entry.channels == len(system.channels)
    assert entry.period == system.period
    assert list(entry.unbounded) == np.flatnonzero(~system.bounded).tolist()
    assert np.isfinite(system.rhs(0.0, system.initial_condition, system.values)).all()


def test_a_changed_configuration():
    config = options.read("lorenz96_n") | {"dim": 7}
    assert load_system("lorenz96_n", config).dim == 7
    assert catalogue.lookup("lorenz96_n", config).dim == 7
    assert load_system("lorenz96_n").dim == 40


def test_names_do_not_hide_those_of_dysts():
    assert not set(TEXTBOOK) & set(catalogue.entries())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("_target_: strangecast.systems.lorenz96.Lorenz97", "cannot be imported"),
        ("_target_: strangecast.systems.graph.Graph", "is no System"),
        ("_target_: strangecast.systems.robertson.Robertson", "does not take its configuration"),
        ("title: nothing", "names no _target_"),
        ("- 1", "names no _target_"),
        ("a: [", "is no YAML"),
        ("{defaults: [chaos], _target_: x}", "the key 'defaults', which systems do not know"),
        ("{at: {smoke: {dim: 4}}, _target_: x}", "the key 'at'"),
    ],
)
def test_files_that_cannot_work(text, message, tmp_path, monkeypatch):
    (tmp_path / "broken.yaml").write_text(text)
    monkeypatch.setattr(options, "FOLDER", tmp_path)
    monkeypatch.setattr(options, "names", lambda: ("broken",))
    with pytest.raises(ConfigError, match=message):
        load_system("broken")


def test_an_unknown_name():
    with pytest.raises(ConfigError, match="did you mean 'robertson'"):
        load_system("robertsen")


def test_looking_them_up_imports_nothing_heavy():
    heavy = ("torch", "numba", "scipy", "pandas", "dysts", "hydra", "omegaconf")
    code = (
        f"import sys; from strangecast.systems import catalogue; [catalogue.lookup(n) for n in {TEXTBOOK!r}];"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_registry_composes_what_this_room_reads():
    for name in TEXTBOOK:
        text = (options.FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        assert options.read(name) == yaml.safe_load(text)
        assert options.read(name)["title"]


# Textbook systems


def test_lotka_volterra_stays_on_its_orbit():
    system = load_system("lotka_volterra")
    (a, b, c, d), period = system.values, system.period
    path = system.simulate(system.initial_condition, np.linspace(0, period, 100), system.values, TIGHT).states
    x, y = path.T
    level = c * x - d * np.log(x) + b * y - a * np.log(y)
    np.testing.assert_allclose(level, level[0], rtol=1e-10)
    np.testing.assert_allclose(path[-1], path[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "solver"), [("van_der_pol", TIGHT), ("van_der_pol_stiff", Solver("radau", 1e-8, 1e-10))]
)
def test_van_der_pol_returns_after_its_period(name, solver):
    system = load_system(name)
    times = np.array([0.0, 3.0, 4.0]) * system.period
    path = system.simulate(system.initial_condition, times, system.values, solver).states
    np.testing.assert_allclose(path[2, 0], path[1, 0], rtol=1e-4)
    assert np.abs(path[1, 0]) > 1.5


def test_robertson_conserves_and_half_reacts_in_its_period():
    system = load_system("robertson")
    times = np.array([0.0, 0.4, 40.0, system.period, 4e5])
    path = system.simulate(
        system.initial_condition, times, system.values, Solver("radau", rtol=1e-9, atol=1e-13)
    ).states
    np.testing.assert_allclose(path.sum(axis=1), 1.0, rtol=1e-10)
    np.testing.assert_allclose(path[3, 0], 0.5, rtol=1e-6)
    # Hairer and Wanner's program at t = 0.4 and 40
    np.testing.assert_allclose(path[1:3, 0], [0.98517, 0.71583], atol=5e-6)


@pytest.mark.parametrize("dim", [4, 5, 40])
def test_lorenz96_is_its_formula(dim):
    system = load_system("lorenz96_n", options.read("lorenz96_n") | {"dim": dim})
    x = stream("test", "lorenz96").standard_normal(dim)
    expected = [(x[(i + 1) % dim] - x[i - 2]) * x[i - 1] - x[i] + 8.0 for i in range(dim)]
    np.testing.assert_allclose(system.rhs(0.0, x, system.values), expected, rtol=1e-13)
    J = system.jacobian(0.0, x, system.values)
    assert np.trace(J) == -dim
    assert system.initial_condition.shape == (dim,)
    assert len(system.channels) == dim


def test_lorenz96_agrees_with_the_one_of_dysts():
    ours, theirs = load_system("lorenz96_n", options.read("lorenz96_n") | {"dim": 4}), load_system("Lorenz96")
    x = stream("test", "lorenz96").standard_normal((5, 4))
    np.testing.assert_allclose(ours.rhs(0.0, x, theirs.values), theirs.rhs(0.0, x, theirs.values), rtol=1e-13)


@pytest.mark.parametrize("dim", [3, 4.5, "many"])
def test_lorenz96_needs_four_sites(dim):
    with pytest.raises(ConfigError, match="at least 4"):
        load_system("lorenz96_n", options.read("lorenz96_n") | {"dim": dim})


def lagrangian(t, state, parameters):
    """Kinetic minus potential energy of the double pendulum."""
    a, b, v, w = state
    m1, m2, l1, l2, g = parameters
    kinetic = m1 * l1**2 * v**2 / 2 + m2 * (l1**2 * v**2 + l2**2 * w**2 + 2 * l1 * l2 * v * w * np.cos(a - b)) / 2
    return kinetic + (m1 + m2) * g * l1 * np.cos(a) + m2 * g * l2 * np.cos(b)


def test_the_double_pendulum_obeys_lagrange():
    system = load_system("double_pendulum")
    rng = stream("test", "pendulum")
    states, own = rng.standard_normal((20, 4)), 0.5 + rng.random((20, 5))
    gradient = jacobian(trace(lagrangian, 4, 5, outputs=1))
    momenta = replace(gradient, outputs=gradient.outputs[2:])
    rates = batch(jacobian(momenta))(0.0, states, own).reshape(20, 2, 4)
    slope = system.rhs(0.0, states, own)
    forces = batch(gradient)(0.0, states, own)[:, :2]
    np.testing.assert_allclose(np.einsum("bij,bj->bi", rates, slope), forces, rtol=1e-10, atol=1e-12)


def test_the_double_pendulum_is_observed_without_jumps():
    system = load_system("double_pendulum")
    state, turns = np.array([[0.3, -2.0, 1.0, 2.0]]), np.array([2 * np.pi, -4 * np.pi, 0, 0])
    seen = system.observe(state, system.values)
    np.testing.assert_allclose(seen, system.observe(state + turns, system.values), atol=1e-14)
    np.testing.assert_allclose(seen[0, :2], [np.sin(0.3), np.cos(0.3)])
    assert not system.observes_state
    assert [c.name for c in system.channels][:2] == ["sin_theta1", "cos_theta1"]


@pytest.mark.parametrize("name", ["lotka_volterra", "van_der_pol"])
def test_stated_periods_are_the_dominant_ones(name):
    system = load_system(name)
    measured = dominant_period(system, 100 * system.period)
    assert abs(measured / system.period - 1) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lorenz96_n", "double_pendulum"])
def test_stated_periods_of_chaotic_systems(name):
    system = load_system(name)
    measured = dominant_period(system, 2000.0, 40_000)
    assert abs(measured / system.period - 1) < 0.05


def test_periods_of_what_does_not_move():
    class Still(Mine):
        def equations(self, t, state, parameters):
            return 0.0, 0.0, 0.0

    with pytest.raises(ConfigError, match="does not move"):
        dominant_period(Still("still", **GIVEN), 100.0)
