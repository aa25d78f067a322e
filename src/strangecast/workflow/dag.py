"""What the rules ask of a plan: which files a job reads, and the hash that decides whether it runs again.

Paths are relative to the working directory, as Snakemake wants them. A hash covers just what its rule uses.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.hashing import digest, file_digest
from strangecast.core.plans import plan_path
from strangecast.core.targets import STEPPERS, SYSTEMS
from strangecast.workflow.cache import Cache
from strangecast.workflow.codehash import PACKAGE, CodeHash
from strangecast.workflow.compose import SCALES, Registry
from strangecast.workflow.overrides import OverriddenRegistry, parse
from strangecast.workflow.plan import Plan
from strangecast.workflow.pretrained import Pretrained
from strangecast.workflow.settings import Settings


class Dag:
    """Plans of all scales under one results folder, made when first asked for.

    Args:
        settings: what config.yaml selects.
        results: the folder that holds the scales.
        figures: the folder that holds the figures of the scales.
        write: False only looks; nothing is written.
    """

    def __init__(
        self,
        settings: Settings,
        results: Path = Path("results"),
        figures: Path = Path("figures"),
        write: bool = True,
    ) -> None:
        self.settings = settings
        self.write = write
        self.results = results
        self.figures_folder = figures
        self.cache = Cache(results / ".cache.json")
        base = Registry(cache=self.cache)
        self.registry = OverriddenRegistry(base, parse(settings.overrides, base).values)
        self.registry.check(settings.scale)
        self.code = CodeHash(self.cache)
        self._plans: dict[str, Plan] = {}

    def plan(self, scale: str) -> Plan:
        """The plan of ``scale``, its files written.

        Raises:
            StrangecastError: the configuration cannot work, or the results folder cannot be used.
        """
        if scale not in self._plans:
            if scale not in SCALES:
                raise ConfigError(unknown("scale", scale, SCALES))
            plan = Plan(
                scale,
                self.settings.studies,
                self.registry,
                self.code,
                self.settings.seeds,
                self.results / scale,
                pretrained=Pretrained(self.settings.weights, self.cache),
                settings=self.fingerprint,
            )
            if self.write:
                plan.write()
                plan.write_file(self.results / scale / "plan" / "settings.json", asdict(self.settings))
                self.cache.save()
            self._plans[scale] = plan
        return self._plans[scale]

    @cached_property
    def fingerprint(self) -> str:
        """Digest of what the plans follow from: the settings that choose, and the conf folder."""
        chosen = {k: v for k, v in asdict(self.settings).items() if k not in ("scale", "device", "logger", "reuse")}
        return digest(chosen, self.registry.fingerprint)

    def root(self, scale: str) -> Path:
        """``results/<scale>``."""
        return self.results / scale

    def plan_file(self, scale: str, kind: str, name: str) -> str:
        """Path of a plan file."""
        self._entry(scale, kind, name)
        return plan_path(self.root(scale), kind, name).as_posix()

    def _entry(self, scale: str, kind: str, name: str) -> dict[str, Any]:
        plan = self.plan(scale)
        table = {"dataset": plan.datasets, "suite": plan.suites, "block": plan.blocks, "study": plan.studies}[kind]
        if name not in table:
            if kind == "dataset":
                table[name] = plan.dataset(name)
                if self.write:
                    plan.write()
            else:
                raise ConfigError(f"the plan of scale {scale} has no {kind} '{name}'; is its study in config.yaml?")
        return table[name]

    # Data

    def shards(self, scale: str, dataset: str) -> list[str]:
        """Shards of a dataset."""
        entry = self._entry(scale, "dataset", dataset)
        return [f"{self.root(scale)}/{entry['folder']}/{s}" for s in entry["shards"]]

    def dataset_hash(self, scale: str, dataset: str, part: str) -> str:
        """Hash for generate or import ("make"), filter, or split."""
        return self._entry(scale, "dataset", dataset)["hash"][part]

    def restarted(self, scale: str, dataset: str) -> list[str]:
        """The manifest that a dataset reads parameters from where it restarts another, else nothing."""
        restart = self._entry(scale, "dataset", dataset)["config"].get("restart")
        return [f"{self.root(scale)}/{restart['folder']}/manifest.parquet"] if restart else []

    def imported_file(self, scale: str, dataset: str) -> str:
        """The user's file of an imported dataset."""
        return str(Path(self._entry(scale, "dataset", dataset)["config"]["source"]["path"]).expanduser())

    def splits_of_suite(self, scale: str, suite: str) -> list[str]:
        """Split tables a suite's windows are taken from."""
        entry = self._entry(scale, "suite", suite)
        return [f"{self.root(scale)}/{d['folder']}/splits.parquet" for d in entry["datasets"].values()]

    def suite_hash(self, scale: str, suite: str) -> str:
        """Hash for windows."""
        return self._entry(scale, "suite", suite)["hash"]

    # Blocks

    def train_inputs(self, scale: str, block: str) -> list[str]:
        """Splits of the block's data, and the weights its members start from."""
        entry = self._entry(scale, "block", block)
        inputs = [f"{self.root(scale)}/{d['folder']}/splits.parquet" for d in entry["datasets"].values()]
        if entry["init"]:
            inputs.append(f"{self.root(scale)}/{entry['init']['folder']}/run.json")
        return inputs

    def train_hash(self, scale: str, block: str) -> str:
        """Hash for train."""
        entry = self._entry(scale, "block", block)
        return digest([m["static_key"] for m in entry["members"]], entry["init"])

    def uses_gpu(self, scale: str, block: str, part: str) -> bool:
        """Whether the YAML of the block's emulator (or training) asks for a GPU."""
        entry = self._entry(scale, "block", block)
        return bool((entry[part] or {}).get("gpu"))

    def forecast_inputs(self, scale: str, block: str, suite: str) -> list[str]:
        """Windows of the suite, and the run folder where there is one."""
        entry = self._entry(scale, "block", block)
        root = self.root(scale)
        return [f"{root}/suites/{suite}/windows.parquet"] + ([f"{root}/{block}/run.json"] if entry["training"] else [])

    def forecast_hash(self, scale: str, block: str, suite: str) -> str:
        """Hash for forecast."""
        entry = self._entry(scale, "block", block)
        use = self._use(entry, suite)
        keys = [m["static_key"] for m in entry["members"]]
        return digest(keys, use["batch"], entry["code"]["forecast"])

    def score_hash(self, scale: str, block: str, suite: str) -> str:
        """Hash for score."""
        use = self._use(self._entry(scale, "block", block), suite)
        prefixes = {d: v["window"].get("prefixes") for d, v in self._entry(scale, "suite", suite)["datasets"].items()}
        return digest({m: v["key"] for m, v in use["metrics"].items()}, use["normalisation"], prefixes)

    @staticmethod
    def _use(entry: dict[str, Any], suite: str) -> dict[str, Any]:
        if suite not in entry["suites"]:
            raise ConfigError(f"{entry['folder']} is not scored on '{suite}' (suites: {', '.join(entry['suites'])})")
        return entry["suites"][suite]

    # Studies

    def of_study(self, scale: str, study: str, file: str) -> list[str]:
        """``forecasts.arrow`` or ``scores.parquet`` of every (block, suite) of a study."""
        entry = self._entry(scale, "study", study)
        blocks = self.plan(scale).blocks
        return [
            f"{self.root(scale)}/{use['forecast_folder']}/{file}"
            for folder in entry["blocks"]
            for suite, use in blocks[folder]["suites"].items()
            if suite in entry["suites"]
        ]

    def trained(self, scale: str, study: str, file: str) -> list[str]:
        """A file of the run folder of every trained block of a study."""
        blocks = self.plan(scale).blocks
        entry = self._entry(scale, "study", study)
        return [f"{self.root(scale)}/{b}/{file}" for b in entry["blocks"] if blocks[b]["training"]]

    def windows(self, scale: str, study: str) -> list[str]:
        """Windows of a study's suites."""
        entry = self._entry(scale, "study", study)
        return [f"{self.root(scale)}/{s['folder']}/windows.parquet" for s in entry["suites"].values()]

    def compare_hash(self, scale: str, study: str) -> str:
        """Hash for compare."""
        entry = self._entry(scale, "study", study)
        return digest(entry["runs"], entry["metrics"], self.code.of("strangecast.evaluation.compare"))

    def analyses(self, scale: str, study: str) -> list[str]:
        """Analysis tables of a study."""
        entry = self._entry(scale, "study", study)
        return [f"{self.root(scale)}/{study}/analysis/{a}.parquet" for a in entry["analyses"]]

    def analyse_inputs(self, scale: str, study: str, analysis: str) -> list[str]:
        """What an analysis reads, by the word under ``of:`` in its YAML."""
        entry = self._entry(scale, "study", study)
        of = _named(entry["analyses"], "analysis", analysis, study).get("of") or "forecasts"
        if of == "emulators":
            return self.trained(scale, study, "run.json")
        if of == "datasets":
            folders = [self._entry(scale, "dataset", d)["folder"] for d in entry["datasets"]]
            return [f"{self.root(scale)}/{f}/{name}.parquet" for f in folders for name in ("manifest", "splits")]
        return self.of_study(scale, study, "forecasts.arrow") + self.windows(scale, study)

    def analyse_hash(self, scale: str, study: str, analysis: str) -> str:
        """Hash for analyse."""
        entry = self._entry(scale, "study", study)
        config = _named(entry["analyses"], "analysis", analysis, study)
        rows = [[r["run_id"], r["label"], r["seed"]] for r in entry["runs"]]
        systems = [SYSTEMS, STEPPERS] if config.get("of") == "emulators" else []
        return digest(config, rows, self.code.of("strangecast.analyses.job", *systems, config=config))

    def analysis_uses_gpu(self, scale: str, study: str, analysis: str) -> int:
        """1 where the analysis' YAML asks for a GPU."""
        config = _named(self._entry(scale, "study", study)["analyses"], "analysis", analysis, study)
        return int(bool(config.get("gpu")))

    def claims_hash(self, scale: str, study: str) -> str:
        """Hash for claims."""
        entry = self._entry(scale, "study", study)
        absent = [[r["label"], r["weights"]] for r in entry["runs"] if r["status"]]
        code = self.code.of("strangecast.evaluation.claims", config=entry["claims"])
        return digest(entry["claims"], code, *([absent] if absent else []))

    def drawn_inputs(self, scale: str, study: str, kind: str, name: str) -> list[str]:
        """Tables that a figure or table names in its ``inputs``."""
        entry = self._entry(scale, "study", study)
        config = _named(entry[f"{kind}s"], kind, name, study)
        folder = f"{self.root(scale)}/{study}"
        files: list[str] = []
        for wanted in config.get("inputs") or []:
            if wanted == "windows":
                files += self.windows(scale, study)
            elif wanted == "histories":
                files += self.trained(scale, study, "history.parquet")
            else:
                files.append(f"{folder}/{wanted}.parquet")
        return files

    def drawn_hash(self, scale: str, study: str, kind: str, name: str) -> str:
        """Hash for figure or table."""
        entry = self._entry(scale, "study", study)
        config = _named(entry[f"{kind}s"], kind, name, study)
        used = {k: v for k, v in config.items() if k != "caption"}
        code = self.code.of(f"strangecast.paper.{kind}_job", config=used)
        style = _style() if kind == "figure" else ""
        return digest(used, entry["emulators"], entry["metrics"], code, style)

    def drawing_hash(self, *modules: str) -> str:
        """Hash for figures of no study: the code of ``modules`` and the style sheet."""
        return digest(self.code.of(*modules), _style())

    def caption(self, scale: str, study: str, kind: str, name: str) -> str:
        """Caption of a figure or table."""
        entry = self._entry(scale, "study", study)
        return _named(entry[f"{kind}s"], kind, name, study).get("caption", "")

    def figures(self, scale: str) -> list[str]:
        """Every figure (PDF) of the selected studies."""
        return [
            f"{self.figures_folder}/{scale}/{s}/{f}.pdf"
            for s in self.settings.studies
            for f in self._entry(scale, "study", s)["figures"]
        ]

    def tables(self, scale: str) -> list[str]:
        """Every table (CSV) of the selected studies."""
        return [
            f"{self.root(scale)}/{s}/tables/{t}.csv"
            for s in self.settings.studies
            for t in self._entry(scale, "study", s)["tables"]
        ]

    def study_plans(self, scale: str) -> list[str]:
        """Plan files of the selected studies."""
        return [self.plan_file(scale, "study", s) for s in self.settings.studies]

    def summary_hash(self, scale: str, *modules: str) -> str:
        """Hash for rules that read all studies: their plans and the code of ``modules``."""
        plan = self.plan(scale)
        used = [{k: v for k, v in plan.studies[s].items() if k != "blocks"} for s in self.settings.studies]
        return digest(used, self.code.of(*modules))

    def study_tables(self, scale: str, name: str) -> list[str]:
        """``<study>/<name>.parquet`` of the selected studies."""
        return [f"{self.root(scale)}/{s}/{name}.parquet" for s in self.settings.studies]


def _style() -> str:
    return file_digest(PACKAGE / "paper" / "strangecast.mplstyle")


def _named(table: dict[str, Any], kind: str, name: str, study: str) -> dict[str, Any]:
    if name not in table:
        raise ConfigError(f"study '{study}': {unknown(kind, name, table)}")
    return table[name]
