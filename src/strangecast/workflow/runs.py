"""From a study's YAML to frozen runs, with every impossible combination refused in one sentence."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.hashing import digest
from strangecast.core.streams import key64
from strangecast.workflow.compose import Registry, set_value
from strangecast.workflow.datasets import Datasets

_ENTRY_KEYS = {
    "name", "data", "each", "emulator", "training", "sweep", "seeds", "init", "label", "trained_on_system", "suites",
}  # fmt: skip
_INIT_KEYS = {"run", "take"}


@dataclass(frozen=True)
class Run:
    """One run: its identity decides its random streams and its place, never its code.

    Attributes:
        data: dataset or corpus trained on, or "none".
        emulator, training: option names; training is "none" where there is no train job.
        point: sweep values as (dotted key, JSON text) pairs, sorted.
        seed: 0 for deterministic emulators.
        init: run_id whose weights it starts from, or None.
        take: prefixes of the tensors it takes over from there; all where empty.
    """

    data: str
    emulator: str
    training: str
    point: tuple[tuple[str, str], ...] = ()
    seed: int = 0
    init: str | None = None
    take: tuple[str, ...] = ()

    @cached_property
    def run_id(self) -> str:
        """Digest of the identity, 12 hex digits."""
        part = [self.take] if self.take else []
        return digest(self.data, self.emulator, self.training, self.point, self.seed, self.init, *part, length=12)

    @cached_property
    def stream_key(self) -> int:
        """Key of all random numbers of the run's training."""
        return key64("run", self.run_id)

    @property
    def values(self) -> dict[str, Any]:
        """The point as a dict of dotted keys and values."""
        return {k: json.loads(v) for k, v in self.point}


@dataclass(frozen=True)
class PlannedRun:
    """A run as a study sees it.

    Attributes:
        suites: those it is scored on, () for a run that only others start from; None for the study's.
        weights: name of the pretrained weights it uses, or None.
    """

    run: Run
    label: str
    trained_on_system: bool
    suites: tuple[str, ...] | None = None
    weights: str | None = None


def expand_study(
    name: str, study: dict[str, Any], registry: Registry, datasets: Datasets, seeds: int | None
) -> list[PlannedRun]:
    """All runs of a study, in the order of its entries.

    Args:
        name: the study's option name, for messages.
        study: its resolved YAML.
        registry: options of emulators and trainings.
        datasets: resolver of dataset and corpus names.
        seeds: replaces the number of seeds of every learned run, or None.

    Raises:
        ConfigError: anything that could not work once jobs run.
    """
    planned: list[PlannedRun] = []
    named: dict[str, list[Run]] = {}
    for number, entry in enumerate(study.get("runs") or []):
        where = f"study '{name}', run entry {number + 1}"
        for key in entry:
            if key not in _ENTRY_KEYS:
                raise ConfigError(f"{where}: {unknown('key', key, _ENTRY_KEYS)}")
        for emulator, training in itertools.product(_listed(entry.get("emulator")), _listed(entry.get("training"))):
            new = _expand_entry(where, entry, emulator, training, study, registry, datasets, seeds, named)
            planned += new
            if "name" in entry:
                named.setdefault(entry["name"], []).extend(p.run for p in new)
    if not planned and not study.get("datasets"):
        raise ConfigError(f"study '{name}' lists no runs and no datasets")
    return planned


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else ["none" if value is None else value]


