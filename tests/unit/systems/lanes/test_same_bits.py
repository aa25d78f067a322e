"""A trajectory's bits depend on neither its lane, its neighbours, its order, the batch, nor the number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.systems.integrate import Solver
from strangecast.systems.lanes.ensemble import Ensemble, integrate_ensemble
from strangecast.systems.lanes.targets import available
from tests.unit.systems.lanes.graphs import CASES, starts

COUNT = 37


def same(a: Ensemble, b: Ensemble, order=slice(None)) -> None:
    """All results but the wall clock are equal, bit by bit; NaN equals NaN."""
    for field in ("states", "status", "evaluations", "steps", "reached", "next_steps"):
        left, right = getattr(a, field)[order], getattr(b, field)
        assert left.tobytes() == right.tobytes(), field


def run(name: str, path: str, chosen=slice(None), threads=1) -> Ensemble:
    case = CASES[name]
    rng = np.random.default_rng(7)
    parameters = case.parameters * (1 + 0.1 * rng.standard_normal((COUNT, len(case.parameters))))
    # Some trajectories of every batch leave the range or spend their budget.
    states = starts(case, COUNT) * np.where(np.arange(COUNT) % 9 == 4, 300.0, 1.0)[:, None]
    lengths = case.period / 30 * (1 + np.arange(COUNT) % 5)
    solver = Solver(rtol=1e-8, atol=1e-9, limit=5e3, evaluations_per_period=1500)
    return integrate_ensemble(
        case.graph, states[chosen], (0.0, lengths[chosen], 91), parameters[chosen], solver, period=case.period,
        threads=threads, path=path,
    )  # fmt: skip


@pytest.mark.parametrize("path", [*available(), "sse2/libm"])
@pytest.mark.parametrize("name", CASES)
def test_same_bits(name, path):
    if path.split("/")[0] not in available():
        pytest.skip(f"this processor cannot run {path}")
    whole = run(name, path)
    assert whole.finished.sum() > COUNT // 2
    same(whole, run(name, path, threads=2))
    same(whole, run(name, path, threads=7))
    order = np.random.default_rng(11).permutation(COUNT)
    same(whole, run(name, path, order), order)
    some = np.array([30, 4, 11, 22, 5])
    same(whole, run(name, path, some), some)
    for b in (0, 4, 18, 36):
        same(whole, run(name, path, slice(b, b + 1)), slice(b, b + 1))
