"""Forecasts of every window of a suite by the members of a block.

Batches have the suite's fixed size, filled up with repetitions of a window, and members are forecast side by side: both
change nothing in a member's bits, so a forecast depends on its key alone. Random numbers of samples are keyed by member
and window (``emulators/draws.py``), so the same holds of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from strangecast.core.errors import ConfigError, ResultsError, unknown
from strangecast.data.forecasts import Forecasts, read_forecasts, write_forecasts
from strangecast.data.windows import Windows
from strangecast.emulators.base import Emulator
from strangecast.emulators.build import build
from strangecast.emulators.draws import SampleRandom, sample_keys
from strangecast.emulators.run_folder import load
from strangecast.evaluation.contexts import batches_alike, context_of, window_keys
from strangecast.evaluation.keys import finished, forecast_keys, run_records, samples_of
from strangecast.training.device import reproducible, resolve_device

FILE = "forecasts.arrow"
# Vector instructions take numbers in groups, and round what is left over otherwise: a batch is a multiple of any group.
LANES = 32


def forecast_block(plan: dict[str, Any], root: Path, suite: str, *, device: str = "auto", reuse: bool = True) -> None:
    """Write ``forecasts.arrow`` of a block and a suite.

    A row holds one forecast [H, C, *grid] or, where the plan says ``samples: N`` of the emulator, N of them
    [N, H, C, *grid]. Rows whose key has not changed are kept as they are. A run that diverged in training gets no rows. Values that are
    not finite are kept. The label ``seconds`` holds JSON, run_id to seconds spent on its forecasts.

    Args:
        plan: block plan.
        root: ``results/<scale>``.
        suite: name of the suite.
        device: auto, cpu, cuda, rocm or mps.
        reuse: False computes everything again.

    Raises:
        ConfigError: the block is not scored on ``suite``, the device is not there, or samples are asked of an emulator
            that draws none.
        DataError: a system lacks what the emulator needs of it.
        ResultsError: windows or weights are missing or damaged.
    """
    if suite not in plan["suites"]:
        raise ConfigError(f"{plan['folder']}: {unknown('suite', suite, plan['suites'])}")
    use = plan["suites"][suite]
    windows = Windows.open(root, use["folder"])
    path = root / use["forecast_folder"] / FILE
    wanted = _wanted(plan, run_records(plan, root), suite, windows)
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


def _wanted(plan: dict[str, Any], records: dict[str, Any], suite: str, windows: Windows) -> dict[tuple[str, str], str]:
    """Keys of the forecasts there should be, by (run_id, dataset), in the order of members and datasets."""
    absent = [m["run_id"] for m in plan["members"] if m["run_id"] not in records]
    if absent:
        raise ResultsError(f"{plan['folder']}/run.json does not hold run {absent[0]}; run the rule train first")
    contents = {d: windows.contents[d] for d in windows.datasets}
    return forecast_keys(plan, records, suite, contents, finished(records))


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


Part = tuple[list[dict[str, Any]], Emulator, list[np.ndarray]]


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
    needs = plan["emulator"].get("can", {}).get("needs", [])
    made: dict[tuple[str, int], np.ndarray] = {}
    seconds = dict.fromkeys(own, 0.0)
    with reproducible(), torch.no_grad():
        for together, emulator, rows in _parts(plan, root, members, batches_alike(windows, own, needs)):
            emulator = emulator.to(place)
            start = time.perf_counter()
            found = forecast_windows(
                emulator,
                windows,
                rows,
                use["batch"],
                place,
                needs=needs,
                samples=samples_of(plan),
                streams=[m["stream_key"] for m in together],
            )
            elapsed = time.perf_counter() - start
            total = sum(map(len, rows))
            for m, r, values in zip(together, rows, found, strict=True):
                seconds[m["run_id"]] += elapsed * len(r) / total
                made |= zip([(m["run_id"], row) for row in r.tolist()], values, strict=True)
    found = {
        (r, d): [made[r, row] for row in windows.rows(d).tolist()] for r, datasets in own.items() for d in datasets
    }
    return found, seconds


def _parts(
    plan: dict[str, Any], root: Path, members: list[dict[str, Any]], alike: list[dict[str, np.ndarray]]
) -> Iterator[Part]:
    """Members, the emulator that holds them side by side, and per member the windows of one part of ``alike``."""
    ids = [m["run_id"] for m in members]
    trained = plan["training"] is not None
    first = load(root / plan["folder"], ids[:1]) if trained else None
    if first is not None and first.side_by_side:
        emulator, held = first, ids[:1]
        for part in alike:
            here = [m for m in members if m["run_id"] in part]
            wanted = [m["run_id"] for m in here]
            if wanted != held:
                emulator, held = load(root / plan["folder"], wanted), wanted
            yield here, emulator, [part[r] for r in wanted]
        return
    for m in members:
        own = [part[m["run_id"]] for part in alike if m["run_id"] in part]
        emulator = load(root / plan["folder"], [m["run_id"]]) if trained else _untrained(plan, m)
        yield from (([m], emulator, [rows]) for rows in own)


def _untrained(plan: dict[str, Any], member: dict[str, Any]) -> Emulator:
    emulator = build(plan["emulator"]["config"], (), [member["emulator"]])
    weights = plan["emulator"].get("weights")
    if weights:
        emulator.load_pretrained(Path(weights["folder"]))
    return emulator


def forecast_windows(
    emulator: Emulator,
    windows: Windows,
    rows: list[np.ndarray],
    batch: int,
    device: torch.device | str = "cpu",
    *,
    needs: Iterable[str] = (),
    samples: int | None = None,
    streams: Sequence[int] | None = None,
) -> list[list[np.ndarray]]:
    """Forecast windows, each member its own, in batches of one size.

    Args:
        emulator: S members.
        windows: of the suite.
        rows: per member its row numbers of ``windows``, of one part of :func:`contexts.batches_alike`; members may have
            different numbers, or none.
        batch: windows per batch, rounded up to a multiple of ``LANES``; the last is filled up by repeating a window.
        device: where ``emulator`` is.
        needs: ``can.needs`` of the emulator.
        samples: N, or None for one forecast.
        streams: per member the key of its random numbers; the members' positions by default.

    Returns:
        Per member, per row: [H, C, *grid], float64, or [N, H, C, *grid] with samples.

    Raises:
        ConfigError: the emulator gives another shape than it promises.
    """
    batch = -(-batch // LANES) * LANES
    shared = len({r.tobytes() for r in rows}) == 1
    longest = max(rows, key=len)
    length = -(-len(longest) // batch) * batch
    # A member with fewer windows than the others repeats its last one, a member without any goes along with theirs.
    filled = np.stack([_filled(r if len(r) else longest, length) for r in rows])
    filled = filled[:1] if shared else filled
    streams = range(len(rows)) if streams is None else streams
    found: list[list[np.ndarray]] = [[] for _ in rows]
    for start in range(0, length, batch):
        part = filled[:, start : start + batch]
        context, times = context_of(windows, part, device, needs)
        if samples is None:
            values = emulator.forecast(context, times)
        else:
            keys = sample_keys(streams, window_keys(windows, part))
            values = emulator.forecast(context, times, samples=samples, rng=SampleRandom(keys, samples))
        _check_shape(emulator, values, samples, (len(rows), batch, times.shape[2], *context.values.shape[3:]))
        values = values.to("cpu", torch.float64).numpy()
        values = values if samples is None else np.moveaxis(values, 0, 2)
        for s, r in enumerate(rows):
            found[s] += list(values[s, : max(0, min(batch, len(r) - start))])
    return found


def _check_shape(emulator: Emulator, values: torch.Tensor, samples: int | None, shape: tuple[int, ...]) -> None:
    """Refuse what is no forecast before its axes are taken for others."""
    promised = shape if samples is None else (samples, *shape)
    if tuple(values.shape) != promised:
        letters = "[S, B, H, C, *grid]" if samples is None else "[N, S, B, H, C, *grid]"
        raise ConfigError(
            f"{type(emulator).__name__}.forecast gave an array of shape {list(values.shape)}; {letters} is {list(promised)}"
        )


def _filled(rows: np.ndarray, length: int) -> np.ndarray:
    return rows[np.minimum(np.arange(length), len(rows) - 1)]
