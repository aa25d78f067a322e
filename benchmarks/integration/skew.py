"""Skew products: ours, and the same coupling in dysts' own class, integrated as Panda does."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.integration.problems import PERIODS, POINTS, careful, cpu
from strangecast.systems.lanes import compile as compiling
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.load import load_system

# Of comparable periods, so that the driver keeps its own clock, as in dysts.
PAIRS = (
    ("Lorenz", "Chen"), ("Rossler", "Thomas"), ("HyperRossler", "Lorenz"), ("HenonHeiles", "DoublePendulum"),
    ("Thomas", "HindmarshRose"), ("Rossler", "Dadras"),
)  # fmt: skip


class Additive:
    """``y' = drive x' + own g(y)`` as dysts' ``SkewProduct`` takes it."""

    def __init__(self, drive: np.ndarray, own: np.ndarray) -> None:
        self.drive, self.own = drive, own

    def __call__(self, driver: np.ndarray, response: np.ndarray) -> np.ndarray:
        return self.drive @ driver + self.own * response

    def jac(self, driver: np.ndarray, response: np.ndarray, wrt: str) -> np.ndarray:
        """Derivatives by either flow."""
        return self.drive if wrt == "driver" else np.diag(self.own)


def theirs(product: Any) -> Any:
    """The product as an instance of dysts."""
    from dysts import flows
    from dysts.base import SkewProduct

    driver, response = (getattr(flows, name)() for name in product.parents)
    n, m = response.dimension, driver.dimension
    coupling = product.values[len(product.values) - n * m - n :]
    made = SkewProduct(driver, response, Additive(coupling[: n * m].reshape(n, m), coupling[n * m :]))
    if product.clock != 1.0:
        raise RuntimeError(f"{product.name} runs its driver at another speed, which dysts' class does not")
    return made


def costs(pair: tuple[str, str], couplings: int, starts: int, points: int = POINTS, periods: float = PERIODS) -> dict:
    """CPU seconds per trajectory of both sides, and how far they are apart after one period.

    Ours: several couplings and starts of a pair, its kernel compiled within the time. Theirs: one trajectory of it; or
    its first eighth, times eight.
    """
    products = [load_system(f"skew-additive-{pair[0]}-{pair[1]}-{i}") for i in range(couplings)]
    first, period = products[0], products[0].period
    rng = np.random.default_rng(0)
    states = np.concatenate(
        [p.initial_condition * (1 + 0.005 * rng.standard_normal((starts, p.dim))) for p in products]
    )
    values = np.repeat([p.values for p in products], starts, axis=0)
    dt = periods * period / (points - 1)

    def make() -> Any:
        compiling._compiled.cache_clear()
        return integrate_ensemble(
            first.graph,
            states,
            (0.0, dt, points),
            values,
            careful(1e-12),
            bounded=first.bounded,
            period=period,
            once=True,
        )

    finished = make().finished
    if not finished.any():
        raise RuntimeError(f"no coupling of {pair} stays in its range")
    peer = theirs(first)
    settings = {"method": "Radau", "rtol": 1e-9, "atol": 1e-10, "postprocess": False}
    part = cpu(
        lambda: peer.make_trajectory(
            points // 8, states[0], pts_per_period=points * peer.period / (periods * period), **settings
        )
    )
    their_end = peer.make_trajectory(2, init_cond=states[0], pts_per_period=2 * peer.period / period, **settings)[-1]
    our_end = integrate_ensemble(first.graph, states[:1], np.array([0.0, period]), values[:1], careful(1e-12)).states[
        0, 1
    ]
    return {
        "ours": cpu(make, 3) / finished.sum(),
        "theirs": 8 * part,
        "apart": float((np.abs(our_end - their_end) / (np.abs(our_end) + 1e-3)).max()),
        "finished": f"{finished.sum()} of {len(states)}",
    }
