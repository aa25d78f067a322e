"""From a config to an emulator, without running anything but an emulator's constructor."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from torch import nn

from strangecast.core.errors import ConfigError
from strangecast.core.spec import Spec
from strangecast.emulators.base import Emulator


def build(config: dict[str, Any], specs: Sequence[Spec] = (), values: Sequence[dict[str, Any]] = ()) -> Emulator:
    """Make an emulator in evaluation mode.

    Args:
        config: ``_target_`` and hyper-parameters.
        specs: one per member, or none.
        values: per member the hyper-parameters (dotted keys) in which it differs from ``config``; such a key is passed
            as a tuple of S values.

    Raises:
        ConfigError: the target is no emulator, or refuses its hyper-parameters. Nothing but imports happens before.
    """
    cls = locate(config.get("_target_"), Emulator)
    arguments = {k: v for k, v in with_members(config, values).items() if k != "_target_"}
    arguments = {k: _nested(v) for k, v in arguments.items()}
    try:
        return cls(specs=tuple(specs), **arguments).eval()
    except TypeError as e:
        raise ConfigError(f"{config['_target_']} does not take its configuration: {e}") from e


def with_members(config: dict[str, Any], values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """``config`` with every key in which members differ replaced by the tuple of their values."""
    config = _copy(config)
    for key in sorted({k for v in values for k in v}):
        *parents, last = key.split(".")
        node = config
        for parent in parents:
            node = node.get(parent) if isinstance(node, dict) else None
        if not isinstance(node, dict) or last not in node:
            raise ConfigError(f"members differ in '{key}', which the configuration does not have")
        node[last] = tuple(v.get(key, node[last]) for v in values)
    return config


def locate(target: Any, base: type) -> type:
    """The class named by a dotted path, if it is a ``base``.

    Raises:
        ConfigError: the path cannot be imported, or names something else. The thing found is never called.
    """
    module, _, name = str(target).rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as e:
        raise ConfigError(f"_target_ '{target}' cannot be imported") from e
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ConfigError(f"_target_ '{target}' is no {base.__name__}; nothing of it was run")
    return found


def _nested(value: Any) -> Any:
    """Instantiate nested targets (modules only), depth first."""
    if isinstance(value, dict):
        arguments = {k: _nested(v) for k, v in value.items() if k != "_target_"}
        return locate(value["_target_"], nn.Module)(**arguments) if "_target_" in value else arguments
    if isinstance(value, (list, tuple)):
        return type(value)(_nested(v) for v in value)
    return value


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    return [_copy(v) for v in value] if isinstance(value, list) else value
