"""Verbs that tell: list, show, where, plan."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from strangecast.core.errors import ConfigError, unknown
from strangecast.workflow.by_hand import WORDS
from strangecast.workflow.compose import SCALES, Registry
from strangecast.workflow.dag import Dag
from strangecast.workflow.overrides import OverriddenRegistry, parse
from strangecast.workflow.settings import read_settings, settings_page


def add_verbs(verb) -> None:
    """Register the verbs."""
    p = verb("list", "name the options of a group, such as `list emulators`", _list)
    p.add_argument("group", nargs="?", help="a config group, singular or plural; none lists the groups")
    p = verb("show", "print an option as the workflow resolves it, such as `show emulator=mlp`", _show)
    p.add_argument("asked", nargs="+", metavar="group=option | key=value | config")
    p = verb("where", "print the file and member of runs, such as `where Lorenz mlp seed=3`", _where)
    p.add_argument("words", nargs="+", metavar="dataset|emulator|training|key=value")
    p.add_argument("--scale", choices=SCALES)


def _list(options: argparse.Namespace) -> None:
    registry = Registry()
    if options.group is None:
        print("\n".join(registry.groups))
        return
    name = options.group
    singular = {"studies": "study", "corpora": "corpus", "analyses": "analysis"}.get(name, name.removesuffix("s"))
    group = name if name in registry.groups else singular
    if group == "system":
        from strangecast.systems import catalogue

        print("\n".join(sorted({*registry.names("system"), *catalogue.entries()})))
        return
    for option in registry.names(group):
        title = registry.option(group, option, "laptop").get("title", "")
        print(f"{option:24s}{title}".rstrip())


def _show(options: argparse.Namespace) -> None:
    import yaml

    if options.asked == ["config"]:
        print(settings_page())
        return
    base = Registry()
    overrides = parse(options.asked, base, WORDS)
    registry = OverriddenRegistry(base, overrides.values)
    scale = str(overrides.words.get("scale", "laptop"))
    registry.check(scale)
    if not overrides.choices:
        raise ConfigError("name an option, such as emulator=mlp")
    for group, name in overrides.choices.items():
        config = registry.option(group, name, scale)
        print(f"# {group}={name}, scale {scale}")
        print(yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=110), end="")


def _where(options: argparse.Namespace) -> int:
    settings = read_settings(Path.cwd())
    scale = options.scale or settings.scale
    dag = Dag(settings, write=False)
    plan = dag.plan(scale)
    found = 0
    for study in plan.studies.values():
        for row in study["runs"]:
            if all(_matches(word, row) for word in options.words):
                place = f"{dag.root(scale)}/{row['folder']}  member {row['member']}" if row["folder"] else row["status"]
                print(f"{place}  run {row['run_id']}  {row['label']}, {row['data']}, seed {row['seed']}")
                found += 1
    if not found:
        words = {w for s in plan.studies.values() for r in s["runs"] for w in (r["data"], r["emulator"], r["training"])}
        strange = [w for w in options.words if "=" not in w and w not in words]
        hint = (
            unknown("dataset, emulator or training", strange[0], words) if strange else "no planned run fits all words"
        )
        raise ConfigError(f"{hint} at scale {scale}")
    return 0


def _matches(word: str, row: dict) -> bool:
    key, equals, text = word.partition("=")
    if not equals:
        return word in (row["emulator"], row["training"], row["data"], row["data"].partition("-")[2], row["run_id"])
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if key in row:
        return row[key] == value
    return any(k == key or k.endswith(f".{key}") for k, v in row["point"].items() if v == value)
