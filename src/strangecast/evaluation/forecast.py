"""Forecasts of every window of a suite by the members of a block.

Batches have the suite's fixed size, filled up with repetitions of a window, and members are forecast side by side: both
change nothing in a member's bits, so a forecast depends on its key alone.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from strangecast.core.context import Context
from strangecast.core.errors import ConfigError, ResultsError, unknown
from strangecast.data.forecasts import Forecasts, read_forecasts, write_forecasts
from strangecast.data.windows import Windows
from strangecast.emulators.base import Emulator
from strangecast.emulators.build import build
from strangecast.emulators.run_folder import load
from strangecast.evaluation.keys import finished, forecast_keys, run_records
from strangecast.training.device import reproducible, resolve_device

FILE = "forecasts.arrow"
# Vector instructions take numbers in groups, and round what is left over otherwise: a batch is a multiple of any group.
LANES = 32


def forecast_block(plan: dict[str, Any], root: Path, suite: str, *, device: str = "auto", reuse: bool = True) -> None:
    """Write ``forecasts.arrow`` of a block and a suite.

    Rows whose key has not changed are kept as they are. A run that diverged in training gets no rows. Values that are
    not finite are kept. The label ``seconds`` holds JSON, run_id to seconds spent on its forecasts.

    Args:
        plan: block plan.
        root: ``results/<scale>``.
        suite: name of the suite.
        device: auto, cpu, cuda, rocm or mps.
        reuse: False computes everything again.

    Raises:
        ConfigError: the block is not scored on ``suite``, or the device is not there.
        ResultsError: windows or weights are missing or damaged.
    """
    if suite not in plan["suites"]:
        raise ConfigError(f"{plan['folder']}: {unknown('suite', suite, plan['suites'])}")
    use = plan["suites"][suite]
    windows = Windows.open(root, use["folder"])
    path = root / use["forecast_folder"] / FILE
    wanted = _wanted(plan, run_records(plan, root), windows, use["batch"])
    kept, seconds = _kept(path, wanted, windows) if reuse else ({}, {})
    missing = {pair: key for pair, key in wanted.items() if pair not in kept}
    made, spent = _make(plan, root, use, windows, missing, device) if missing else ({}, {})
    ids = windows.table[["dataset", "trajectory_id", "window"]].to_dict("list")
    rows = [
        {
            "run_id": run_id,
            "key": key,
            "dataset": dataset,
            "trajectory_id": ids["trajectory_id"][row],
            "window": ids["window"][row],
            "values": values,
        }
        for (run_id, dataset), key in wanted.items()
        for row, values in zip(windows.rows(dataset), (kept | made)[run_id, dataset], strict=True)
    ]
    runs = {run_id for run_id, _ in wanted}
    seconds = {r: round(s, 4) for r, s in (seconds | spent).items() if r in runs}
    write_forecasts(path, rows, {"seconds": json.dumps(seconds, sort_keys=True)})


def _wanted(plan: dict[str, Any], records: dict[str, Any], windows: Windows, batch: int) -> dict[tuple[str, str], str]:
    """Keys of the forecasts there should be, by (run_id, dataset), in the order of members and datasets."""
    absent = [m["run_id"] for m in plan["members"] if m["run_id"] not in records]
    if absent:
        raise ResultsError(f"{plan['folder']}/run.json does not hold run {absent[0]}; run the rule train first")
    contents = {d: windows.contents[d] for d in windows.datasets}
    return forecast_keys(plan, records, contents, batch, finished(records))


def _kept(
    path: Path, wanted: dict[tuple[str, str], str], windows: Windows
) -> tuple[dict[tuple[str, str], list[np.ndarray]], dict[str, float]]:
    """Forecasts of the file there is whose keys are wanted, in the order of the windows, and the old seconds."""
    try:
        old = read_forecasts(path)
        places = _places(old)
        seconds = json.loads(old.labels["seconds"])
    except (ResultsError, KeyError, ValueError):
        return {}, {}
    ids = windows.table[["trajectory_id", "window"]].to_dict("list")
    kept = {}
    for (run_id, dataset), key in wanted.items():
        here = [
            places.get((run_id, key, dataset, ids["trajectory_id"][row], ids["window"][row]))
            for row in windows.rows(dataset)
        ]
        if None not in here:
            kept[run_id, dataset] = [old.array(i) for i in here]
    return kept, seconds


def _places(forecasts: Forecasts) -> dict[tuple, int]:
    columns = ["run_id", "key", "dataset", "trajectory_id", "window"]
    lists = (forecasts.table[c].tolist() for c in columns)
    return {key: i for i, key in enumerate(zip(*lists, strict=True))}


def _make(
    plan: dict[str, Any],
    root: Path,
    use: dict[str, Any],
    windows: Windows,
    missing: dict[tuple[str, str], str],
    device: str,
) -> tuple[dict[tuple[str, str], list[np.ndarray]], dict[str, float]]:
    """Forecasts by (run_id, dataset), and seconds by run_id."""
    members = [m for m in plan["members"] if any(run_id == m["run_id"] for run_id, _ in missing)]
    own = {m["run_id"]: [d for run_id, d in missing if run_id == m["run_id"]] for m in members}
    place = resolve_device(device, gpu=plan["emulator"].get("gpu", False))
    needs_state = "state" in plan["emulator"].get("can", {}).get("needs", [])
    made: dict[tuple[str, str], list[np.ndarray]] = {}
    seconds = dict.fromkeys(own, 0.0)
    with reproducible(), torch.no_grad():
        for group in _side_by_side(plan, root, members):
            emulator = group[1].to(place)
            for shape in dict.fromkeys(_shape(windows, d) for m in group[0] for d in own[m["run_id"]]):
                rows = [_rows(windows, [d for d in own[m["run_id"]] if _shape(windows, d) == shape]) for m in group[0]]
                start = time.perf_counter()
                found = forecast_windows(emulator, windows, rows, use["batch"], place, needs_state)
                elapsed = time.perf_counter() - start
                total = sum(map(len, rows))
                for m, r, values in zip(group[0], rows, found, strict=True):
                    seconds[m["run_id"]] += elapsed * len(r) / total
                    for row, value in zip(r, values, strict=True):
                        made.setdefault((m["run_id"], windows.table["dataset"].iat[row]), []).append(value)
    return made, seconds


def _side_by_side(
    plan: dict[str, Any], root: Path, members: list[dict[str, Any]]
) -> list[tuple[list[dict[str, Any]], Emulator]]:
    """Members with the emulator that holds them, in this order; untrained members one at a time."""
    if plan["training"] is None:
        return [([m], build(plan["emulator"]["config"], (), [m["emulator"]])) for m in members]
    ids = [m["run_id"] for m in members]
    first = load(root / plan["folder"], ids[:1])
    if first.side_by_side:
        return [(members, load(root / plan["folder"], ids))]
    return [([m], load(root / plan["folder"], [m["run_id"]])) for m in members]


def _shape(windows: Windows, dataset: str) -> tuple:
    """What windows of one batch must have in common."""
    spec = windows.spec(dataset)
    first = windows.table.iloc[windows.rows(dataset)[0]]
    return spec.C, spec.grid, int(first["context"]), int(first["horizon"])


def _rows(windows: Windows, datasets: list[str]) -> np.ndarray:
    return np.concatenate([windows.rows(d) for d in datasets]) if datasets else np.zeros(0, np.int64)


def forecast_windows(
    emulator: Emulator,
    windows: Windows,
    rows: list[np.ndarray],
    batch: int,
    device: torch.device | str = "cpu",
    needs_state: bool = False,
) -> list[list[np.ndarray]]:
    """Forecast windows, each member its own, in batches of one size.

    Args:
        emulator: S members.
        windows: of the suite.
        rows: per member its row numbers of ``windows``, of one shape; members may have different numbers, or none.
        batch: windows per batch, rounded up to a multiple of ``LANES``; the last is filled up by repeating a window.
        device: where ``emulator`` is.
        needs_state: give the emulator the full state at the origin.

    Returns:
        Per member, per row: [H, C, *grid], float64.
    """
    batch = -(-batch // LANES) * LANES
    shared = len({r.tobytes() for r in rows}) == 1
    longest = max(rows, key=len)
    length = -(-len(longest) // batch) * batch
    # A member with fewer windows than the others repeats its last one, a member without any goes along with theirs.
    filled = np.stack([_filled(r if len(r) else longest, length) for r in rows])
    filled = filled[:1] if shared else filled
    found: list[list[np.ndarray]] = [[] for _ in rows]
    for start in range(0, length, batch):
        part = filled[:, start : start + batch]
        context, times = _context(windows, part, device, needs_state)
        values = emulator.forecast(context, times).to("cpu", torch.float64).numpy()
        for s, r in enumerate(rows):
            found[s] += list(values[s, : max(0, min(batch, len(r) - start))])
    return found


def _filled(rows: np.ndarray, length: int) -> np.ndarray:
    return rows[np.minimum(np.arange(length), len(rows) - 1)]


def _context(
    windows: Windows, rows: np.ndarray, device: torch.device | str, needs_state: bool
) -> tuple[Context, torch.Tensor]:
    """Contexts of windows [S|1, B] and the times asked for."""
    s, b = rows.shape
    flat = rows.reshape(-1)
    steps = int(windows.table["context"].iat[int(flat[0])])
    values, past = windows.context(flat, steps)
    future = windows.truth(flat)[1]

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).reshape(s, b, *array.shape[1:]).to(device)

    state = tensor(windows.state(flat)) if needs_state else None
    return Context(values=tensor(values), times=tensor(past), state=state), tensor(future)
