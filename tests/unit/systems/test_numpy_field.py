"""Fields of arrays and compiled fields against the reference interpreter."""

from __future__ import annotations

import ast
import inspect

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.systems import catalogue, emission, options
from strangecast.systems.derivatives import jacobian
from strangecast.systems.dysts_flows import flat_parameters, instance
from strangecast.systems.graph import BINARY, UNARY, evaluate
from strangecast.systems.load import load_system
from strangecast.systems.numpy_field import batch, bound
from strangecast.systems.symbols import Builder, operate
from strangecast.systems.tracing import trace_delay, trace_flow

FLOWS = [e.name for e in catalogue.entries().values() if e.kind == "flow"]


def every_operation():
    """A graph with an output for each operation on (x, y), at numbers that exercise its edges."""
    builder = Builder(2, 1)
    x, y = builder.state
    outputs = [operate(op, x, value=0.25 if op == "heaviside" else None) for op in UNARY]
    outputs += [operate(op, x, y) for op in BINARY]
    outputs += [operate("where", x, y, builder.parameters[0]), operate("min", x, 0.5), operate("less", -1.0, x)]
    return builder.graph([*outputs, builder.time * x, 3.0, 0.0, float("inf"), -2.5])


EDGES = [-np.inf, -2.5, -1.0, -0.0, 0.0, 0.3, 1.0, 7.0, np.inf, np.nan]


def test_every_operation_on_arrays():
    graph = every_operation()
    states = np.stack(np.meshgrid(EDGES, EDGES), -1)
    np.testing.assert_array_equal(batch(graph)(0.5, states, [2.0]), evaluate(graph, 0.5, states, [2.0]))


def test_every_operation_compiled():
    graph = every_operation()
    field = bound(graph, [2.0])
    for x in EDGES:
        for y in EDGES:
            expected = evaluate(graph, 0.5, [x, y], [2.0])
            np.testing.assert_allclose(field(0.5, np.array([x, y])), expected, rtol=1e-14, err_msg=f"{x}, {y}")


@pytest.mark.parametrize("name", FLOWS)
def test_fields_of_arrays(name):
    flow = instance(name)
    graph, values = trace_flow(flow), flat_parameters(flow)[1]
    rng = stream("test", "arrays", name)
    states = np.ravel(flow.ic) * (1 + 0.1 * rng.standard_normal((2, 3, flow.dimension)))
    field = batch(graph)
    np.testing.assert_array_equal(field(0.4, states, values), evaluate(graph, 0.4, states, values))
    own = values * (1 + 0.01 * rng.standard_normal((2, 1, len(values))))
    times = rng.random((2, 3))
    found = field(times, states, own)
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(found[i], evaluate(graph, times[i], states[i], own[i[0], 0]), rtol=1e-13)


@pytest.mark.parametrize("name", ["Lorenz", "MacArthur", "Torus"])
def test_solvers_get_a_jacobian(name):
    system = load_system(name)
    x, p = system.initial_condition * 1.1, system.values
    compiled = system.bind_jacobian(p)(0.2, x)
    assert compiled.shape == (system.dim, system.dim)
    expected = evaluate(jacobian(system.graph), 0.2, x, p).reshape(system.dim, system.dim)
    np.testing.assert_allclose(compiled, expected, rtol=1e-13)
    np.testing.assert_allclose(system.jacobian(0.2, x, p), expected, rtol=1e-13)
    assert system.jacobian(0.2, np.stack([x, x]), p).shape == (2, system.dim, system.dim)


def test_compiled_once():
    system, again = load_system("Rossler"), load_system("Rossler")
    first, second = (inspect.getclosurevars(s.bind(s.values)).nonlocals["kernel"] for s in (system, again))
    assert first is second


def test_very_large_graphs_are_not_compiled():
    system = load_system("lorenz96_n", options.read("lorenz96_n") | {"dim": 600})
    x = system.initial_condition
    found = system.bind(system.values)(0.0, x)
    np.testing.assert_allclose(found, (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 8.0, rtol=1e-13)


def test_a_bound_field_keeps_its_parameters():
    system = load_system("Lorenz")
    values = system.values.copy()
    field = system.bind(values)
    before = field(0.0, system.initial_condition)
    values[:] = 0.0
    np.testing.assert_array_equal(field(0.0, system.initial_condition), before)
    np.testing.assert_array_equal(field(0.0, np.stack([system.initial_condition] * 2, 1)[:, 0]), before)


def test_delays_have_no_such_form():
    with pytest.raises(ConfigError, match="delay"):
        batch(trace_delay(instance("MackeyGlass")))


def test_parameters_that_do_not_fit():
    system = load_system("Lorenz")
    for call in (system.rhs, system.jacobian):
        with pytest.raises(ConfigError, match="3 parameters, 2 were given"):
            call(0.0, system.initial_condition, np.ones(2))


def test_emitted_text_holds_names_and_numbers_only(monkeypatch):
    texts = []
    real = compile
    monkeypatch.setattr(emission, "compile", lambda text, *a: texts.append(text) or real(text, *a), raising=False)
    batch(every_operation())
    emission.emit_in_two(every_operation(), emission.TENSOR, {"np": np})
    words = {n.id for text in texts for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
    known = {
        "np",
        "abs",
        "t",
        "state",
        "parameters",
        "fixed",
        "inf",
        "where",
        "less",
        "heaviside",
        "root",
        "sign",
        "least",
    }
    assert not {w for w in words if not w[1:].isdigit()} - known - {"greatest", "mod", "arctan2"}
