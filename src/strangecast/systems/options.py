"""Systems that are a YAML under ``conf/system``: which there are, what they say, and the objects.

The files are read as they are, so that planning needs nothing but this; they know no ``defaults`` and no ``at``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.targets import locate
from strangecast.systems.base import System

FOLDER = Path(__file__).resolve().parent.parent / "conf" / "system"
_FOR_PEOPLE = ("_target_", "title")


@cache
def names() -> tuple[str, ...]:
    """Names of all options."""
    return tuple(sorted(p.stem for p in FOLDER.glob("*.yaml")))


def read(name: str) -> dict[str, Any]:
    """The content of an option's file.

    Raises:
        ConfigError: there is no such file, or it is no option of a system.
    """
    import yaml

    if name not in names():
        raise ConfigError(unknown("system", name, names()))
    where = f"conf/system/{name}.yaml"
    try:
        config = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    except yaml.YAMLError as e:
        raise ConfigError(f"{where} is no YAML: {' '.join(str(e).split())}") from e
    if not isinstance(config, dict) or "_target_" not in config:
        raise ConfigError(f"{where} names no _target_")
    for key in ("defaults", "at"):
        if key in config:
            raise ConfigError(f"{where} has the key '{key}', which systems do not know")
    return config


def make(name: str, config: dict[str, Any] | None = None) -> System:
    """The system of an option.

    Args:
        name: of the option and of the system.
        config: its resolved content where that is known better than from its file.

    Raises:
        ConfigError: the target is no system, or does not take its configuration.
    """
    config = read(name) if config is None else config
    cls = locate(config.get("_target_"), f"system '{name}'")
    if not (isinstance(cls, type) and issubclass(cls, System)):
        raise ConfigError(f"system '{name}': _target_ '{config['_target_']}' is no System")
    try:
        return cls(name, **{k: v for k, v in config.items() if k not in _FOR_PEOPLE})
    except TypeError as e:
        raise ConfigError(f"system '{name}' does not take its configuration: {e}") from e