def _expand_entry(
    where: str,
    entry: dict[str, Any],
    emulator: str,
    training: str,
    study: dict[str, Any],
    registry: Registry,
    datasets: Datasets,
    seeds: int | None,
    named: dict[str, list[Run]],
) -> list[PlannedRun]:
    scale = datasets.scale
    e = registry.option("emulator", emulator, scale)
    t = registry.option("training", training, scale) if training != "none" else None
    data = _data_names(where, entry, datasets)
    check_pair(where, emulator, e, training, t, data, datasets)
    deterministic = e["can"]["learns"] != "gradient" or t is None
    n = 1 if deterministic else (seeds or entry.get("seeds", study.get("seeds", 1)))
    chosen = n if isinstance(n, list) else range(n) if isinstance(n, int) else []
    if not chosen:
        raise ConfigError(f"{where}: seeds is {n}; a learned run needs at least 1")
    wrong = [s for s in chosen if isinstance(s, bool) or not isinstance(s, int) or s < 0]
    if wrong or len(set(chosen)) < len(chosen):
        raise ConfigError(f"{where}: seeds are whole numbers of at least 0, each once; found {list(chosen)}")
    suites = None if entry.get("suites") is None else tuple(_listed(entry["suites"]))
    for s in suites or ():
        if s not in (study.get("suites") or []):
            raise ConfigError(f"{where}: {unknown('suite', s, study.get('suites') or [])} of this study")
    planned = []
    for point in _points(where, entry.get("sweep") or {}, e, t):
        values = {k: json.loads(v) for k, v in point}
        weights = values.get("emulator.weights", e.get("weights"))
        for d, seed in itertools.product(data, chosen):
            label = _label(where, entry.get("label"), e, t, training, values | {"data": d})
            init, take = _init(where, entry, d, seed, named)
            run = Run(d, emulator, training, point, seed, init, take)
            planned.append(PlannedRun(run, label, bool(entry.get("trained_on_system", False)), suites, weights))
    return planned


def _data_names(where: str, entry: dict[str, Any], datasets: Datasets) -> list[str]:
    if ("data" in entry) == ("each" in entry):
        raise ConfigError(f"{where}: give either data: (one run) or each: (one run per dataset of a corpus)")
    if "each" in entry:
        return [d for name in _listed(entry["each"]) for d in datasets.expand(name)]
    names = _listed(entry["data"])
    if len(set(names)) < len(names):
        raise ConfigError(f"{where}: data names {max(names, key=names.count)} twice")
    for d in names:
        if d != "none":
            datasets.expand(d)
    return names


def check_pair(
    where: str,
    emulator: str,
    e: dict[str, Any],
    training: str,
    t: dict[str, Any] | None,
    data: list[str],
    datasets: Datasets,
) -> None:
    """Refuse pairs of emulator, training and data that cannot work.

    Raises:
        ConfigError: one sentence that says what is needed and what there is.
    """
    can = e.get("can")
    if not can:
        raise ConfigError(f"conf/emulator/{emulator}.yaml does not say what the emulator can do (can: ...)")
    if t is None and can["learns"] != "none" and not e.get("weights"):
        raise ConfigError(f"{where}: {emulator} has to be trained; {_fitting(e, datasets)}")
    if t is None and can["learns"] != "none" and data != ["none"]:
        raise ConfigError(f"{where}: without a training {emulator} reads no data; say data: none")
    if t is not None and "none" in data:
        raise ConfigError(f"{where}: training {training} needs data, and data is none")
    for key, wanted in ((t or {}).get("requires") or {}).items():
        if can.get(key) != wanted:
            raise ConfigError(
                f"{where}: training {training} needs an emulator with {key}: {str(wanted).lower()}, and {emulator} has "
                f"{key}: {str(can.get(key)).lower()}; {_fitting(e, datasets)}"
            )
    for d in data:
        if d == "none":
            continue
        members = datasets.expand(d)
        corpus, many = d in datasets.registry.names("corpus"), datasets.info(members[0]).many
        needs = {*(can.get("needs") or []), *((t or {}).get("needs") or [])}
        if many and not can.get("pooled"):
            raise ConfigError(
                f"{where}: {members[0]} holds many systems and {emulator} learns one at a time; give it a corpus of single "
                "systems (each: ...), or take an emulator with pooled: true"
            )
        if corpus and not can.get("pooled"):
            raise ConfigError(f"{where}: {emulator} learns one system at a time; write `each: {d}` instead of data:")
        if (many or corpus) and needs:
            raise ConfigError(
                f"{where}: the {sorted(needs)[0].replace('_', ' ')} of the system is needed, which a run on many systems at "
                "once does not get"
            )
        for info in map(datasets.info, members):
            missing = sorted(n for n in needs if n not in info.offers)
            if missing:
                who = f"training {training}" if missing[0] in ((t or {}).get("needs") or []) else emulator
                raise ConfigError(
                    f"{where}: {who} needs a {missing[0].replace('_', ' ')}, and system {info.system} "
                    f"of {info.name} has none"
                )
            if info.grid not in can["grid"]:
                raise ConfigError(f"{where}: {emulator} handles grids {can['grid']}, and {info.name} is {info.grid}")
            if can["channels"] != "any" and info.channels not in (None, can["channels"]):
                raise ConfigError(
                    f"{where}: {emulator} handles {can['channels']} channels, {info.name} has {info.channels}"
                )


