"""One analysis of a study, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from strangecast.analyses.cases import cases
from strangecast.analyses.generated import generated
from strangecast.analyses.trained import trained
from strangecast.core.errors import ConfigError, unknown
from strangecast.core.tables import write_parquet
from strangecast.core.targets import locate

_META = ("_target_", "title", "gpu", "of")
# What an analysis is given, by the word under ``of:`` in its YAML.
MATERIAL = {"forecasts": cases, "emulators": trained, "datasets": generated}


def analyse(plan: dict[str, Any], root: Path, name: str) -> None:
    """Write ``<study>/analysis/<name>.parquet``.

    Args:
        plan: study plan.
        root: ``results/<scale>``.
        name: of the analysis.

    Raises:
        ConfigError: the study has no such analysis, or its target does not exist or refuses its parameters.
        ResultsError: windows or forecasts are missing or damaged.
    """
    if name not in plan["analyses"]:
        raise ConfigError(f"study '{plan['name']}': {unknown('analysis', name, plan['analyses'])}")
    config = plan["analyses"][name]
    function = locate(config.get("_target_"), f"analysis '{name}'")
    of = config.get("of") or "forecasts"
    if of not in MATERIAL:
        raise ConfigError(f"analysis '{name}': of: {unknown('material', str(of), MATERIAL)}")
    table = function(MATERIAL[of](plan, root), **{k: v for k, v in config.items() if k not in _META})
    path = root / plan["name"] / "analysis" / f"{name}.parquet"
    write_parquet(path, pa.Table.from_pandas(table, preserve_index=False).combine_chunks())
