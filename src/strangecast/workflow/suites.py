"""The plan of a suite: which windows of which datasets."""

from __future__ import annotations

from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.hashing import digest
from strangecast.workflow.checks import check_suite
from strangecast.workflow.codehash import CodeHash
from strangecast.workflow.compose import Registry
from strangecast.workflow.datasets import Datasets


def plan_suite(name: str, registry: Registry, datasets: Datasets, code: CodeHash) -> dict[str, Any]:
    """The plan of one suite.

    Args:
        name: of a YAML, or ``<suite>-<dataset>`` for the windows of one dataset.
        registry: options of suites.
        datasets: resolver of dataset and corpus names; of a corpus split over systems a suite takes the test part,
            unless its ``part`` or the corpus says another.
        code: hashes of code.

    Raises:
        ConfigError: no such suite, or one whose settings or data cannot be.
    """
    option, _, dataset = name.partition("-")
    if name in registry.names("suite"):
        config = registry.option("suite", name, datasets.scale)
    elif dataset and option in registry.names("suite"):
        config = registry.option("suite", option, datasets.scale)
        config["datasets"] = [dataset]
    else:
        raise ConfigError(unknown("suite", name, registry.names("suite")))
    corpus, part = config.get("corpus"), config.get("part")
    if part and not corpus:
        raise ConfigError(f"suite '{name}' says part: {part} and names no corpus")
    members = [*(datasets.corpus(corpus, part, "test") if corpus else []), *(config.get("datasets") or [])]
    if not members:
        raise ConfigError(f"suite '{name}' names no corpus and no datasets")
    check_suite(name, config)
    for d in members:
        if datasets.info(d).streamed:
            raise ConfigError(f"suite '{name}': {d} is a stream, of which nothing is stored that could be scored")
    held = {s for d in members for s in (datasets.info(d).roster.systems if datasets.info(d).roster else [d])}
    for system in config.get("systems") or []:
        if system not in held:
            raise ConfigError(f"suite '{name}': {unknown('system', str(system), held)} in its datasets")
    windows = {d: datasets.info(d).config["window"] for d in dict.fromkeys(members)}
    used = {k: v for k, v in config.items() if k in ("split", "corpus", "part", "datasets", "systems")}
    read = {d: {k: v for k, v in window.items() if k != "prefixes"} for d, window in windows.items()}
    return {
        "kind": "suite",
        "name": name,
        "scale": datasets.scale,
        "folder": f"suites/{name}",
        "config": config,
        "datasets": {d: {"folder": f"data/{d}", "window": window} for d, window in windows.items()},
        "hash": digest(used, read, code.of("strangecast.data.windows")),
    }
