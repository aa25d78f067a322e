"""Skew products: one flow drives another, and only the driven one is seen.

The state is (x, y) with ``x' = c f(x)`` and ``y' = coupling(x', g(y))`` (see ``coupling.py``); channels are those of
the response. The product is one graph made of the two flows' graphs, so that compiled code, Jacobian and exponents
follow as for any system.

Clock. Units of time of unrelated systems are arbitrary: periods in the catalogue range from 0.04 to 98,000. Where they
lie within a factor of five the driver keeps its own time (c = 1); elsewhere c brings the ratio to five, so that no drive
is a constant or a blur to its response. c x(t) moves on the same orbit.

Period. Sampling follows the response: its catalogued period times the factor by which the coupling changes the time of
a turn of its coordinates (``flow_scales.turn``), measured once over 40 periods with the default coupling and kept to
two digits, within a factor of five; its catalogued period where that run does not reach its end.

Parameters are those of the driver, of the response, the clock and those of the coupling. Everything random is drawn
from the name; an attempt after the first draws another coupling.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

from strangecast.core.streams import stream
from strangecast.systems.base import System
from strangecast.systems.coupling import coupled, draw
from strangecast.systems.flow_scales import flow_scales, mean_turn, turn
from strangecast.systems.graph import Graph
from strangecast.systems.graph_system import GraphSystem
from strangecast.systems.integrate import Solver
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.skew_names import SkewName, coupling_parameters, parse
from strangecast.systems.symbols import Builder, apply

CLOCK_RANGE = 5.0
_PILOT = Solver(rtol=1e-7, atol=1e-8)
_PILOT_PERIODS, _PILOT_SAMPLES, _PILOT_TRANSIENT = 40, 1600, 10

__all__ = ["SkewProduct", "parse"]


class SkewProduct(GraphSystem):
    """A driver and a response, coupled.

    Args:
        named: the parts of its name.

    Attributes:
        parents: names of driver and response.
        perturbable: [P] of bool, the parameters that the sampler may change: not the clock, nor entries that an
            additive coupling leaves out.
    """

    def __init__(self, named: SkewName) -> None:
        from strangecast.systems.parameter_sampler import perturbable

        self.named = named
        self.name = named.name
        self.entry = named.entry
        self.parents = (named.driver, named.response)
        self.driver: System = _parent(named.driver)
        self.response: System = _parent(named.response)
        self.dim = self.driver.dim + self.response.dim
        self.channels = self.response.channels
        self.initial_condition = np.concatenate([self.driver.initial_condition, self.response.initial_condition])
        self.bounded = np.concatenate([self.driver.bounded, self.response.bounded])
        own = coupling_parameters(named.kind, self.driver.dim, self.response.dim)
        self.parameters = (
            *(f"driver.{p}" for p in self.driver.parameters),
            *(f"response.{p}" for p in self.response.parameters),
            "clock",
            *own,
        )
        self.clock = _clock(self.driver.period, self.response.period)
        self.values = self.redraw(0)
        coupling = self.values[len(self.values) - len(own) :]
        self.perturbable = np.concatenate(
            [perturbable(self.driver), perturbable(self.response), [False], coupling != 0.0]
        )

    def redraw(self, attempt: int) -> np.ndarray:
        """Parameters [P] with the coupling of another attempt; number 0 gives ``values``."""
        rng = stream("coupling", self.name, attempt)
        speeds = self.clock * flow_scales(self.driver.name)[1], flow_scales(self.response.name)[1]
        coupling = draw(self.named.kind, *speeds, rng, attempt)
        return np.concatenate([self.driver.values, self.response.values, [self.clock], coupling])

    @cached_property
    def graph(self) -> Graph:
        """x' and y'; the same object for all couplings of a pair."""
        return _graph(self.named.kind, self.named.activation, self.named.driver, self.named.response)

    @cached_property
    def observation(self) -> Graph:
        """The response's channels."""
        builder = Builder(self.dim, len(self.parameters))
        y = builder.state[self.driver.dim :]
        p, q = len(self.driver.parameters), len(self.response.parameters)
        if self.response.observation is None:
            return builder.graph(y)
        return builder.graph(apply(self.response.observation, builder.time, y, builder.parameters[p : p + q]))

    def observe(self, state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Channels [..., C] of ``state`` [..., D]."""
        p, q = len(self.driver.parameters), len(self.response.parameters)
        parameters = self._fitting(parameters)
        return self.response.observe(np.asarray(state)[..., self.driver.dim :], parameters[..., p : p + q])

    @cached_property
    def period(self) -> float:
        """A time of one turn of the response under the default coupling."""
        alone = self.response.period
        sampled = np.linspace(0.0, _PILOT_PERIODS * alone, _PILOT_SAMPLES)
        times = np.concatenate([[0.0], _PILOT_TRANSIENT * alone + sampled])
        paths = integrate_ensemble(
            self.graph,
            self.initial_condition[None],
            times,
            self.values,
            _PILOT,
            bounded=self.bounded,
            period=alone,
            once=True,
        )
        if not paths.finished.all():
            return alone
        states = paths.states[0, 1:]
        slopes = self.rhs(times[1:], states, self.values)
        d = self.driver.dim
        coupled_turn = turn(self.response, states[:, d:], slopes[:, d:])
        factor = coupled_turn / mean_turn(*flow_scales(self.response.name), self.response.bounded)
        return float(f"{alone * np.clip(factor, 1 / CLOCK_RANGE, CLOCK_RANGE):.2g}") if np.isfinite(factor) else alone


@lru_cache(maxsize=256)
def _parent(name: str) -> System:
    from strangecast.systems.load import load_system

    return load_system(name)


@lru_cache(maxsize=64)
def _graph(kind: str, activation: str, driver: str, response: str) -> Graph:
    one, other = _parent(driver), _parent(response)
    d, p, q = one.dim, len(one.parameters), len(other.parameters)
    own = coupling_parameters(kind, d, other.dim)
    builder = Builder(d + other.dim, p + q + 1 + len(own))
    clock, coupling = builder.parameters[p + q], builder.parameters[p + q + 1 :]
    f = [clock * a for a in apply(one.graph, clock * builder.time, builder.state[:d], builder.parameters[:p])]
    g = apply(other.graph, builder.time, builder.state[d:], builder.parameters[p : p + q])
    return builder.graph([*f, *coupled(kind, activation, f, g, coupling)])


def _clock(driver: float, response: float) -> float:
    """The driver's speed: 1, or what brings the ratio of the periods within ``CLOCK_RANGE``."""
    ratio = driver / response
    return ratio / float(np.clip(ratio, 1 / CLOCK_RANGE, CLOCK_RANGE))
