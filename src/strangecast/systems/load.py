"""From a system's name to the object."""

from __future__ import annotations

from typing import Any

from strangecast.systems import catalogue, options
from strangecast.systems.base import System
from strangecast.systems.skew_names import parse


def load_system(name: str, config: dict[str, Any] | None = None) -> System:
    """The system of that name: a flow or delay flow of dysts, a skew product, or one with a YAML under ``conf/system``.

    Args:
        name: as in the catalogue, or of the YAML.
        config: the resolved content of the YAML where it is known better than from the file.

    Raises:
        ConfigError: no such system, or one whose YAML cannot work.
    """
    kind = catalogue.entries()[name].kind if name in catalogue.entries() else None
    if kind == "flow":
        from strangecast.systems.dysts_flows import DystsFlow

        return DystsFlow(name)
    if kind == "delay":
        from strangecast.systems.dysts_delays import DystsDelay

        return DystsDelay(name)
    coupled = parse(name)
    if coupled is not None:
        from strangecast.systems.skew_product import SkewProduct

        return SkewProduct(coupled)
    if config is None and name not in options.names():
        catalogue.lookup(name)
    return options.make(name, config)
