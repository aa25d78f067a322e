"""Names of datasets and corpora, resolved without touching data.

A dataset is named by its own YAML (``lorenz63``) or as ``<recipe>-<system>`` (``chaos-Lorenz``): a recipe is a dataset
YAML whose ``system`` and ``source`` are null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.systems import catalogue
from strangecast.workflow.compose import Registry


@dataclass(frozen=True)
class DatasetInfo:
    """What the planner must know of a dataset.

    Attributes:
        name: folder name under ``data/``.
        system: catalogue name, or None for own data.
        config: the resolved YAML.
        channels: number of observed channels C.
        grid: such as "0d".
        home: (corpus, position of the dataset in it, systems per block), or None.
    """

    name: str
    system: str | None
    config: dict[str, Any]
    channels: int
    grid: str
    home: tuple[str, int, int] | None

    @property
    def imported(self) -> bool:
        """Whether the data come from a file of the user."""
        return self.config.get("source") is not None

    @property
    def offers(self) -> set[str]:
        """Which of stepper, residuum, vector_field and state the system has."""
        return set() if self.system is None else catalogue.lookup(self.system).offers


class Datasets:
    """Resolves dataset and corpus names for one scale."""

    def __init__(self, registry: Registry, scale: str) -> None:
        self.registry = registry
        self.scale = scale
        self._infos: dict[str, DatasetInfo] = {}
        self._corpora: dict[str, tuple[list[str], int | None]] = {}
        self._homes: dict[str, tuple[str, int, int]] | None = None

    def corpus(self, name: str) -> list[str]:
        """Dataset names of a corpus, in its declared order."""
        return self._corpus(name)[0]

    def _corpus(self, name: str) -> tuple[list[str], int | None]:
        if name not in self._corpora:
            config = self.registry.option("corpus", name, self.scale)
            systems = config.get("systems") or []
            if systems and not config.get("recipe"):
                raise ConfigError(f"corpus '{name}' lists systems but no recipe (a dataset YAML) to make them with")
            names = [f"{config['recipe']}-{s}" for s in systems] + list(config.get("datasets") or [])
            if not names:
                raise ConfigError(f"corpus '{name}' lists no systems and no datasets at scale {self.scale}")
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise ConfigError(f"corpus '{name}' lists {twice[0]} twice")
            self._corpora[name] = (names, config.get("block"))
        return self._corpora[name]

    def expand(self, name: str) -> list[str]:
        """The datasets meant by a dataset or corpus name.

        Raises:
            ConfigError: it is neither.
        """
        if name in self.registry.names("corpus"):
            return self.corpus(name)
        self.info(name)
        return [name]

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
        if not config.get("system"):
            raise ConfigError(
                f"dataset '{name}' is a recipe; name a system with it, such as {name}-Lorenz or dataset.system=Lorenz"
            )
        entry = catalogue.lookup(config["system"])
        if not entry.vector_field:
            raise ConfigError(f"dataset '{name}': {entry.name} is a {entry.kind} system, which cannot be simulated yet")
        return DatasetInfo(name, config["system"], config, entry.dim, entry.grid, self.home(name))

    def home(self, name: str) -> tuple[str, int, int] | None:
        """The corpus whose declared order places this dataset in a block (the one with ``block:`` that lists it)."""
        if self._homes is None:
            self._homes = {}
            for corpus in self.registry.names("corpus"):
                names, block = self._corpus(corpus)
                for position, dataset in enumerate(names if block else []):
                    if dataset in self._homes:
                        other = self._homes[dataset][0]
                        raise ConfigError(f"corpora '{other}' and '{corpus}' both declare blocks for {dataset}")
                    self._homes[dataset] = (corpus, position, block)
        return self._homes.get(name)
