"""What an analysis is given: the forecasts of one label on one dataset, beside the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from strangecast.core.plans import block_plan
from strangecast.data.forecasts import read_forecasts
from strangecast.data.windows import Windows
from strangecast.metrics.scale import Scale
from strangecast.metrics.suite_arrays import scale_of, stacked_forecasts


@dataclass(frozen=True)
class Case:
    """One label on one dataset of one suite: S runs, B windows.

    Attributes:
        suite, dataset, system, label: names.
        run_ids, seeds: of the S runs, in the order of their seeds.
        channels: names of the C channels.
        windows: B rows of the suite's table (``trajectory_id, window, origin, ...``).
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: units of the windows.
    """

    suite: str
    dataset: str
    system: str
    label: str
    run_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    channels: tuple[str, ...]
    windows: pd.DataFrame
    truth: np.ndarray
    forecast: np.ndarray
    scale: Scale


def cases(plan: dict[str, Any], root: Path) -> Iterator[Case]:
    """Cases of a study by suite, dataset and label, in the order of its plan; runs without forecasts are left out.

    Args:
        plan: study plan.
        root: ``results/<scale>``.

    Raises:
        ResultsError: windows or forecasts are missing or damaged.
    """
    for suite, about in plan["suites"].items():
        windows = Windows.open(root, about["folder"])
        files = {}
        for folder in plan["blocks"]:
            use = block_plan(root, folder)["suites"].get(suite)
            if use is not None:
                files[folder] = read_forecasts(root / use["forecast_folder"] / "forecasts.arrow")
        held = {
            folder: set(f.table[["run_id", "dataset"]].drop_duplicates().itertuples(index=False, name=None))
            for folder, f in files.items()
        }
        for dataset in windows.datasets:
            rows = windows.rows(dataset)
            truth, scale, spec = windows.truth(rows)[0], scale_of(windows, rows), windows.spec(dataset)
            runs = [r for r in plan["runs"] if (r["run_id"], dataset) in held.get(r["folder"], ())]
            for label in dict.fromkeys(r["label"] for r in runs):
                own = sorted((r for r in runs if r["label"] == label), key=lambda r: r["seed"])
                parts = [stacked_forecasts(files[r["folder"]], windows, rows, [r["run_id"]]) for r in own]
                yield Case(
                    suite=suite,
                    dataset=dataset,
                    system=spec.system,
                    label=label,
                    run_ids=tuple(r["run_id"] for r in own),
                    seeds=tuple(r["seed"] for r in own),
                    channels=tuple(c.name for c in spec.channels),
                    windows=windows.table.iloc[rows].reset_index(drop=True),
                    truth=truth,
                    forecast=np.concatenate(parts),
                    scale=scale,
                )
