"""What an analysis of weights is given: each run's emulator, with the data and the systems it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from strangecast.core.plans import block_plan
from strangecast.core.run_file import read_run
from strangecast.core.targets import load_system
from strangecast.data.store import Dataset
from strangecast.emulators.base import Emulator
from strangecast.emulators.run_folder import load


@dataclass(frozen=True)
class Trained:
    """One trained run; its emulator and systems are read when first asked for.

    Attributes:
        run: its row of the study plan (``run_id, label, emulator, training, point, seed, data, ...``).
        folder: its block's folder.
        datasets: what it was trained on, opened.
    """

    run: dict[str, Any]
    folder: Path
    datasets: tuple[Dataset, ...]

    @cached_property
    def emulator(self) -> Emulator:
        """Its emulator, alone (S = 1)."""
        return load(self.folder, self.run["run_id"])

    def system(self, dataset: Dataset | None = None) -> Any:
        """The true ``System`` of a dataset of one system; the first dataset's by default.

        Raises:
            ConfigError: it is of no known system.
        """
        return load_system((dataset or self.datasets[0]).spec.system)


def trained(plan: dict[str, Any], root: Path) -> Iterator[Trained]:
    """Trained runs of a study in its order; runs whose training diverged are left out.

    Args:
        plan: study plan.
        root: ``results/<scale>``.

    Raises:
        ResultsError: weights, records or data are missing or damaged.
    """
    opened: dict[str, Dataset] = {}
    for folder in plan["blocks"]:
        block = block_plan(root, folder)
        if block["training"] is None:
            continue
        sound = {m["run_id"] for m in read_run(root / folder)["members"] if m["status"] == "done"}
        members = {m["run_id"]: m for m in block["members"]}
        for run in plan["runs"]:
            if run["folder"] == folder and run["run_id"] in sound:
                names = members[run["run_id"]]["datasets"]
                for name in names:
                    if name not in opened:
                        opened[name] = Dataset.open(root / block["datasets"][name]["folder"])
                yield Trained(run, root / folder, tuple(opened[n] for n in names))
