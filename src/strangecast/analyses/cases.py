"""What an analysis is given: the forecasts of one label on one system of a dataset, beside the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from strangecast.core.errors import ResultsError
from strangecast.core.plans import block_plan, scored_on
from strangecast.data.alike import alike, shape_of, spec_of
from strangecast.data.forecasts import Forecasts, read_forecasts
from strangecast.data.windows import Windows
from strangecast.metrics.samples import point_forecast
from strangecast.metrics.scale import Scale
from strangecast.metrics.suite_arrays import scale_of, stacked_forecasts


@dataclass(frozen=True)
class Case:
    """One label on one system of a dataset of a suite: S runs, B windows.

    Attributes:
        suite, dataset, system, label: names.
        run_ids, seeds: of the S runs, in the order of their seeds.
        channels: names of the C channels.
        windows: B rows of the suite's table (``trajectory_id, window, origin, ...``).
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid], the median of the samples where there are any; infinite for a run whose training
            diverged.
        scale: units of the windows.
        samples: [N, S, B, H, C, *grid] as they were drawn, or None where the emulator draws none.
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
    samples: np.ndarray | None = None


def cases(plan: dict[str, Any], root: Path) -> Iterator[Case]:
    """Cases of a study by suite, dataset, system and label, in the order of its plan.

    A run is there on the suites that its row lists. One without any forecast in its block's file was lost in training; it
    counts on every dataset it was to forecast.

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
                there = set(pairs["run_id"])
                gone = [m for m in block["members"] if m["run_id"] not in there and scored_on(m, suite)]
                lost |= {(m["run_id"], d) for m in gone for d in windows.datasets if m["dataset"] in (None, d)}
        for dataset in windows.datasets:
            runs = [r for r in plan["runs"] if (r["run_id"], dataset) in held | lost and scored_on(r, suite)]
            labels = dict.fromkeys(r["label"] for r in runs)
            for rows in alike(windows, windows.rows(dataset), lambda spec: (spec.system, shape_of(spec))):
                truth, scale, spec = windows.truth(rows)[0], scale_of(windows, rows), spec_of(windows, int(rows[0]))
                for label in labels:
                    own = sorted((r for r in runs if r["label"] == label), key=lambda r: r["seed"])
                    stored = [
                        None
                        if (r["run_id"], dataset) in lost
                        else stacked_forecasts(files[r["folder"]], windows, rows, [r["run_id"]])
                        for r in own
                    ]
                    forecast, samples = gathered(stored, truth, scale, label)
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
                        forecast=forecast,
                        scale=scale,
                        samples=samples,
                    )


def gathered(
    stored: list[np.ndarray | None], truth: np.ndarray, scale: Scale, label: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Forecasts and samples of a case from those of its runs.

    Args:
        stored: per run [1, B, H, C, *grid], or with N in front; None for a run lost in training.
        truth: [B, H, C, *grid].
        scale: of the windows.
        label: of the runs, for the message.

    Raises:
        ResultsError: runs drew different numbers of samples.
    """
    drawn = {len(x) if x.ndim > truth.ndim + 1 else 0 for x in stored if x is not None}
    if len(drawn) > 1:
        raise ResultsError(f"runs of '{label}' drew different numbers of samples, {sorted(drawn)}; forecast them again")
    N = max(drawn, default=0)
    gone = np.full((1, *truth.shape), np.inf)
    if not N:
        return np.concatenate([gone if x is None else x for x in stored]), None
    points = [gone if x is None else point_forecast(x, scale) for x in stored]
    samples = [np.broadcast_to(gone, (N, *gone.shape)) if x is None else x for x in stored]
    return np.concatenate(points), np.concatenate(samples, axis=1)
