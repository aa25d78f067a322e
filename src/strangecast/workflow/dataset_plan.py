"""The plan of one dataset: its files, and one hash per step that makes them."""

from __future__ import annotations

from typing import Any

from strangecast.core.errors import ConfigError
from strangecast.core.hashing import digest
from strangecast.systems import catalogue
from strangecast.systems.roster import parents_of
from strangecast.workflow.checks import check_dataset
from strangecast.workflow.codehash import CodeHash
from strangecast.workflow.datasets import DatasetInfo, Datasets

GENERATE_IGNORES = ("validity", "split", "window", "noise", "source")


def plan_dataset(name: str, datasets: Datasets, code: CodeHash) -> dict[str, Any]:
    """The plan of the dataset ``name``.

    Raises:
        ConfigError: there is none, it is a stream, which has no files, or its numbers do not fit together.
    """
    info = datasets.info(name)
    config = info.config
    if info.streamed:
        raise ConfigError(
            f"dataset '{name}' is made while an emulator trains on it and never stored; its validation is "
            f"{', '.join(datasets.stored(name))}"
        )
    check_dataset(name, config)
    module = "strangecast.data.importing" if info.imported else "strangecast.data.generate"
    n = 1 if info.roster is None else info.roster.shards(config["shard_size"])
    # Validity tests belong to what makes a dataset where generation itself judges, and only there.
    judged = ((config.get("attempts") or {}).get("per_specimen") or 1) > 1
    kept = {"validity"} if judged else {"source"} if info.imported else set()
    ignored = {*GENERATE_IGNORES, *(() if judged else ("attempts",))} - kept
    made = {k: v for k, v in config.items() if k not in ignored}
    own = system_options(info, datasets)
    source = plan_dataset(config["restart_from"], datasets, code)["hash"] if config.get("restart") else None
    upstream = [own] if own else []
    upstream += [source["make"], source["filter"]] if source else []
    return {
        "kind": "dataset",
        "name": name,
        "scale": datasets.scale,
        "folder": f"data/{name}",
        "config": config,
        "shards": [f"shard-{i:04d}.arrow" for i in range(n)],
        "made_by": "import" if info.imported else "generate",
        "hash": {
            "make": digest(made, code.of(module, config=[made, own]), *upstream),
            "filter": digest(config["validity"], code.of("strangecast.data.filtering", config=config["validity"])),
            "split": digest(config["split"], config["window"], config["noise"], code.of("strangecast.data.splits")),
        },
    }


def system_options(info: DatasetInfo, datasets: Datasets) -> dict[str, Any]:
    """The YAMLs of the systems of a dataset (and of their parents) that are options of ``conf/system``, by name."""
    if info.roster is None:
        return {}
    names = {n for s in info.roster.systems for n in (s, *parents_of(s))}
    options = set(datasets.registry.names("system")) if "system" in datasets.registry.groups else set()
    own = sorted(n for n in names & options if n not in catalogue.entries() or n in options)
    return {n: datasets.registry.option("system", n, datasets.scale) for n in own}
