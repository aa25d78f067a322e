"""What an analysis of data is given: the datasets of a study, with every trajectory that was generated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core.plans import dataset_plan
from strangecast.core.schemas import MANIFEST
from strangecast.core.tables import read_parquet
from strangecast.data.store import Dataset


@dataclass(frozen=True)
class Generated:
    """One dataset.

    Attributes:
        name: of the dataset.
        folder: where its files are.
        config: its resolved YAML.
    """

    name: str
    folder: Path
    config: dict[str, Any]

    @cached_property
    def manifest(self) -> pd.DataFrame:
        """One row per trajectory generated, accepted or not (``schemas.MANIFEST``)."""
        return read_parquet(self.folder / "manifest.parquet", MANIFEST).to_pandas()

    @cached_property
    def dataset(self) -> Dataset:
        """The accepted trajectories, split."""
        return Dataset.open(self.folder)


def generated(plan: dict[str, Any], root: Path) -> Iterator[Generated]:
    """The datasets that a study names, in its order.

    Args:
        plan: study plan.
        root: ``results/<scale>``.

    Raises:
        ResultsError: a dataset has no plan.
    """
    for name in plan["datasets"]:
        about = dataset_plan(root, name)
        yield Generated(name, root / about["folder"], about["config"])
