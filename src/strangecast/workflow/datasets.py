"""Names of datasets and corpora, resolved without touching data.

A dataset is named by its own YAML (``lorenz63``, ``dysts_all``) or as ``<recipe>-<system>`` (``chaos-Lorenz``): a recipe
is a dataset YAML whose ``system``, ``systems`` and ``source`` are null.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.data.divisions import parts_of_systems
from strangecast.systems.roster import Roster, channels_of, entry_of, parents_of
from strangecast.workflow.compose import Registry
from strangecast.workflow.corpora import Corpus, read_corpus

# What a dataset that restarts another takes from it.
_INHERITED = ("system", "systems", "parameter_sets")


@dataclass(frozen=True)
class DatasetInfo:
    """What the planner must know of a dataset.

    Attributes:
        name: folder name under ``data/``.
        system: name of its one system, or None for own data and for many systems.
        config: the resolved YAML.
        channels: number of observed channels C, or None where systems differ in it.
        grid: such as "0d".
        home: (corpus, position of the dataset in it, systems per block), or None.
    """

    name: str
    system: str | None
    config: dict[str, Any]
    channels: int | None
    grid: str
    home: tuple[str, int, int] | None

    @property
    def many(self) -> bool:
        """Whether it holds several systems."""
        return self.config.get("systems") is not None

    @property
    def streamed(self) -> bool:
        """Whether it is simulated while an emulator trains on it, and never stored."""
        return self.config.get("stream") is not None

    @property
    def imported(self) -> bool:
        """Whether the data come from a file of the user."""
        return self.config.get("source") is not None

    @cached_property
    def roster(self) -> Roster | None:
        """The trajectories that are to be simulated, or None for own data."""
        if self.imported:
            return None
        return Roster.from_config(self.config, (self.config.get("restart") or {}).get("first_ic", 0))

    @cached_property
    def offers(self) -> set[str]:
        """Which of stepper, residuum, vector_field and state its system has; of many, what all of them have."""
        if self.roster is None:
            return set()
        return set.intersection(*(entry_of(s).offers for s in self.roster.systems))

    def systems(self, part: str) -> set[str]:
        """Names of the systems, and of parents of skew products, of which it may hold samples in a part.

        Args:
            part: train (with validation, which selects) or test.
        """
        if self.roster is None:
            return {self.name}
        names = {s: parents_of(s) for s in self.roster.systems}
        if self.many and self.config["split"]["by"] == "system":
            own = ("test",) if part == "test" else ("train", "validation")
            if part == "test" and (self.config["split"].get("within") or {}).get("test", 0) != 0:
                own = ("test", "train")  # training systems hold test samples too
            parts = parts_of_systems(names, self.config["split"], self.name)
            names = {s: parents for s, parents in names.items() if parts[s] in own}
        return {n for s, parents in names.items() for n in (s, *parents)}


class Datasets:
    """Resolves dataset and corpus names for one scale."""

    def __init__(self, registry: Registry, scale: str) -> None:
        self.registry = registry
        self.scale = scale
        self._infos: dict[str, DatasetInfo] = {}
        self._corpora: dict[str, Corpus] = {}
        self._homes: dict[str, tuple[str, int, int]] | None = None
        self._restarting: list[str] = []

    def corpus(self, name: str, part: str | None = None, otherwise: str = "train") -> list[str]:
        """Dataset names of a corpus, in its declared order.

        Args:
            name: of the corpus.
            part: train or test, where it is split over systems; None for what it says itself.
            otherwise: the part where neither says any.

        Raises:
            ConfigError: no such part, or a corpus that cannot work.
        """
        return self._corpus(name).chosen(part, otherwise)

    def _corpus(self, name: str) -> Corpus:
        if name not in self._corpora:
            self._corpora[name] = read_corpus(name, self.registry.option("corpus", name, self.scale), self.scale)
        return self._corpora[name]

    def expand(self, name: str) -> list[str]:
        """The datasets meant by a dataset or corpus name, of a corpus split over systems those to train on.

        Raises:
            ConfigError: it is neither.
        """
        if name in self.registry.names("corpus"):
            return self.corpus(name)
        self.info(name)
        return [name]

    def stored(self, name: str) -> list[str]:
        """The datasets of which a training on a dataset or corpus reads files; of a stream those it is validated on.

        Raises:
            ConfigError: it is neither, or a stream whose validation cannot be.
        """
        found: list[str] = []
        for d in self.expand(name):
            if not self.info(d).streamed:
                found.append(d)
                continue
            validation = self.info(d).config["stream"].get("validation")
            if not validation:
                raise ConfigError(
                    f"dataset '{d}' is a stream; stream.validation must name the data that select weights"
                )
            own = self.expand(validation)
            if any(self.info(v).streamed for v in own):
                raise ConfigError(
                    f"dataset '{d}': stream.validation '{validation}' is a stream itself; it must be stored"
                )
            found += own
        return list(dict.fromkeys(found))

    def info(self, name: str) -> DatasetInfo:
        """Resolve a dataset name.

        Raises:
            ConfigError: no such dataset, recipe or system, or own data that declare no channels.
        """
        if name not in self._infos:
            self._infos[name] = self._resolve(name)
        return self._infos[name]

    def _resolve(self, name: str) -> DatasetInfo:
        recipe, _, system = name.partition("-")
        options = self.registry.names("dataset")
        if name in options:
            config = self.registry.option("dataset", name, self.scale)
        elif system and recipe in options:
            config = self.registry.option("dataset", recipe, self.scale)
            config["system"] = system
        else:
            known = [*options, *self.registry.names("corpus")]
            raise ConfigError(unknown("dataset", name, known) + "; or <recipe>-<system>, such as chaos-Lorenz")
        source = config.get("source")
        if source is not None:
            channels = source.get("channels")
            if not channels:
                raise ConfigError(f"dataset '{name}': own data declare their channels (source.channels: [x, y, ...])")
            return DatasetInfo(name, None, config, len(channels), "0d", self.home(name))
        if config.get("restart_from"):
            config = self._restarted(name, config)
        if config.get("systems") is None and not config.get("system"):
            raise ConfigError(
                f"dataset '{name}' is a recipe; name a system with it, such as {name}-Lorenz or dataset.system=Lorenz"
            )
        if config.get("systems") is not None:
            if config.get("system"):
                raise ConfigError(f"dataset '{name}' gives system and systems; one of them must be null")
            try:
                channels = {channels_of(s) for s in Roster.from_config(config).systems}
            except ConfigError as e:
                raise ConfigError(f"dataset '{name}': {e}") from e
            return DatasetInfo(
                name, None, config, channels.pop() if len(channels) == 1 else None, "0d", self.home(name)
            )
        entry = entry_of(config["system"])
        return DatasetInfo(name, config["system"], config, channels_of(entry.name), entry.grid, self.home(name))

    def _restarted(self, name: str, config: dict[str, Any]) -> dict[str, Any]:
        """``config`` with the systems of the dataset it restarts, whose parameters it reads and whose keys it goes on from."""
        if name in self._restarting:
            raise ConfigError(f"dataset '{name}' restarts itself (restart_from, through {', '.join(self._restarting)})")
        self._restarting.append(name)
        source = self.info(config["restart_from"])
        self._restarting.remove(name)
        if source.roster is None:
            raise ConfigError(f"dataset '{name}' restarts from '{source.name}', which is not simulated")
        first = source.roster.first_ic + source.roster.initial_conditions
        inherited = {k: source.config.get(k) for k in _INHERITED}
        return config | inherited | {"restart": {"folder": f"data/{source.name}", "first_ic": first}}

    def home(self, name: str) -> tuple[str, int, int] | None:
        """The corpus whose declared order places this dataset in a block (the one with ``block:`` that lists it)."""
        if self._homes is None:
            self._homes = {}
            for corpus in self.registry.names("corpus"):
                names, block = self._corpus(corpus).datasets, self._corpus(corpus).block
                for position, dataset in enumerate(names if block else []):
                    if dataset in self._homes:
                        other = self._homes[dataset][0]
                        raise ConfigError(f"corpora '{other}' and '{corpus}' both declare blocks for {dataset}")
                    self._homes[dataset] = (corpus, position, block)
        return self._homes.get(name)
