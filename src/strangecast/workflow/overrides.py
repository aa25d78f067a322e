"""Override strings, the same in config.yaml and on the command line: hydra's grammar, our meaning.

``emulator=mlp`` chooses an option; ``emulator.hidden=64`` sets a value of the chosen (or of every) emulator that has
it; ``emulator.mlp.hidden=64`` sets it for that option alone; ``seed=3`` and ``scale=smoke`` choose a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.workflow.compose import Registry, set_value


@dataclass(frozen=True)
class Value:
    """One value override: ``group[.option].path = value``."""

    text: str
    group: str
    option: str | None
    path: str
    value: Any


@dataclass(frozen=True)
class Overrides:
    """Parsed override strings: chosen options, plain words, and value overrides."""

    choices: dict[str, str]
    words: dict[str, Any]
    values: tuple[Value, ...]


def parse(texts: Iterable[str], registry: Registry, words: Iterable[str] = ()) -> Overrides:
    """Parse hydra override strings.

    Args:
        texts: such as ``["emulator=mlp", "emulator.hidden=64", "seed=3"]``.
        registry: knows the groups and their options.
        words: keys allowed beside the groups (``seed``, ``scale``).

    Raises:
        ConfigError: hydra's grammar refuses a text, or a key is neither a group nor one of ``words``.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    choices: dict[str, str] = {}
    plain: dict[str, Any] = {}
    values: list[Value] = []
    allowed = [*registry.groups, *words]
    for text in texts:
        try:
            override = OverridesParser.create().parse_override(text)
        except HydraException as e:
            raise ConfigError(f"override '{text}' is not of the form key=value: {str(e).splitlines()[0]}") from e
        if override.is_delete() or override.is_add() or override.is_sweep_override():
            raise ConfigError(f"override '{text}': only key=value is understood here (no +, ~ or sweeps)")
        head, _, rest = override.key_or_group.partition(".")
        value = override.value()
        if not rest and head in words:
            plain[head] = value
        elif head not in registry.groups:
            raise ConfigError(f"override '{text}': {unknown('key', head, allowed)}")
        elif rest and head == "system":
            raise ConfigError(
                f"override '{text}': systems take no overrides; write a YAML of its own under conf/system"
            )
        elif not rest:
            if value not in registry.names(head):
                raise ConfigError(unknown(head, str(value), registry.names(head)))
            choices[head] = value
        else:
            first, _, tail = rest.partition(".")
            option = first if tail and first in registry.names(head) else None
            values.append(Value(text, head, option, tail if option else rest, value))
    return Overrides(choices, plain, tuple(values))


class OverriddenRegistry(Registry):
    """A registry whose options carry value overrides.

    An override without an option applies to every option of its group that has the key, and must fit at least one.
    """

    def __init__(self, registry: Registry, values: Iterable[Value]) -> None:
        super().__init__(registry.conf, registry.cache)
        self._options = registry._options
        self.values = tuple(values)

    def option(self, group: str, name: str, scale: str) -> dict[str, Any]:
        """As :meth:`Registry.option`, overridden."""
        config = super().option(group, name, scale)
        for v in self.values:
            if v.group == group and (v.option == name or (v.option is None and _has(config, v.path))):
                set_value(config, v.path, v.value, f"override '{v.text}'")
        return config

    def check(self, scale: str) -> None:
        """Refuse overrides that reach nothing.

        Raises:
            ConfigError: no option of the group has the key; the keys of all options are offered.
        """
        for v in self.values:
            names = [v.option] if v.option else self.names(v.group)
            configs = [Registry.option(self, v.group, n, scale) for n in names]
            if not any(_has(c, v.path) for c in configs):
                keys = {k for c in configs for k in _keys(c)}
                raise ConfigError(f"override '{v.text}': {unknown(f'{v.group} key', v.path, keys)}")


def _has(config: dict[str, Any], path: str) -> bool:
    node: Any = config
    for key in path.split("."):
        if not isinstance(node, dict) or key not in node:
            return False
        node = node[key]
    return True


def _keys(config: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for key, value in config.items():
        found.append(prefix + key)
        if isinstance(value, dict):
            found += _keys(value, f"{prefix}{key}.")
    return found
