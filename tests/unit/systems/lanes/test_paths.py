"""Paths for other processors agree with the fastest within tolerance, and can be chosen by name."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.systems.integrate import Solver
from strangecast.systems.lanes import compile as compiling
from strangecast.systems.lanes import targets
from strangecast.systems.lanes.compile import MissingSymbolError, compiled
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.lanes.targets import available, choose
from tests.unit.systems.lanes.graphs import CASES, starts

FORCED = [*available()[1:], *(f"{p}/libm" for p in available() if p != "numba")]


@pytest.mark.parametrize("path", FORCED)
@pytest.mark.parametrize("name", CASES)
def test_paths_agree(name, path):
    case = CASES[name]
    solver = Solver(rtol=1e-12, atol=1e-13)
    times = np.linspace(0.0, case.period, 60) ** 1.3
    best, other = (
        integrate_ensemble(case.graph, starts(case, 10), times, case.parameters, solver, path=p) for p in (None, path)
    )
    assert best.finished.all()
    assert other.finished.all()
    assert other.told(3) == f"lanes dop853 {path} rtol=1e-12 atol=1e-13: finished"
    size = np.abs(best.states).max(axis=(0, 1))
    assert (np.abs(best.states - other.states) / size).max() < (1e-10 if case.graph.smooth else 1e-8)
    if case.graph.smooth:
        np.testing.assert_allclose(other.evaluations, best.evaluations, rtol=0.02)


def test_the_environment_chooses(monkeypatch):
    monkeypatch.setenv("STRANGECAST_LANES", "numba")
    assert choose().width == 1
    assert choose(available()[0]).name == available()[0]
    found = integrate_ensemble(
        CASES["rossler"].graph, starts(CASES["rossler"], 2), (0.0, 0.1, 5), np.array([0.2, 0.2, 5.7])
    )
    assert found.told(0).startswith("lanes dop853 numba ")


def test_a_path_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match="'avx2'"):
        choose("avx22")
    with pytest.raises(ConfigError, match="avx2/libm"):
        choose("avx2/libmvec")


def test_a_path_this_processor_cannot_run_is_named(monkeypatch):
    monkeypatch.setattr(targets, "_features", lambda: {"avx2": True})
    assert available() == ("sse2", "numba")
    with pytest.raises(ConfigError, match="cannot run the path 'avx512'"):
        choose("avx512")


def test_other_processors_have_numba(monkeypatch):
    monkeypatch.setattr(targets.platform, "machine", lambda: "aarch64")
    assert available() == ("numba",)
    assert choose().name == "numba"


def test_without_vector_functions_scalar_ones_are_called(monkeypatch):
    monkeypatch.setattr(targets, "_libmvec", lambda: None)
    target = choose(available()[0])
    assert target.letter == ""
    assert target.vector_function("sin", 1) is None


def test_a_vector_function_that_is_missing_is_called_lane_by_lane(monkeypatch):
    """As with a C library before 2.35, which has sin but not tanh."""

    class Old:
        def __getattr__(self, name):
            if name.endswith(("tanh", "sinh", "atan")):
                raise AttributeError(name)
            return object()

    if choose().name == "numba" or not choose().letter:
        pytest.skip("there are no vector functions here")
    case = CASES["network"]
    usual = integrate_ensemble(case.graph, starts(case, 5), (0.0, 0.1, 30), case.parameters)
    monkeypatch.setattr(targets, "_libmvec", Old)
    compiling._compiled.cache_clear()
    old = integrate_ensemble(case.graph, starts(case, 5), (0.0, 0.1, 30), case.parameters)
    compiling._compiled.cache_clear()
    assert (usual.states != old.states).any()
    np.testing.assert_allclose(usual.states, old.states, rtol=1e-8)


def test_where_a_function_of_the_c_library_is_missing_numba_takes_over(monkeypatch):
    def missing(text):
        raise MissingSymbolError("the C library of this machine offers no 'tanh'")

    monkeypatch.delenv("STRANGECAST_LANES", raising=False)
    monkeypatch.setattr(compiling, "_check_symbols", missing)
    compiling._compiled.cache_clear()
    if available() == ("numba",):
        pytest.skip("numba is the only path here")
    assert compiled(CASES["network"].graph).target.name == "numba"
    with pytest.raises(MissingSymbolError):
        compiled(CASES["network"].graph, available()[0])
    compiling._compiled.cache_clear()
