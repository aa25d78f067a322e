"""What an analysis is given: the forecasts of one label on one dataset, beside the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from strangecast.core.plans import block_plan
from strangecast.data.forecasts import Forecasts, read_forecasts
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
        forecast: [S, B, H, C, *grid]; infinite for a run whose training diverged.
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
    """Cases of a study by suite, dataset and label, in the order of its plan.

    A run without any forecast in its block's file was lost in training; it counts on every dataset it was to forecast.

    Args:
        plan: study plan.
        root: ``results/<scale>``.

    Raises:
        ResultsError: windows or forecasts are missing or damaged.
    """
    for suite, about in plan["suites"].items():
        windows = Windows.open(root, about["folder"])
        files: dict[str, Forecasts] = {}
        held: set[tuple[str, str]] = set()
        lost: set[tuple[str, str]] = set()
        for folder in plan["blocks"]:
            block = block_plan(root, folder)
            use = block["suites"].get(suite)
            if use is not None:
                files[folder] = read_forecasts(root / use["forecast_folder"] / "forecasts.arrow")
                pairs = files[folder].table[["run_id", "dataset"]].drop_duplicates()
                held |= set(pairs.itertuples(index=False, name=None))
                gone = [m for m in block["members"] if m["run_id"] not in set(pairs["run_id"])]
                lost |= {(m["run_id"], d) for m in gone for d in windows.datasets if m["dataset"] in (None, d)}
        for dataset in windows.datasets:
            rows = windows.rows(dataset)
            truth, scale, spec = windows.truth(rows)[0], scale_of(windows, rows), windows.spec(dataset)
            runs = [r for r in plan["runs"] if (r["run_id"], dataset) in held | lost]
            for label in dict.fromkeys(r["label"] for r in runs):
                own = sorted((r for r in runs if r["label"] == label), key=lambda r: r["seed"])
                parts = [
                    np.full((1, *truth.shape), np.inf)
                    if (r["run_id"], dataset) in lost
                    else stacked_forecasts(files[r["folder"]], windows, rows, [r["run_id"]])
                    for r in own
                ]
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
