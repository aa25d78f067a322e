"""From the dotted path of a ``_target_`` to the thing it names."""

from __future__ import annotations

import importlib
from typing import Any

from strangecast.core.errors import ConfigError

# Named here and imported by no job: those that need no system, stepper, stream or augmentation must not run again when
# one is edited, and planning sees systems without torch. The planner adds these modules to the code of those that do.
SYSTEMS = "strangecast.systems.load"
STEPPERS = "strangecast.systems.torch_stepper"
STREAMING = "strangecast.data.streaming"
AUGMENTED = "strangecast.data.augmented"


def load_system(name: str) -> Any:
    """The system of a name, by the loader of the systems room.

    Raises:
        ConfigError: there is no such system.
    """
    return locate(f"{SYSTEMS}.load_system", "systems")(name)


def locate(target: Any, what: str) -> Any:
    """The thing a dotted path names; nothing but imports happens.

    Args:
        target: ``package.module.name``.
        what: for whom it is looked up, for the message (``metric 'mse'``).

    Raises:
        ConfigError: it cannot be imported, or cannot be called.
    """
    module, _, name = str(target).rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as e:
        raise ConfigError(f"{what}: _target_ '{target}' cannot be imported") from e
    if not callable(found):
        raise ConfigError(f"{what}: _target_ '{target}' is no function or class")
    return found
