"""What data a command means: words such as ``Lorenz`` or ``dysts_all``, and ``dataset= system= split= scale=``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.plans import dataset_plan, plan_path
from strangecast.workflow.by_hand import ByHand
from strangecast.workflow.codehash import CodeHash
from strangecast.workflow.compose import SCALES, Registry
from strangecast.workflow.datasets import Datasets
from strangecast.workflow.plan import Plan

KEYS = ("dataset", "system", "split", "scale")
# Where data are looked for if no scale is named.
SEARCHED = ("laptop", "smoke", "full")


class Named:
    """Words of a command, sorted.

    Args:
        words: bare ones, ``key=value`` with one of ``KEYS``, and overrides such as ``dataset.lorenz63.noise=0.1``.
        results: folder that holds the scales.

    Attributes:
        bare: words without ``=``.
        dataset, system, split, scale: as given, or None.
        overrides: the other texts.
    """

    def __init__(self, words: list[str], results: Path) -> None:
        self.results = results
        self.bare = [w for w in words if "=" not in w]
        given = dict(w.split("=", 1) for w in words if "=" in w)
        self.dataset, self.system, self.split, self.scale = (given.pop(k, None) for k in KEYS)
        self.overrides = [f"{k}={v}" for k, v in given.items()]
        for key in given:
            if "." not in key:
                raise ConfigError(unknown("key", key, KEYS))
        if self.scale is not None and self.scale not in SCALES:
            raise ConfigError(unknown("scale", self.scale, SCALES))
        self.scales = SEARCHED if self.scale is None else (self.scale,)
        self._registries: dict[str, Registry] = {}
        self._code: CodeHash | None = None

    def registry(self, scale: str) -> Registry:
        """All options, with the overrides."""
        if scale not in self._registries:
            self._registries[scale] = ByHand([*self.overrides, f"scale={scale}"], self.results).registry
        return self._registries[scale]

    def plan(self, name: str, scale: str) -> dict[str, Any]:
        """The plan of a dataset as the configuration stands now; of one that it no longer knows, the plan it was made by.

        Raises:
            ConfigError: there is no such dataset, or it cannot work.
        """
        registry, root = self.registry(scale), self.results / scale
        if plan_path(root, "dataset", name).exists() and not self.is_dataset(name, scale):
            return dataset_plan(root, name)
        self._code = self._code or CodeHash(registry.cache)
        return Plan(scale, (), registry, self._code, root=root).dataset(name)

    def is_dataset(self, name: str, scale: str) -> bool:
        """Whether this names a dataset: an option, or a recipe with a system."""
        try:
            Datasets(self.registry(scale), scale).info(name)
        except ConfigError:
            return False
        return True

    def made(self, dataset: str | None, system: str | None) -> list[tuple[str, str]]:
        """(scale, dataset) of what lies in the results: the dataset, or every one that holds the system.

        Of several scales the first that has anything counts.
        """
        for scale in self.scales:
            folder = self.results / scale / "data"
            names = sorted(p.parent.name for p in folder.glob("*/manifest.parquet"))
            if dataset is not None:
                names = [dataset] if list((folder / dataset).glob("*.*")) else []
            elif system is not None:
                names = [n for n in names if system in _systems(folder / n / "manifest.parquet")]
            if names:
                return [(scale, name) for name in names]
        return []


def _systems(manifest: Path) -> set[str]:
    from strangecast.core.errors import ResultsError
    from strangecast.core.tables import read_parquet

    try:
        return set(read_parquet(manifest, columns=["system"])["system"].to_pylist())
    except ResultsError:
        return set()
