"""Many systems, windows and forecasts in real files: damped oscillators driven by noise, and the same with errors that grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import lfilter

from strangecast.core.atomic import write_json
from strangecast.core.spec import Channel, Spec
from strangecast.core.streams import stream
from strangecast.data.filtering import filter_dataset
from strangecast.data.forecasts import write_forecasts
from strangecast.data.splits import split_dataset
from strangecast.data.trajectories import row, shard_name, write_shard
from strangecast.data.windows import Windows, build_windows

SUITE = "oscillators"
CHANNELS, DT, LYAPUNOV = 3, 0.01, 1.0


def build(
    root: Path, metrics: dict[str, dict[str, Any]], *, systems: int, windows: int, emulators: int, horizon: int
) -> list[dict[str, Any]]:
    """Write datasets, windows and forecasts under ``root``; the plans of one block per emulator.

    Args:
        root: an empty folder.
        metrics: resolved YAMLs by name.
        systems, windows, emulators: how many.
        horizon: and context, in samples.
    """
    names = [f"oscillator-{i}" for i in range(systems)]
    window = {
        "context": horizon,
        "horizon": horizon,
        "count": windows,
        "prefixes": [horizon * k // 8 for k in range(1, 9)],
    }
    for name in names:
        _dataset(root, name, 2 * horizon + 64, window)
    suite = {
        "kind": "suite", "name": SUITE, "scale": "smoke", "folder": f"suites/{SUITE}",
        "config": {"datasets": names, "split": "test", "normalisation": "context", "batch": 32},
        "datasets": {n: {"folder": f"data/{n}", "window": window} for n in names},
    }  # fmt: skip
    write_json(root / "plan" / "suite" / f"{SUITE}.json", suite)
    build_windows(suite, root)
    held = Windows.open(root, suite["folder"])
    use = {
        "folder": suite["folder"], "batch": 32, "normalisation": "context",
        "metrics": {m: {"config": config, "key": m} for m, config in metrics.items()},
    }  # fmt: skip
    return [_block(root, held, f"emulator-{e}", use) for e in range(emulators)]


def _dataset(root: Path, name: str, length: int, window: dict[str, Any]) -> None:
    config = {
        "system": None, "source": None, "sampling": {"length": length}, "validity": {}, "noise": 0.0,
        "split": {"by": "initial_condition", "train": 1, "validation": 1, "test": 1}, "window": window,
    }  # fmt: skip
    plan = {
        "kind": "dataset", "name": name, "scale": "smoke", "folder": f"data/{name}", "config": config,
        "shards": [shard_name(0)], "made_by": "generate",
    }  # fmt: skip
    rows = []
    for i in range(3):
        kicks = stream("benchmark", name, i).standard_normal((length + 500, CHANNELS))
        values = lfilter([1.0], [1.0, -1.9, 0.95], kicks, axis=0)[500:]
        solver = "filtered noise: finished"
        rows.append(row(f"{name}-{i}", name, values, dt=DT, ic_index=i, lyapunov=LYAPUNOV, solver=solver))
    spec = Spec(tuple(Channel(f"x{c}") for c in range(CHANNELS)), dt=DT, lyapunov=LYAPUNOV, system=name)
    write_shard(root / plan["folder"] / shard_name(0), rows, spec)
    filter_dataset(plan, root)
    split_dataset(plan, root)
    write_json(root / "plan" / "dataset" / f"{name}.json", plan)


def _block(root: Path, windows: Windows, emulator: str, use: dict[str, Any]) -> dict[str, Any]:
    folder = f"runs/none/{emulator}/none/base-all"
    rows = []
    for i, where in enumerate(windows.table.itertuples()):
        truth = windows.truth(np.array([i]))[0][0]
        growth = np.exp(np.linspace(-4, 1, len(truth)))[:, None] * truth.std(axis=0)
        noise = stream("benchmark", emulator, i).standard_normal(truth.shape)
        rows.append(
            {
                "run_id": emulator, "key": emulator, "dataset": where.dataset, "trajectory_id": where.trajectory_id,
                "window": where.window, "values": truth + growth * noise,
            }
        )  # fmt: skip
    write_forecasts(root / folder / SUITE / "forecasts.arrow", rows)
    return {"folder": folder, "suites": {SUITE: {**use, "forecast_folder": f"{folder}/{SUITE}"}}}
