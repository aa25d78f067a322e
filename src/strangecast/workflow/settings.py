"""config.yaml: read, overlaid by config.local.yaml and ``--config``, checked against the JSON schema."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.workflow.compose import merge

SCHEMA = Path(__file__).with_name("config.schema.json")


@dataclass(frozen=True)
class Settings:
    """What config.yaml selects; see docs/config.md."""

    scale: str = "laptop"
    studies: tuple[str, ...] = ()
    seeds: int | None = None
    overrides: tuple[str, ...] = ()
    device: str = "auto"
    logger: str = "csv"
    weights: dict[str, str] = field(default_factory=dict)
    reuse: bool = True


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of config.yaml."""
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def read_settings(folder: Path, over: dict[str, Any] | None = None) -> Settings:
    """Read ``folder/config.yaml``, overlay ``config.local.yaml`` and ``over``, and check the result.

    Raises:
        ConfigError: a file is missing or no YAML mapping, or a key or value is refused by the schema.
    """
    values = _read(folder / "config.yaml")
    local = folder / "config.local.yaml"
    if local.exists():
        merge(values, _read(local))
    # Snakemake hands `--config seeds=null reuse=false` over as words.
    words = {"null": None, "true": True, "false": False}
    merge(values, {k: words.get(v, v) if isinstance(v, str) else v for k, v in (over or {}).items()})
    return checked(values)


def checked(values: dict[str, Any]) -> Settings:
    """Settings from a mapping.

    Raises:
        ConfigError: names the first offending key, what was found and what is allowed.
    """
    from jsonschema import Draft202012Validator

    allowed = schema()["properties"]
    for key in values:
        if key not in allowed:
            raise ConfigError(f"config.yaml: {unknown('key', str(key), allowed)}")
    for error in Draft202012Validator(schema()).iter_errors(values):
        where = ".".join(str(p) for p in error.absolute_path) or "the file"
        raise ConfigError(f"config.yaml: {where}: {error.message}")
    return Settings(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()},
    )


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as e:
        raise ConfigError(f"{path.name} is missing; run from the folder that holds the Snakefile") from e
    except yaml.YAMLError as e:
        raise ConfigError(f"{path.name} is not valid YAML: {' '.join(str(e).split())}") from e
    if not isinstance(values or {}, dict):
        raise ConfigError(f"{path.name} must be a mapping of keys to values")
    return values or {}


def settings_page() -> str:
    """The text of docs/config.md, generated from the schema."""
    lines = [
        "# config.yaml",
        "",
        "This page is generated from `src/strangecast/workflow/config.schema.json` (`strangecast show config`).",
        "",
        "`config.yaml` selects and overrides; `src/strangecast/conf/` defines. An untracked `config.local.yaml` overlays it, and",
        "`snakemake --config key=value` overlays both. Unknown keys are refused before any job starts.",
        "",
    ]
    for key, entry in schema()["properties"].items():
        kind = " or ".join(f"`{v}`" for v in entry["enum"]) if "enum" in entry else _kind(entry["type"])
        default = f"; default `{json.dumps(entry['default'])}`" if "default" in entry else "; required"
        lines += [f"## `{key}`", "", f"{kind}{default}.", "", entry["description"], ""]
    return "\n".join(lines)


def _kind(kinds: str | list[str]) -> str:
    return " or ".join([kinds] if isinstance(kinds, str) else kinds)
