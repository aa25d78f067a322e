"""What can be known to fail before any job starts, said in one sentence each."""

from __future__ import annotations

from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.data.parts import PARTS
from strangecast.workflow.datasets import Datasets
from strangecast.workflow.runs import PlannedRun, Run

STUDY_KEYS = (
    "title", "question", "datasets", "seeds", "runs", "suites", "metrics", "analyses", "tables", "figures", "claims",
)  # fmt: skip
INPUTS = ("scores", "runs", "comparisons", "claims", "windows", "histories")
NORMALISATIONS = ("context",)
SUITE_KEYS = ("title", "corpus", "part", "datasets", "systems", "split", "normalisation", "batch")
MATERIALS = ("forecasts", "emulators", "datasets")


def check_study(
    name: str, study: dict[str, Any], figures: dict[str, dict[str, Any]], analyses: dict[str, dict[str, Any]]
) -> None:
    """Refuse unknown keys of a study, and inputs of its figures and tables that nothing makes.

    Args:
        name: the study's option name.
        study: its resolved YAML.
        figures: resolved YAMLs of its figures.
        analyses: resolved YAMLs of its analyses.

    Raises:
        ConfigError: names the key or input and the nearest valid one.
    """
    for key in study:
        if key not in STUDY_KEYS:
            raise ConfigError(f"study '{name}': {unknown('key', str(key), STUDY_KEYS)}")
    for analysis, config in analyses.items():
        of = config.get("of") or "forecasts"
        if of not in MATERIALS:
            raise ConfigError(f"analysis '{analysis}': of: {unknown('material', str(of), MATERIALS)}")
        if of == "datasets" and not study.get("datasets"):
            raise ConfigError(f"study '{name}': analysis '{analysis}' is of datasets, and the study names none")
    allowed = [*INPUTS, *(f"analysis/{a}" for a in analyses)]
    drawn = {f"figure '{n}'": c for n, c in figures.items()} | {
        f"table '{n}'": c for n, c in (study.get("tables") or {}).items()
    }
    for what, config in drawn.items():
        if not config.get("_target_"):
            raise ConfigError(f"study '{name}', {what} does not say its _target_")
        for wanted in config.get("inputs") or []:
            if wanted not in allowed:
                raise ConfigError(f"study '{name}', {what}: {unknown('input', wanted, allowed)}")


def check_labels(name: str, planned: list[PlannedRun], datasets: Datasets) -> None:
    """Refuse a label that stands for different things: tables pool what has one label, as seeds and systems.

    Raises:
        ConfigError: names the label and what differs.
    """
    corpora = datasets.registry.names("corpus")
    runs = {p.run.run_id: p.run for p in planned}

    def about(run: Run | None) -> dict[str, Any] | None:
        if run is None:
            return None
        whole = run.data == "none" or run.data in corpora or datasets.info(run.data).many
        return {
            "emulator": run.emulator,
            "training": run.training,
            "point": run.point,
            "data": run.data if whole else "each",
            "init": (about(runs.get(run.init)), run.take),
        }

    meant: dict[str, dict[str, Any]] = {}
    for p in planned:
        found = about(p.run)
        first = meant.setdefault(p.label, found)
        for key, value in found.items():
            if value != first[key]:
                raise ConfigError(
                    f"study '{name}': label '{p.label}' stands for runs that differ in {key}; give each run entry a label: "
                    "of its own (swept keys and {data} may stand in it)"
                )


def check_suite(name: str, suite: dict[str, Any]) -> None:
    """Refuse settings of a suite that no job could use."""
    for key in suite:
        if key not in SUITE_KEYS:
            raise ConfigError(f"suite '{name}': {unknown('key', str(key), SUITE_KEYS)}")
    if suite.get("normalisation") not in NORMALISATIONS:
        raise ConfigError(
            f"suite '{name}': {unknown('normalisation', str(suite.get('normalisation')), NORMALISATIONS)}"
        )
    if suite.get("split") not in PARTS:
        raise ConfigError(f"suite '{name}': {unknown('split', str(suite.get('split')), PARTS)}")
    if not isinstance(suite.get("batch"), int) or suite["batch"] < 1:
        raise ConfigError(f"suite '{name}': batch is {suite.get('batch')}; it is a number of windows, at least 1")


def check_dataset(name: str, config: dict[str, Any]) -> None:
    """Refuse a simulated dataset whose numbers cannot fit together."""
    window, split = config["window"], config["split"]
    needed = window["context"] + window["horizon"]
    sampling = config.get("sampling") or {}
    if config.get("source") is not None:
        return
    length = sampling.get("length", 0)
    if length < needed:
        raise ConfigError(
            f"dataset '{name}': trajectories of {length} samples cannot hold a window of context + horizon = "
            f"{window['context']} + {window['horizon']} = {needed} samples"
        )
    if split.get("by") == "initial_condition":
        wanted = sum(split.get(p) or 0 for p in PARTS)
        if wanted > config["initial_conditions"]:
            raise ConfigError(
                f"dataset '{name}': the split needs {wanted} trajectories, initial_conditions makes "
                f"{config['initial_conditions']}"
            )
