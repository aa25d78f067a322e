"""A study of data without runs, written as the rules would write it, over the datasets of ``tests/unit/simulated.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.analyses.job import analyse
from strangecast.core.atomic import write_json
from strangecast.evaluation.claims import judge_claims
from strangecast.evaluation.compare import compare_study
from strangecast.paper.frames import load_frames
from strangecast.workflow.compose import Registry
from tests.unit.simulated import three_datasets

DATASETS = ("dysts_all", "dysts_perturbed", "skew")


class DataStudy:
    """The study ``attractors`` under ``root``.

    Args:
        root: results folder of a scale.
        datasets: of ``DATASETS``.
    """

    def __init__(self, root: Path, datasets: tuple[str, ...] = DATASETS) -> None:
        registry = Registry()
        study = registry.option("study", "attractors", "smoke")
        self.root, self.name = root, "attractors"
        self.plan: dict[str, Any] = {
            "kind": "study", "name": self.name, "scale": "smoke",
            "config": {k: study[k] for k in ("title", "question")}, "datasets": list(datasets),
            "runs": [], "blocks": [], "suites": {}, "metrics": {}, "emulators": {},
            "analyses": {a: registry.option("analysis", a, "smoke") for a in study["analyses"]},
            "tables": study["tables"], "claims": study["claims"] if datasets == DATASETS else {},
            "figures": {f: registry.option("figure", f, "smoke") for f in study["figures"]},
        }  # fmt: skip
        if "skew" not in datasets:
            del self.plan["figures"]["skew_gallery"]

    def write(self) -> DataStudy:
        """Write datasets, plan, analyses and claims."""
        three_datasets(self.root)
        write_json(self.root / "plan" / "study" / f"{self.name}.json", self.plan)
        compare_study(self.plan, self.root)
        for name in self.plan["analyses"]:
            analyse(self.plan, self.root, name)
        judge_claims(self.plan, self.root)
        return self

    def frames(self) -> dict[str, pd.DataFrame]:
        """All analyses, read back from the files."""
        return load_frames(self.plan, self.root, [f"analysis/{a}" for a in self.plan["analyses"]])