def _fitting(e: dict[str, Any], datasets: Datasets) -> str:
    registry, scale = datasets.registry, datasets.scale
    fits = [
        name
        for name in registry.names("training")
        if all(
            e["can"].get(k) == v for k, v in (registry.option("training", name, scale).get("requires") or {}).items()
        )
    ]
    if e["can"]["learns"] == "none":
        return "it is used without training"
    return f"trainings that fit it: {', '.join(fits) or 'none'}"


def _points(where: str, sweep: dict[str, Any], e: dict[str, Any], t: dict[str, Any] | None) -> list[tuple]:
    for key, values in sweep.items():
        group, _, path = key.partition(".")
        options = {"emulator": e, "training": t or {}}
        if group not in options or not path:
            raise ConfigError(f"{where}: sweep key '{key}' must start with emulator. or training.")
        if not isinstance(values, list) or not values:
            raise ConfigError(f"{where}: sweep key '{key}' needs a list of values")
        set_value(json.loads(json.dumps(options[group])), path, None, f"{where}, sweep")
    keys = sorted(sweep)
    grid = itertools.product(*(sweep[k] for k in keys))
    return [tuple((k, json.dumps(v, sort_keys=True)) for k, v in zip(keys, values, strict=True)) for values in grid]


def _label(
    where: str,
    template: str | None,
    e: dict[str, Any],
    t: dict[str, Any] | None,
    training: str,
    values: dict[str, Any],
) -> str:
    if template:
        for key, value in values.items():
            template = template.replace("{" + key + "}", str(value))
        if "{" in template:
            raise ConfigError(
                f"{where}: label '{template}' names a key that is not swept (it may name {', '.join(sorted(values))})"
            )
        return template
    label = e["title"]
    if t is not None and e["can"]["learns"] == "gradient":
        label += f", {t.get('title', training)}"
    swept = [f"{k.rpartition('.')[2]}={v}" for k, v in values.items() if k != "data"]
    if swept:
        label += f" ({', '.join(swept)})"
    return label


def _init(
    where: str, entry: dict[str, Any], data: str, seed: int, named: dict[str, list[Run]]
) -> tuple[str | None, tuple[str, ...]]:
    """The run whose weights another starts from, and which of its tensors: ``init: name`` or ``{run: name, take: [..]}``."""
    given = entry.get("init")
    if given is None:
        return None, ()
    if not isinstance(given, dict):
        given = {"run": given}
    for key in given:
        if key not in _INIT_KEYS:
            raise ConfigError(f"{where}: init: {unknown('key', key, _INIT_KEYS)}")
    wanted, take = given.get("run"), given.get("take") or []
    take = (take,) if isinstance(take, str) else tuple(take)
    if wanted not in named:
        raise ConfigError(f"{where}: init: {unknown('earlier run entry', wanted, named)}")
    parents = named[wanted]
    if any(p.training == "none" for p in parents):
        raise ConfigError(f"{where}: init: '{wanted}' is used without training, so it has no weights to start from")
    same_data = [r for r in parents if r.data == data] or parents
    same_seed = [r for r in same_data if r.seed == seed] or [r for r in same_data if r.seed == 0]
    if len(same_seed) != 1:
        raise ConfigError(
            f"{where}: init: '{wanted}' has {len(same_seed)} runs that seed {seed} on {data} could start from"
        )
    return same_seed[0].run_id, take
