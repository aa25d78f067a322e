"""From a system's name to the object."""

from __future__ import annotations

from strangecast.systems.base import System


def load_system(name: str) -> System:
    """The system of a catalogue name.

    Raises:
        ConfigError: no such system, or one that cannot be simulated here.
    """
    from strangecast.systems.dysts_flows import DystsFlow

    return DystsFlow(name)
