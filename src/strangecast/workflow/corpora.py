"""A corpus: datasets that are spoken of together, and which of them are kept for tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.data.divisions import parts_of_systems
from strangecast.systems.roster import parents_of, system_names

PARTS = ("train", "test")
_KEYS = ("title", "recipe", "systems", "datasets", "block", "split", "part")
_SPLIT = ("test_fraction", "test", "train", "seed", "among", "mixed")


@dataclass(frozen=True)
class Corpus:
    """Datasets in their declared order.

    Attributes:
        name: of the corpus.
        datasets: all of them, whichever part they belong to.
        block: systems trained side by side by position, or None.
        part: the one that is meant where nobody says another, or None.
        parts: datasets of each part where systems are split, else None.
    """

    name: str
    datasets: list[str]
    block: int | None
    part: str | None
    parts: dict[str, list[str]] | None

    def chosen(self, part: str | None, otherwise: str) -> list[str]:
        """Datasets of a part; all where systems are not split.

        Args:
            part: train or test, None for the corpus's own.
            otherwise: the part where neither says any.

        Raises:
            ConfigError: no such part, or none of it.
        """
        if self.parts is None:
            if part is not None:
                raise ConfigError(
                    f"corpus '{self.name}' has no part '{part}': it is not split (split: {{test_fraction: ...}})"
                )
            return self.datasets
        wanted = part or self.part or otherwise
        if wanted not in PARTS:
            raise ConfigError(f"corpus '{self.name}': {unknown('part', str(wanted), PARTS)}")
        if not self.parts[wanted]:
            raise ConfigError(f"corpus '{self.name}': the split leaves no system to its {wanted} part")
        return self.parts[wanted]


def read_corpus(name: str, config: dict[str, Any], scale: str) -> Corpus:
    """A corpus from its resolved YAML.

    Args:
        name: of the corpus.
        config: ``recipe`` and ``systems`` (``all``, ``flows`` or ``delays`` of dysts, a list of names, or as in the YAML
            of a dataset of many systems), ``datasets`` by name, ``block``, and ``split`` over the systems (see
            ``divisions.parts_of_systems``) with the ``part`` that is meant.
        scale: for messages.

    Raises:
        ConfigError: an unknown key or name, nothing in it, something twice, or a split that cannot work.
    """
    for key in config:
        if key not in _KEYS:
            raise ConfigError(f"corpus '{name}': {unknown('key', str(key), _KEYS)}")
    try:
        systems = _systems(config.get("systems"))
    except ConfigError as e:
        raise ConfigError(f"corpus '{name}': {e}") from e
    if systems and not config.get("recipe"):
        raise ConfigError(f"corpus '{name}' lists systems but no recipe (a dataset YAML) to make them with")
    names = [*(f"{config['recipe']}-{s}" for s in systems), *(config.get("datasets") or [])]
    if not names:
        raise ConfigError(f"corpus '{name}' lists no systems and no datasets at scale {scale}")
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ConfigError(f"corpus '{name}' lists {twice[0]} twice")
    part, split = config.get("part"), config.get("split")
    if split is None:
        if part is not None:
            raise ConfigError(f"corpus '{name}' says part: {part} and no split")
        return Corpus(name, names, config.get("block"), None, None)
    if config.get("datasets"):
        raise ConfigError(f"corpus '{name}': a split is over systems; datasets stand in a corpus of their own")
    for key in split:
        if key not in _SPLIT:
            raise ConfigError(f"corpus '{name}': split: {unknown('key', str(key), _SPLIT)}")
    try:
        of = parts_of_systems({s: parents_of(s) for s in systems}, split, name)
    except ConfigError as e:
        raise ConfigError(f"corpus '{name}'{str(e).removeprefix(f'dataset {name!r}')}") from e
    parts = {p: [n for s, n in zip(systems, names, strict=True) if of[s] == p] for p in PARTS}
    found = Corpus(name, names, config.get("block"), part, parts)
    found.chosen(None, "train")
    return found


def _systems(given: Any) -> list[str]:
    if given is None or isinstance(given, list):
        return [str(s) for s in given or []]
    return system_names(given if isinstance(given, dict) else {"dysts": given})
