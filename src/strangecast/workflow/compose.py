"""The registry: every option of every conf group, composed by hydra once and resolved for a scale.

``conf/<group>/<name>.yaml`` defines an option; its existence is its registration. ``at: {smoke, laptop, full}`` blocks
inside an option (or a nested one) are merged over it for the scale asked for.
"""

from __future__ import annotations

import copy
from functools import cached_property
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.hashing import digest
from strangecast.workflow.cache import Cache

CONF = Path(__file__).resolve().parent.parent / "conf"
SCALES = ("smoke", "laptop", "full")


class Registry:
    """Composed options of a conf folder.

    Args:
        conf: the folder with one subfolder per group.
        cache: where composed options are remembered between processes, or None.
    """

    def __init__(self, conf: Path = CONF, cache: Cache | None = None) -> None:
        self.conf = conf
        self.cache = cache or Cache(None)
        self._options: dict[tuple[str, str], dict[str, Any]] = {}

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        groups = sorted(p for p in self.conf.iterdir() if p.is_dir())
        return {g.name: sorted(f.stem for f in g.glob("*.yaml")) for g in groups}

    @cached_property
    def fingerprint(self) -> str:
        """Digest of all names and texts of the conf folder."""
        files = sorted(self.conf.rglob("*.yaml"))
        return digest([[f.relative_to(self.conf).as_posix(), f.read_text(encoding="utf-8")] for f in files])

    @property
    def groups(self) -> list[str]:
        """Names of all groups."""
        return list(self._names)

    def names(self, group: str) -> list[str]:
        """Names of all options of ``group``.

        Raises:
            ConfigError: there is no such group.
        """
        if group not in self._names:
            raise ConfigError(unknown("config group", group, self._names))
        return self._names[group]

    def option(self, group: str, name: str, scale: str) -> dict[str, Any]:
        """The composed option, resolved for ``scale`` (a fresh dict).

        Raises:
            ConfigError: unknown group, option or scale, or a YAML that hydra refuses.
        """
        if name not in self.names(group):
            raise ConfigError(unknown(group, str(name), self.names(group)))
        if scale not in SCALES:
            raise ConfigError(unknown("scale", str(scale), SCALES))
        if (group, name) not in self._options:
            key = f"conf:{self.fingerprint}:{group}/{name}"
            found = self.cache.get(key)
            self._options[group, name] = found if found is not None else self.cache.put(key, self._compose(group, name))
        return at_scale(copy.deepcopy(self._options[group, name]), scale, f"conf/{group}/{name}.yaml")

    def _compose(self, group: str, name: str) -> dict[str, Any]:
        from hydra import compose, initialize_config_dir
        from hydra.core.global_hydra import GlobalHydra
        from hydra.errors import HydraException
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        GlobalHydra.instance().clear()
        try:
            with initialize_config_dir(config_dir=str(self.conf), version_base="1.3"):
                config = compose(overrides=[f"+{group}={name}"])
            return OmegaConf.to_container(config[group], resolve=True) if group in config else {}
        except (HydraException, OmegaConfBaseException) as e:
            reason = " ".join(str(e).split())
            raise ConfigError(f"conf/{group}/{name}.yaml cannot be composed: {reason}") from e


def at_scale(value: Any, scale: str, where: str) -> Any:
    """Merge every ``at: {scale: {...}}`` of a composed option over its siblings and drop the ``at`` keys."""
    if isinstance(value, list):
        return [at_scale(v, scale, where) for v in value]
    if not isinstance(value, dict):
        return value
    per_scale = value.pop("at", None) or {}
    foreign = set(per_scale) - set(SCALES)
    if foreign:
        raise ConfigError(f"{where}: {unknown('scale', sorted(foreign)[0], SCALES)}")
    merge(value, per_scale.get(scale) or {})
    return {k: at_scale(v, scale, where) for k, v in value.items()}


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Merge ``over`` into ``base`` in place: dicts key by key, everything else replaced."""
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = copy.deepcopy(value)
    return base


def set_value(config: dict[str, Any], path: str, value: Any, where: str) -> None:
    """Set a value that exists: ``path`` is dotted.

    Raises:
        ConfigError: a key of the path does not exist (nearest keys are offered).
    """
    *parents, last = path.split(".")
    node = config
    for i, key in enumerate([*parents, last]):
        if not isinstance(node, dict) or key not in node:
            allowed = list(node) if isinstance(node, dict) else []
            raise ConfigError(f"{where}: {unknown('key', '.'.join([*parents, last][: i + 1]), allowed)}")
        if i < len(parents):
            node = node[key]
    node[last] = copy.deepcopy(value)
