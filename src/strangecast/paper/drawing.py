"""From the ``_target_`` of a figure or table to its function."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from strangecast.core.errors import ConfigError


def drawing_function(target: Any, what: str) -> Callable[..., Any]:
    """The function a dotted path names.

    Raises:
        ConfigError: it cannot be imported, or is no function.
    """
    module, _, name = str(target).rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as e:
        raise ConfigError(f"{what}: _target_ '{target}' cannot be imported") from e
    if not callable(found):
        raise ConfigError(f"{what}: _target_ '{target}' is no function")
    return found
