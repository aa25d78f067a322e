"""A plan made from override strings instead of studies: one dataset, or one run and the suite it is scored on."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError
from strangecast.workflow.cache import Cache
from strangecast.workflow.codehash import CodeHash
from strangecast.workflow.compose import Registry
from strangecast.workflow.overrides import OverriddenRegistry, Overrides, parse
from strangecast.workflow.plan import Plan

WORDS = ("seed", "scale")
BY_HAND = "by-hand"


class ByHand:
    """A plan made from override strings: one dataset, or one run and the suite it is scored on."""

    def __init__(self, texts: list[str], results: Path) -> None:
        base = Registry(cache=Cache(results / ".cache.json"))
        self.overrides: Overrides = parse(texts, base, WORDS)
        self.scale = str(self.overrides.words.get("scale", "laptop"))
        chosen = tuple(v for v in self.overrides.values if v.group not in ("emulator", "training"))
        self.registry = OverriddenRegistry(base, [v for v in chosen if (v.group, v.path) != ("dataset", "system")])
        self.registry.check(self.scale)
        self.root = results / self.scale

    @property
    def dataset(self) -> str:
        """The dataset named by ``dataset=`` (and ``dataset.system=`` for a recipe).

        Raises:
            ConfigError: none was named.
        """
        name = self.overrides.choices.get("dataset")
        if name is None:
            raise ConfigError("name a dataset, such as dataset=lorenz63, or dataset=chaos dataset.system=Lorenz")
        systems = [v.value for v in self.overrides.values if (v.group, v.path) == ("dataset", "system")]
        return f"{name}-{systems[-1]}" if systems else name

    def dataset_plan(self) -> dict[str, Any]:
        """The plan of the dataset."""
        plan = Plan(self.scale, (), self.registry, CodeHash(self.registry.cache), root=self.root)
        plan.check_format()
        return plan.dataset(self.dataset)

    def suite_plans(self) -> dict[str, dict[str, Any]]:
        """The plan of the suite named by ``suite=``, or of the dataset's own windows."""
        suite = self.overrides.choices.get("suite") or f"own-{self.dataset}"
        entry = {"data": "none", "emulator": "persistence"}
        return self._plan({"title": BY_HAND, "runs": [entry], "suites": [suite]}, [0]).suites

    def run_plan(self, suite: bool = False) -> tuple[Plan, dict[str, Any]]:
        """The plan and the block of the run that the overrides describe.

        Value overrides of the emulator and training become the run's point, so that a run made by hand lies where a
        study that sweeps the same values would put it. Seeds already trained in that block stay in the plan.
        """
        choices = self.overrides.choices
        if "emulator" not in choices:
            raise ConfigError("name an emulator, such as emulator=mlp (`strangecast list emulators` names them)")
        emulator = self.registry.option("emulator", choices["emulator"], self.scale)
        training = choices.get("training", "none")
        if training == "none" and emulator["can"]["learns"] == "fit":
            training = "least_squares"
        needs_data = emulator["can"]["learns"] != "none" or training != "none"
        point = {f"{v.group}.{v.path}": [v.value] for v in self.overrides.values if v.group in ("emulator", "training")}
        entry = {
            "data": self.dataset if needs_data else "none",
            "emulator": choices["emulator"],
            "training": training,
            "sweep": point,
            "trained_on_system": True,
        }
        seed = int(self.overrides.words.get("seed", 0))
        suites = [choices.get("suite", f"own-{self.dataset}")] if suite or "suite" in choices else []
        study = {"title": BY_HAND, "runs": [entry], "suites": suites, "metrics": self.registry.names("metric")}
        plan = self._plan(study, [seed])
        block = next(iter(plan.blocks.values()))
        present = self._seeds_present(block["folder"]) | {seed}
        if present != {seed}:
            plan = self._plan(study, sorted(present))
            block = next(iter(plan.blocks.values()))
        return plan, block

    def _plan(self, study: dict[str, Any], seeds: list[int]) -> Plan:
        study = json.loads(json.dumps(study))
        study["runs"][0]["seeds"] = seeds
        code = CodeHash(self.registry.cache)
        plan = Plan(self.scale, (), self.registry, code, root=self.root, extra={BY_HAND: study})
        plan.check_format()
        return plan

    def _seeds_present(self, folder: str) -> set[int]:
        with suppress(OSError, ValueError, KeyError):
            run = json.loads((self.root / folder / "run.json").read_text(encoding="utf-8"))
            return {int(m["seed"]) for m in run["members"]}
        return set()
