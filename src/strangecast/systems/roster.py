"""Which trajectories a dataset holds: systems x parameter sets x initial conditions, numbered in a fixed order.

A roster is known from the configuration and the catalogue alone, without importing or integrating anything: the planner
counts shards with it, and a job makes any trajectory by its number. Systems come in the order ``list``, ``dysts``,
``skew``; within a system parameter sets, within those initial conditions. A system without parameters to perturb has
one parameter set.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.systems import catalogue
from strangecast.systems.pairs import ranked_pairs
from strangecast.systems.skew_names import KINDS, SkewName, parse

_SOURCES = ("list", "dysts", "skew", "exclude")
_DYSTS = {"all": ("flow", "delay"), "flows": ("flow",), "delays": ("delay",)}
_SKEW = ("pairs", "couplings", "among", "kinds", "seed")


@dataclass(frozen=True)
class Specimen:
    """One trajectory to be made: its system and its keys."""

    system: str
    parameter_index: int
    ic_index: int

    @property
    def trajectory_id(self) -> str:
        """Unique within a dataset."""
        return f"{self.system}-p{self.parameter_index}-i{self.ic_index}"


@dataclass(frozen=True)
class Roster:
    """All specimens of a dataset.

    Attributes:
        systems: names, no name twice.
        parameter_sets: of each system that has parameters; number 0 is the catalogued one.
        initial_conditions: of each parameter set.
        first_ic: number of the first initial condition; more than 0 where a dataset continues another.
    """

    systems: tuple[str, ...]
    parameter_sets: int = 1
    initial_conditions: int = 1
    first_ic: int = 0

    @classmethod
    def from_config(cls, config: dict[str, Any], first_ic: int = 0) -> Roster:
        """From a dataset's YAML: ``system`` or ``systems``, ``parameter_sets``, ``initial_conditions``.

        Raises:
            ConfigError: an unknown key or name, or numbers that leave nothing to make.
        """
        sets, starts = int(config.get("parameter_sets") or 1), int(config["initial_conditions"])
        if sets < 1 or starts < 1:
            raise ConfigError(f"parameter_sets {sets} and initial_conditions {starts} must be at least 1")
        systems = (config["system"],) if config.get("systems") is None else system_names(config["systems"])
        return cls(tuple(systems), sets, starts, first_ic)

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, number: int) -> Specimen:
        if not 0 <= number < len(self):
            raise IndexError(number)
        place = bisect_right(self._ends, number)
        within = number - (self._ends[place - 1] if place else 0)
        parameter_index, ic_index = divmod(within, self.initial_conditions)
        return Specimen(self.systems[place], parameter_index, self.first_ic + ic_index)

    def __iter__(self) -> Iterator[Specimen]:
        return (self[i] for i in range(len(self)))

    def shards(self, size: int) -> int:
        """Number of shards of ``size`` specimens."""
        return -(-len(self) // size)

    def shard(self, number: int, size: int) -> list[Specimen]:
        """The specimens of one shard; none where there is no such shard."""
        return [self[i] for i in range(max(number, 0) * size, min((number + 1) * size, len(self)))]

    def sets_of(self, system: str) -> int:
        """Number of parameter sets of a system."""
        if self.parameter_sets == 1:
            return 1
        coupled = parse(system) is not None
        return self.parameter_sets if coupled or catalogue.lookup(system).parameters else 1

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(self.sets_of(s) * self.initial_conditions for s in self.systems)) or [0]


def system_names(given: dict[str, Any]) -> list[str]:
    """The systems that the ``systems`` part of a YAML means.

    Args:
        given: ``list`` of names, ``dysts: all | flows | delays``, ``skew: {pairs, couplings, among, kinds, seed}``, any of them
            together, and names to ``exclude``.

    Raises:
        ConfigError: an unknown key or name, a name given twice, or nothing left.
    """
    for key in given:
        if key not in _SOURCES:
            raise ConfigError(unknown("key of systems", str(key), _SOURCES))
    names = list(given.get("list") or [])
    for name in names:
        entry_of(name)
    if given.get("dysts") is not None:
        chosen = str(given["dysts"])
        if chosen not in _DYSTS:
            raise ConfigError(unknown("choice of systems.dysts", chosen, _DYSTS))
        names += [e.name for e in catalogue.entries().values() if e.kind in _DYSTS[chosen]]
    if given.get("skew") is not None:
        names += [n.name for n in skew_names(given["skew"])]
    twice = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise ConfigError(f"systems name {twice[0]} twice")
    excluded = set(given.get("exclude") or [])
    for name in sorted(excluded - set(names)):
        raise ConfigError(f"systems.exclude: {unknown('system', str(name), names)}")
    names = [n for n in names if n not in excluded]
    if not names:
        raise ConfigError("systems name nothing: give list, dysts or skew")
    return names


def skew_names(given: dict[str, Any]) -> list[SkewName]:
    """Skew products of ``pairs`` ordered pairs with ``couplings`` each, the kinds of coupling taking turns.

    Args:
        given: ``pairs``, ``couplings`` of each (1 if absent), ``among`` (as ``systems``; all ODE flows if absent),
            ``kinds`` and ``seed``.

    Raises:
        ConfigError: an unknown key or kind, a number below 1, or systems that cannot be coupled.
    """
    for key in given:
        if key not in _SKEW:
            raise ConfigError(unknown("key of systems.skew", str(key), _SKEW))
    kinds = list(given.get("kinds") or KINDS)
    for kind in kinds:
        if kind not in KINDS:
            raise ConfigError(unknown("kind of coupling", str(kind), KINDS))
    pairs, couplings = int(given.get("pairs") or 0), int(given.get("couplings") or 1)
    if min(pairs, couplings) < 1:
        raise ConfigError(f"systems.skew: pairs {pairs} and couplings {couplings} must be at least 1")
    among = system_names(given.get("among") or {"dysts": "flows"})
    for name in among:
        if catalogue.lookup(name).kind != "flow":
            raise ConfigError(f"{name} is a {catalogue.lookup(name).kind}; only ODE flows can drive or respond")
    of_kind = {k: -(-(pairs - i) // len(kinds)) for i, k in enumerate(kinds)}
    ranked = {k: iter(ranked_pairs(among, k, int(given.get("seed") or 0), n)) for k, n in of_kind.items()}
    chosen = [(kind, *next(ranked[kind])) for kind in (kinds[i % len(kinds)] for i in range(pairs))]
    return [SkewName(*pair, number) for pair in chosen for number in range(couplings)]


def entry_of(name: str) -> catalogue.Entry:
    """What the planner may know of a system: its row of the catalogue, or what follows from those of its parents.

    Raises:
        ConfigError: there is no such system; the message gives the nearest names.
    """
    found = parse(name)
    return catalogue.lookup(name) if found is None else found.entry


def channels_of(name: str) -> int:
    """Number of observed channels C of a system; of a skew product, its response's."""
    found = parse(name)
    return catalogue.lookup(name if found is None else found.response).channels


def parents_of(name: str) -> tuple[str, ...]:
    """Driver and response of a skew product, () of other systems."""
    found = parse(name)
    return () if found is None else (found.driver, found.response)
