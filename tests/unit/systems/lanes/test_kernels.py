"""Right-hand sides in lanes against the graph evaluated by NumPy, on every path this processor has."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from strangecast.systems.graph import Graph, Node, evaluate
from strangecast.systems.lanes import tableau
from strangecast.systems.lanes.compile import compiled
from strangecast.systems.lanes.ensemble import integrate_ensemble, make_block
from strangecast.systems.lanes.layout import HEAD, SCALAR_ROWS
from strangecast.systems.lanes.targets import available
from strangecast.systems.lanes.vector_field import Plan
from tests.unit.systems.lanes.graphs import CASES, every_operation, starts

PATHS = [*available(), *(f"{p}/libm" for p in available() if p != "numba")]
FIELD = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)


def slopes(graph: Graph, path: str, t: float, states: np.ndarray, parameters: np.ndarray, once=False) -> np.ndarray:
    """[N, D'] of ``states`` [N, D] with ``parameters`` [N, P], through the kernel ``field``."""
    code = compiled(graph, path, once=once)
    width, results = code.layout.width, []
    block = make_block(code, 1, 1e-9, 1e-9, np.zeros(0))
    rows = block[HEAD:].reshape(-1, width)
    out = make_block(code, 1, 0, 0, np.zeros(0))  # aligned memory of some size
    raw = np.zeros(width * len(graph.outputs) + 8)
    skipped = -raw.ctypes.data // 8 % 8
    out = raw[skipped : skipped + width * len(graph.outputs)].reshape(-1, width)
    for first in range(0, len(states), width):
        chosen = np.minimum(np.arange(first, first + width), len(states) - 1)
        rows[0] = t
        rows[SCALAR_ROWS + graph.dim : SCALAR_ROWS + 2 * graph.dim] = states[chosen].T
        rows[code.layout.parameters : code.layout.parameters + graph.n_parameters] = parameters[chosen].T
        base = block.ctypes.data
        place = base + code.layout.at(code.layout.state)
        FIELD(code.field)(base, base + code.layout.at(0), place, out.ctypes.data)
        results.append(out.T[: len(states) - first].copy())
    return np.concatenate(results)


@pytest.mark.parametrize("path", PATHS)
def test_every_operation_is_that_of_numpy(path):
    graph = every_operation()
    rng = np.random.default_rng(3)
    usual = rng.standard_normal((40, 5))
    grid = np.array(np.meshgrid(*[[0.0, -0.0, 1.0, -2.5, 1e-3, 300.0]] * 3)).reshape(3, -1).T
    odd = np.hstack([grid, np.resize([0.5, -1.0, 0.0, 2.0], (len(grid), 2))])
    for points in (usual, odd):
        states, parameters = points[:, :3], points[:, 3:]
        got = slopes(graph, path, 0.83, states, parameters)
        want = evaluate(graph, 0.83, states, parameters)
        for i, o in enumerate(graph.outputs):
            np.testing.assert_allclose(
                got[:, i], want[:, i], rtol=4e-15, atol=1e-300 if points is odd else 4e-15,
                err_msg=f"{graph.nodes[o]} of {[graph.nodes[a] for a in graph.nodes[o].args]}",
            )  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_what_is_not_a_number_stays_so(path):
    graph = every_operation()
    states = np.array([[np.nan, 1.0, 2.0], [1.0, np.nan, 2.0], [1.0, 2.0, np.nan], [np.inf, 1.0, -np.inf]])
    parameters = np.tile([0.4, 1.2], (4, 1))
    got, want = slopes(graph, path, 0.5, states, parameters), evaluate(graph, 0.5, states, parameters)
    for i, o in enumerate(graph.outputs):
        if graph.nodes[o].op == "pow":
            continue  # C says pow(1, NaN) is 1, and vector libraries differ in what they make of infinite powers
        wrong = np.isnan(got[:, i]) != np.isnan(want[:, i])
        assert not wrong.any(), (graph.nodes[o], [graph.nodes[a] for a in graph.nodes[o].args], got[:, i], want[:, i])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("path", PATHS)
def test_fields(name, path):
    case = CASES[name]
    states = starts(case, 21)
    parameters = case.parameters * np.linspace(0.9, 1.1, 21)[:, None]
    got = slopes(case.graph, path, 0.7, states, parameters)
    want = evaluate(case.graph, 0.7, states, parameters)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13 * np.abs(want).max())


@pytest.mark.parametrize("name", CASES)
def test_the_shared_stepper_gives_the_bits_of_straight_code(name):
    case = CASES[name]
    times = (0.0, case.period / 40, 121)
    for path in available():
        usual, quick = (
            integrate_ensemble(case.graph, starts(case, 11), times, case.parameters, path=path, once=once)
            for once in (False, True)
        )
        assert usual.finished.all()
        np.testing.assert_array_equal(usual.states, quick.states)
        np.testing.assert_array_equal(usual.evaluations, quick.evaluations)


def test_work_is_done_once():
    """Parameters alone are computed at the head, divisions by them are products, products enter sums."""
    n = Node
    nodes = (
        n("state", (), 0), n("parameter", (), 0), n("exp", (1,)), n("add", (1, 2)),  # 3: of parameters alone
        n("mul", (0, 3)), n("div", (0, 3)), n("add", (4, 5)),
    )  # fmt: skip
    plan = Plan(Graph(nodes, (6,), 1, 1))
    assert plan.fixed == [3]
    assert plan.reciprocals == [3]
    assert plan.fused == {6: 0}
    assert plan.operations == 2  # a product by the reciprocal and a fused multiply-add


def test_coefficients_are_those_of_scipy():
    from scipy.integrate._ivp import dop853_coefficients as theirs

    def dense(rows, width):
        return np.array([[row.get(j, 0.0) for j in range(width)] for row in rows])

    np.testing.assert_array_equal(dense(tableau.A, 16), theirs.A)
    np.testing.assert_array_equal(dense(tableau.D, 16), theirs.D)
    np.testing.assert_array_equal(dense([tableau.E5], 13)[0], theirs.E5)
    np.testing.assert_array_equal(tableau.C, theirs.C)
    np.testing.assert_array_equal(dense([tableau.A[12]], 12)[0], theirs.B)
    np.testing.assert_array_equal(theirs.B - dense([tableau.B3], 12)[0], theirs.E3[:12])
