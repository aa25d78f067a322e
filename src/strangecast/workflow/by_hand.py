"""A plan made from override strings instead of studies: one dataset, or one run and the suite it is scored on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError
from strangecast.core.plans import plan_path
from strangecast.workflow.cache import Cache
from strangecast.workflow.codehash import CodeHash
from strangecast.workflow.compose import Registry
from strangecast.workflow.overrides import OverriddenRegistry, Overrides, parse
from strangecast.workflow.plan import Plan
from strangecast.workflow.pretrained import Pretrained
from strangecast.workflow.settings import read_settings

WORDS = ("seed", "scale")
BY_HAND = "by-hand"
OWN = "own-"  # suite of one dataset's windows


class ByHand:
    """A plan made from override strings: one dataset, or one run and the suite it is scored on."""

    def __init__(self, texts: list[str], results: Path) -> None:
        base = Registry(cache=Cache(results / ".cache.json"))
        self.overrides: Overrides = parse(texts, base, WORDS)
        self.scale = str(self.overrides.words.get("scale", "laptop"))
        self.seed = _seed(self.overrides.words.get("seed", 0))
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
        suite = self.overrides.choices.get("suite") or f"{OWN}{self.dataset}"
        entry = {"data": "none", "emulator": "persistence"}
        return self._plan({"title": BY_HAND, "runs": [entry], "suites": [suite]}, [0]).suites

    def run_plan(self, suite: bool = False) -> tuple[Plan, dict[str, Any]]:
        """The plan and the block of the run that the overrides describe.

        Value overrides of the emulator and training become the run's point, so that a run made by hand lies where a
        study that sweeps the same values would put it, beside the members that are there. Its forecasts lie in a folder
        of their own, ``<suite>-<run_id>``, so that they replace nobody else's.
        """
        choices = self.overrides.choices
        if "emulator" not in choices:
            raise ConfigError("name an emulator, such as emulator=mlp (`strangecast list emulators` names them)")
        emulator = self.registry.option("emulator", choices["emulator"], self.scale)
        training = choices.get("training", "none")
        if training == "none" and emulator["can"]["learns"] == "fit":
            training = "least_squares"
        needs_data = training != "none"
        point = {f"{v.group}.{v.path}": [v.value] for v in self.overrides.values if v.group in ("emulator", "training")}
        entry = {
            "data": self.dataset if needs_data else "none",
            "emulator": choices["emulator"],
            "training": training,
            "sweep": point,
            "trained_on_system": True,
        }
        suites = [choices.get("suite", f"{OWN}{self.dataset}")] if suite or "suite" in choices else []
        study = {"title": BY_HAND, "runs": [entry], "suites": suites, "metrics": self.registry.names("metric")}
        plan = self._plan(study, [self.seed])
        block = next(iter(plan.blocks.values()))
        for use in block["suites"].values():
            use["forecast_folder"] += f"-{block['members'][0]['run_id']}"
        block["beside"] = True
        return plan, block

    def write(self, plan: Plan) -> None:
        """Write the suite plans that scoring reads. Those of named suites stay as they are, and blocks get none.

        A block's plan is its study's: written from here it would name one run, and the study would lose the others.
        """
        plan.check_format()
        for name, value in plan.suites.items():
            path = plan_path(self.root, "suite", name)
            if name.startswith(OWN) or not path.exists():
                plan.write_file(path, value)

    def _plan(self, study: dict[str, Any], seeds: list[int]) -> Plan:
        study = json.loads(json.dumps(study))
        study["runs"][0]["seeds"] = seeds
        code = CodeHash(self.registry.cache)
        pretrained = Pretrained(_weights(Path.cwd()), self.registry.cache)
        plan = Plan(self.scale, (), self.registry, code, root=self.root, extra={BY_HAND: study}, pretrained=pretrained)
        plan.check_format()
        for name in plan.absent_weights:
            raise ConfigError(
                f"the weights '{name}' are not on this machine; name their folder under weights: in config.yaml"
            )
        return plan


def _weights(folder: Path) -> dict[str, str]:
    """Folders of pretrained weights in the config.yaml here, if there is one."""
    return read_settings(folder).weights if (folder / "config.yaml").exists() else {}


def _seed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"seed must be a whole number of at least 0, found {value}")
    return value
