"""Lanes against SciPy's DOP853 on the flows of dysts, over one period at the usual tolerance."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.systems import catalogue
from strangecast.systems.integrate import Solver, integrate
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.load import load_system

FLOWS = [e.name for e in catalogue.entries().values() if e.kind == "flow"]
# Polynomial, transcendental, driven, non-smooth, unbounded and large ones.
SAMPLE = (
    "Lorenz", "Rossler", "Chua", "ForcedVanDerPol", "DoublePendulum", "BlinkingVortex", "Torus", "Colpitts",
    "MultiChua", "HyperPang", "CellCycle", "MacArthur",
)  # fmt: skip


def check(name: str) -> None:
    """A trajectory of one period, from a state reached in three, against SciPy at the same tolerance and a tighter one.

    Errors are in units of each coordinate's range. What both make of a step differs by rounding alone, which chaos and
    kinks magnify, but never beyond what separates both from a tighter solution.
    """
    system = load_system(name)
    settings = {"bounded": system.bounded, "period": system.period}
    solver = Solver(rtol=1e-9, atol=1e-10)
    transient = integrate_ensemble(
        system.graph, system.initial_condition[None], (0.0, 3 * system.period, 2), system.values, solver, **settings
    )
    assert transient.finished.all()
    start, begin = transient.states[0, 1], 3 * system.period
    times = begin + np.arange(65) * (system.period / 64)
    ours = integrate_ensemble(system.graph, start[None], times, system.values, solver, **settings)
    theirs = integrate(system.bind(system.values), start, times, solver, **settings)
    tight = integrate_ensemble(
        system.graph, start[None], times, system.values, Solver(rtol=1e-12, atol=1e-13), **settings
    )
    assert ours.finished.all()
    assert theirs.finished
    assert tight.finished.all()
    scale = np.ptp(theirs.states, axis=0) + 1e-6 * np.abs(theirs.states).max(axis=0)
    apart = np.abs(ours.states[0] - theirs.states) / scale
    off = np.abs(theirs.states - tight.states[0]) / scale
    # A period of the catalogue may be many Lyapunov times: compare for as long as the truth is known.
    known = np.cumsum(off.max(axis=1) > 1e-4) == 0
    assert known.sum() > 32
    apart, off = apart[known], off[known]
    assert apart.max() < max(1e-8, 3 * off.max()), (apart.max(), off.max())
    if system.graph.smooth:
        assert ours.evaluations[0] == pytest.approx(theirs.evaluations, rel=0.02, abs=12)


@pytest.mark.parametrize("name", SAMPLE)
def test_flows(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in FLOWS if n not in SAMPLE])
def test_all_other_flows(name):
    check(name)
