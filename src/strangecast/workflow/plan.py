"""The plan of one scale: every dataset, suite, block and study as one small JSON file, and who needs whom.

Snakemake schedules what the plan lists; jobs read the plan file named in their command. Nothing here reads data or
imports torch.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from strangecast.core.atomic import write_json
from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.format import FORMAT
from strangecast.core.hashing import digest
from strangecast.core.plans import plan_path
from strangecast.core.targets import STEPPERS, SYSTEMS
from strangecast.evaluation.claim_checks import claims_problems
from strangecast.workflow.blocks import Block, group, member_values
from strangecast.workflow.checks import check_labels, check_study
from strangecast.workflow.codehash import CodeHash
from strangecast.workflow.compose import Registry, set_value
from strangecast.workflow.dataset_plan import plan_dataset, system_options
from strangecast.workflow.datasets import Datasets
from strangecast.workflow.held_out import HeldOut
from strangecast.workflow.learning import LearnedFrom, learned_from, with_augmentation
from strangecast.workflow.pretrained import Pretrained, Weights
from strangecast.workflow.runs import PlannedRun, Run, expand_study
from strangecast.workflow.suites import plan_suite

EMULATOR_META = ("title", "can", "members", "gpu", "color", "weights", "sha256", "samples")
TRAINING_META = ("title", "requires", "needs", "members", "gpu", "seeds_per_block")
METRIC_META = ("title", "unit", "better", "symbol")


class Plan:
    """Everything asked for at one scale.

    Args:
        scale: smoke, laptop or full.
        studies: option names of the studies.
        registry: composed options.
        code: hashes of code.
        seeds: replaces the number of seeds of every learned run, or None.
        root: ``results/<scale>``.
        extra: further studies by name, as dicts (a run asked for by hand).
        pretrained: the local folders of pretrained weights.
        settings: digest of the settings the plan is made from, written into its files (see ``core/plans.py``).
    """

    def __init__(
        self,
        scale: str,
        studies: tuple[str, ...],
        registry: Registry,
        code: CodeHash,
        seeds: int | None = None,
        root: Path | None = None,
        extra: dict[str, dict[str, Any]] | None = None,
        pretrained: Pretrained | None = None,
        settings: str | None = None,
    ) -> None:
        self.scale = scale
        self.registry = registry
        self.code = code
        self.root = root or Path("results") / scale
        self._datasets = Datasets(registry, scale)
        self._held_out = HeldOut(self._datasets)
        self._data: dict[str, LearnedFrom] = {}
        self._pretrained = pretrained or Pretrained({}, registry.cache)
        self._settings = settings
        self._asked: dict[str, list[str]] = {}  # suites by run
        self._studies = {name: registry.option("study", name, scale) for name in studies} | (extra or {})
        self._runs = {
            name: expand_study(name, study, registry, self._datasets, seeds) for name, study in self._studies.items()
        }
        self._absent = self._without_weights()
        distinct: dict[str, Run] = {
            p.run.run_id: p.run for planned in self._runs.values() for p in planned if p.run.run_id not in self._absent
        }
        self._blocks = group(distinct.values(), registry, self._datasets)
        self._block_of = {run.run_id: b.folder for b in self._blocks.values() for run in b.runs}
        self._member_of = {run.run_id: i for b in self._blocks.values() for i, run in enumerate(b.runs)}

    def _without_weights(self) -> set[str]:
        """Runs that cannot be: their pretrained weights are not on this machine, or those of a run they start from."""
        absent: set[str] = set()
        for p in (p for planned in self._runs.values() for p in planned):
            if p.run.init in absent or (p.weights and self._weights(p.run.emulator, p.weights) is None):
                absent.add(p.run.run_id)
        return absent

    @property
    def absent_weights(self) -> list[str]:
        """Names of the pretrained weights that runs ask for and this machine does not have."""
        asked = (p for planned in self._runs.values() for p in planned if p.run.run_id in self._absent)
        return list(dict.fromkeys(p.weights for p in asked if p.weights))

    def _weights(self, emulator: str, name: str) -> Weights | None:
        return self._pretrained.find(name, self.registry.option("emulator", emulator, self.scale).get("sha256"))

    # Datasets and suites

    @cached_property
    def suites(self) -> dict[str, dict[str, Any]]:
        """Suite plans by name."""
        names = dict.fromkeys(s for study in self._studies.values() for s in study.get("suites") or [])
        return {name: plan_suite(name, self.registry, self._datasets, self.code) for name in names}

    @cached_property
    def datasets(self) -> dict[str, dict[str, Any]]:
        """Dataset plans by name: those trained on and those of the suites."""
        names: dict[str, None] = {}
        for block in self._blocks.values():
            for run in block.runs:
                if run.data != "none":
                    names |= dict.fromkeys(self._datasets.stored(run.data))
        for suite in self.suites.values():
            names |= dict.fromkeys(suite["datasets"])
        for study in self._studies.values():
            names |= dict.fromkeys(self._named_datasets(study))
        return {name: self.dataset(name) for name in names}

    def _named_datasets(self, study: dict[str, Any]) -> list[str]:
        """Datasets that a study looks at as such, corpora taken apart."""
        return [d for name in study.get("datasets") or [] for d in self._datasets.expand(name)]

    def dataset(self, name: str) -> dict[str, Any]:
        """The plan of one dataset."""
        return plan_dataset(name, self._datasets, self.code)

    # Blocks

    @cached_property
    def blocks(self) -> dict[str, dict[str, Any]]:
        """Block plans by folder."""
        uses = self._uses()
        return {folder: self._block(block, uses.get(folder, {})) for folder, block in self._blocks.items()}

    def _uses(self) -> dict[str, dict[str, dict[str, None]]]:
        """Which suites, and which metrics on them, each block is asked for by any study."""
        uses: dict[str, dict[str, dict[str, None]]] = {}
        for name, planned in self._runs.items():
            study = self._studies[name]
            for p in planned:
                if p.run.run_id in self._absent:
                    continue
                suites = study.get("suites") or [] if p.suites is None else p.suites
                scored = [s for s in suites if self._scored(name, p, s)]
                if not scored and suites:
                    raise ConfigError(
                        f"study '{name}': {p.run.data} is in none of its suites ({', '.join(suites)}), so {p.label} would "
                        "never be scored; say suites: [] in its run entry if others only start from it"
                    )
                asked = self._asked.setdefault(p.run.run_id, [])
                asked += [s for s in scored if s not in asked]
                for s in scored:
                    metrics = uses.setdefault(self._block_of[p.run.run_id], {}).setdefault(s, {})
                    metrics |= dict.fromkeys(study.get("metrics") or [])
        return uses

    def _scored(self, study: str, planned: PlannedRun, suite: str) -> bool:
        """Whether a run is scored on a suite; refuses runs that have seen the suite's systems without saying so."""
        run = planned.run
        data = self._learned(run.data)
        if data.lone and data.lone not in self.suites[suite]["datasets"]:
            return False
        self._check_needs(study, planned, suite)
        if not planned.trained_on_system:
            met = self._held_out.met(run, self._run_by_id, self.suites[suite])
            if met:
                raise ConfigError(
                    f"study '{study}': {planned.label} is trained on {met[0]}, which suite '{suite}' scores; say "
                    "trained_on_system: true in its run entry, or take the system out of its data"
                )
        return True

    def _check_needs(self, study: str, planned: PlannedRun, suite: str) -> None:
        """Refuse an emulator that needs something of systems which a suite's do not have."""
        can = self.registry.option("emulator", planned.run.emulator, self.scale)["can"]
        lone = self._learned(planned.run.data).lone
        for name in [lone] if lone else self.suites[suite]["datasets"]:
            missing = [n for n in can.get("needs") or [] if n not in self._datasets.info(name).offers]
            if missing:
                raise ConfigError(
                    f"study '{study}': {planned.run.emulator} needs the {missing[0].replace('_', ' ')} of the system, which "
                    f"{name} of suite '{suite}' does not have"
                )

    def _learned(self, data: str) -> LearnedFrom:
        if data not in self._data:
            self._data[data] = learned_from(data, self._datasets)
        return self._data[data]

    @cached_property
    def _run_by_id(self) -> dict[str, Run]:
        return {run.run_id: run for b in self._blocks.values() for run in b.runs}

    def _block(self, block: Block, uses: dict[str, dict[str, None]]) -> dict[str, Any]:
        e, e_meta = self._configured("emulator", block.emulator, block, EMULATOR_META)
        trained = block.training != "none"
        t, t_meta = self._configured("training", block.training, block, TRAINING_META) if trained else (None, {})
        needs = {*(e_meta["can"].get("needs") or []), *(t_meta.get("needs") or [])} - {"state"}
        simulators = [SYSTEMS, STEPPERS] if needs else []
        data = self._learned(block.runs[0].data)
        augmenting: list[str] = []
        if trained:
            where = f"{block.emulator} by {block.training}"
            t, augmenting = with_augmentation(t, self.registry, self.scale, where, e_meta["can"], data)
        needed = [*simulators, *data.modules, *augmenting]
        train_code = self.code.of("strangecast.training.job", *needed, config=[e, t]) if trained else ""
        forecast_code = self.code.of("strangecast.evaluation.forecast", *simulators, config=e)
        systems = self._system_options(block, uses) if needs else {}
        if systems:
            train_code, forecast_code = (
                digest(c, systems, self.code.of(config=systems)) for c in (train_code, forecast_code)
            )
        samples = e_meta.get("samples")
        if samples is not None:
            if not e_meta["can"].get("probabilistic"):
                raise ConfigError(f"emulator '{block.emulator}' draws no samples, and its YAML asks for {samples}")
            forecast_code = digest(forecast_code, samples)
        weights = self._weights(block.emulator, e_meta["weights"]) if e_meta.get("weights") else None
        # Only what is there enters a key, so that runs without weights and partial starts keep theirs.
        beside = {"weights": weights.content if weights else None, "take": block.take, "stream": data.stream}
        beside = {k: v for k, v in beside.items() if v}
        members = []
        datasets: dict[str, dict[str, str]] = {}
        for run in block.runs:
            own = member_values(run, block)
            data = self._learned(run.data)
            datasets |= {d: {"folder": f"data/{d}"} for d in data.stored}
            parent = self._static_keys.get(run.init) if run.init else None
            key = digest(e, t, own, train_code, run.run_id, parent, *([beside] if beside else []))
            self._static_keys[run.run_id] = key
            members.append(
                {
                    "run_id": run.run_id,
                    "dataset": data.lone,
                    "datasets": data.stored,
                    **({"stream": data.stream} if data.stream else {}),
                    "seed": run.seed,
                    "point": run.values,
                    "init": run.init,
                    "emulator": own["emulator"],
                    "training": own["training"],
                    "static_key": key,
                    "stream_key": run.stream_key,
                    "suites": self._asked.get(run.run_id, []),
                }
            )
        return {
            "kind": "block",
            "scale": self.scale,
            "folder": block.folder,
            "data": block.data,
            "emulator": {
                "name": block.emulator,
                "config": e,
                "can": e_meta["can"],
                "gpu": bool(e_meta.get("gpu")),
                "samples": samples,
                "weights": asdict(weights) if weights else None,
            },
            "training": {"name": block.training, "config": t, "gpu": bool(t_meta.get("gpu"))} if trained else None,
            "code": {"train": train_code, "forecast": forecast_code},
            "members": members,
            "datasets": datasets,
            "init": {"folder": block.parent} | ({"take": list(block.take)} if block.take else {})
            if block.parent
            else None,
            "suites": {s: self._use(block, s, list(metrics)) for s, metrics in uses.items()},
        }

    @cached_property
    def _static_keys(self) -> dict[str, str]:
        return {}

    def _system_options(self, block: Block, uses: dict[str, Any]) -> dict[str, Any]:
        """YAMLs of the users' own systems that a block which needs systems may meet."""
        names = {d for run in block.runs if run.data != "none" for d in self._datasets.stored(run.data)}
        names |= {d for suite in uses for d in self.suites[suite]["datasets"]}
        found: dict[str, Any] = {}
        for name in sorted(names):
            found |= system_options(self._datasets.info(name), self._datasets)
        return found

    def _configured(self, kind: str, name: str, block: Block, meta: tuple[str, ...]) -> tuple[dict, dict]:
        config = self.registry.option(kind, name, self.scale)
        for key, value in block.point:
            part, _, path = key.partition(".")
            if part == kind:
                set_value(config, path, json.loads(value), f"point of {block.folder}")
        return {k: v for k, v in config.items() if k not in meta}, {k: config.get(k) for k in meta}

    def _use(self, block: Block, suite: str, metrics: list[str]) -> dict[str, Any]:
        config = self.suites[suite]["config"]
        return {
            "folder": f"suites/{suite}",
            "forecast_folder": f"{block.folder}/{suite}",
            "batch": config["batch"],
            "normalisation": config["normalisation"],
            "metrics": {m: self._metric(m) for m in metrics},
        }

    def _metric(self, name: str) -> dict[str, Any]:
        if name not in self._metrics:
            config = self.registry.option("metric", name, self.scale)
            used = {k: v for k, v in config.items() if k not in METRIC_META}
            key = digest(used, self.code.of("strangecast.evaluation.score", config=used))
            self._metrics[name] = {"config": config, "key": key}
        return self._metrics[name]

    @cached_property
    def _metrics(self) -> dict[str, dict[str, Any]]:
        return {}

    # Studies

    @cached_property
    def studies(self) -> dict[str, dict[str, Any]]:
        """Study plans by name."""
        return {name: self._study(name, study) for name, study in self._studies.items()}

    def _study(self, name: str, study: dict[str, Any]) -> dict[str, Any]:
        option = self.registry.option
        rows = []
        for p in self._runs[name]:
            run = p.run
            rows.append(
                {
                    "run_id": run.run_id,
                    "data": run.data,
                    "emulator": run.emulator,
                    "training": run.training,
                    "point": run.values,
                    "label": p.label,
                    "seed": run.seed,
                    "init": run.init,
                    "trained_on_system": p.trained_on_system,
                    "suites": list(study.get("suites") or [] if p.suites is None else p.suites),
                    "status": "weights absent" if run.run_id in self._absent else None,
                    "weights": p.weights,
                    "folder": self._block_of.get(run.run_id),
                    "member": self._member_of.get(run.run_id),
                }
            )
        emulators = {r["emulator"]: option("emulator", r["emulator"], self.scale) for r in rows}
        figures = {f: option("figure", f, self.scale) for f in study.get("figures") or []}
        analyses = {a: option("analysis", a, self.scale) for a in study.get("analyses") or []}
        check_study(name, study, figures, analyses)
        check_labels(name, self._runs[name], self._datasets)
        plan = {
            "kind": "study",
            "name": name,
            "scale": self.scale,
            "config": {k: study.get(k) for k in ("title", "question")},
            "datasets": self._named_datasets(study),
            "runs": rows,
            "blocks": list(dict.fromkeys(r["folder"] for r in rows if r["folder"])),
            "suites": {s: {"folder": f"suites/{s}"} for s in study.get("suites") or []},
            "metrics": {m: self._metric(m)["config"] for m in study.get("metrics") or []},
            "analyses": analyses,
            "tables": study.get("tables") or {},
            "figures": figures,
            "claims": study.get("claims") or {},
            "emulators": {
                n: {"title": e["title"], "color": e.get("color"), "can": e["can"]} for n, e in emulators.items()
            },
        }
        for problem in claims_problems(plan):
            raise ConfigError(f"study '{name}': {problem}")
        return plan

    # Files

    def write(self) -> None:
        """Write every plan file that changed.

        Raises:
            ResultsError: the folder cannot be written, or holds results of another format.
        """
        self.check_format()
        made_from = {"settings": self._settings} if self._settings else {}
        for kind, plans in (
            ("dataset", self.datasets),
            ("suite", self.suites),
            ("block", self.blocks),
            ("study", self.studies),
        ):
            for name, value in plans.items():
                self.write_file(plan_path(self.root, kind, name), value | made_from)

    def check_format(self) -> None:
        """Refuse a results folder of another format; mark a new one.

        Raises:
            ResultsError: names the format found; nothing is changed.
        """
        marker = self.root / "format.json"
        if marker.exists():
            try:
                found = json.loads(marker.read_text(encoding="utf-8")).get("format")
            except (OSError, ValueError, AttributeError):
                found = "unreadable"
        elif (self.root / "runs").exists():
            found = "none"
        else:
            write_json(marker, {"format": FORMAT})
            return
        if found != FORMAT:
            raise ResultsError(
                f"{self.root} was made by another version (format {found}, this one reads {FORMAT}); nothing was touched: "
                "move it away, or use the version that made it"
            )

    @staticmethod
    def write_file(path: Path, value: dict[str, Any]) -> None:
        """Write one plan file if it differs from what is there."""
        text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        try:
            if path.read_text(encoding="utf-8") == text:
                return
        except OSError:
            pass
        write_json(path, value)
