"""CPU time for one training window (context 512, horizon 128) of never-repeated data, end to end, on one thread.

Ours simulates, checks, cuts and augments; trajectories are forgotten after one use. ``stored`` reads windows of the same
systems from a corpus on disk and augments them in the same way; ``plain`` is the same without augmentation.
``unchecked`` is our stream without validity tests. ``dysts`` simulates as a corpus is made today, by Radau at rtol 1e-9:
an eighth of a trajectory of some of the systems is timed, and what augmentation costs us is added. Theirs has no
transient and no checks. Compile time is in none of them.
"""

from __future__ import annotations

import copy
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.integrate import solve_ivp

from benchmarks.table import Row, main, row
from strangecast.core.streams import key64
from strangecast.data.augmented import AugmentedData
from strangecast.data.filtering import filter_dataset
from strangecast.data.generate import generate_shard
from strangecast.data.pooled_batches import PooledData
from strangecast.data.splits import split_dataset
from strangecast.data.store import Dataset
from strangecast.data.streaming import StreamedData
from strangecast.data.training_batches import TrainingWindows
from strangecast.systems import catalogue
from strangecast.systems.load import load_system
from strangecast.workflow.compose import Registry

CONTEXT, HORIZON, BATCH = 512, 128, 64
KEY = np.array([key64("benchmark")], np.uint64)
QUICK = {"list": ["Lorenz", "Rossler", "HyperRossler", "Halvorsen"]}


def stored_corpus(root: Path, config: dict[str, Any], systems: list[str]) -> Dataset:
    """Two trajectories of each system on disk, one to train on; no exponents, since nobody asks for them here."""
    made = copy.deepcopy(config) | {"systems": {"list": systems}, "parameter_sets": 1, "initial_conditions": 2}
    made |= {"split": {"by": "initial_condition", "train": 1, "validation": 1, "test": 0}, "lyapunov": None}
    made["attempts"]["per_specimen"], made["validity"] = 1, {"boundedness": {}}
    shards = -(-2 * len(systems) // made["shard_size"])
    plan = {
        "name": "stored",
        "folder": "data/stored",
        "config": made,
        "shards": [f"shard-{i:04d}.arrow" for i in range(shards)],
    }
    for i in range(shards):
        generate_shard(plan, root, i)
    filter_dataset(plan, root)
    split_dataset(plan, root)
    return Dataset.open(root / plan["folder"])


def per_window(data: TrainingWindows, updates: int, skipped: int, times: int) -> float:
    """Median CPU seconds of a window over ``times`` rounds of ``updates``, after ``skipped`` that compile and touch files."""
    seconds = []
    for n in range(skipped):
        data.batch(n, KEY, BATCH)
    for i in range(times):
        begun = time.process_time()
        for n in range(skipped + i * updates, skipped + (i + 1) * updates):
            data.batch(n, KEY, BATCH)
        seconds.append((time.process_time() - begun) / (updates * BATCH))
    return float(np.median(seconds))


def checked(data: TrainingWindows, channels: int | None) -> None:
    """Refuse to time what is not a batch of finite windows, standardised where it is augmented."""
    batch = data.batch(0, KEY, BATCH)
    whole = torch.cat([batch.context.values, batch.target], 2)[0].double()
    assert whole.shape[:2] == (BATCH, CONTEXT + HORIZON)
    assert torch.isfinite(whole).all()
    if channels is not None:
        assert whole.shape[2] <= channels
        assert float(whole.mean(1).abs().median()) < 1e-6


def dysts_sample(name: str, points: int) -> tuple[float, np.ndarray]:
    """CPU seconds for one sample by dysts, and the trajectory."""
    import dysts.flows

    model = getattr(dysts.flows, name)()
    begun = time.process_time()
    found = model.make_trajectory(points, pts_per_period=100, resample=True, method="Radau", rtol=1e-9, atol=1e-10)
    return (time.process_time() - begun) / points, found


def lorenz_error(values: np.ndarray) -> float:
    """Greatest deviation of one turn [101, 3] from an independent solution, in deviations of the signal."""
    system = load_system("Lorenz")
    times = np.linspace(0, system.period, 101)
    exact = solve_ivp(
        lambda t, y: system.rhs(t, y, system.values), (0, times[-1]), values[0], "DOP853", times, rtol=1e-13, atol=1e-13
    )
    return float(np.abs(values[:101] - exact.y.T).max() / values.std())


def measure(quick: bool) -> list[Row]:
    """The stream of conf/dataset/stream.yaml against disk and against dysts."""
    torch.set_num_threads(1)
    registry = Registry()
    config = registry.option("dataset", "stream", "laptop")
    if quick:
        config |= {"systems": QUICK, "split": {"by": "system", "test": []}}
        config["sampling"]["length"] = 2048
        config["stream"] |= {"systems": 4, "trajectories": 4, "windows": 2}
    augmentation = registry.option("augmentation", "all", "laptop")

    def stream(augmented: bool = True, **changes: Any) -> StreamedData:
        return StreamedData("stream", config | changes, [], CONTEXT, HORIZON, augmentation if augmented else None)

    ours = stream()
    group, rounds = ours.recipe.updates(BATCH), 1 if quick else 5
    skipped = group * (-(-len(ours.systems) // ours.recipe.at_once) + 1)

    def timed(data: TrainingWindows) -> float:
        checked(data, 3 if data is not plain and data is not disk else None)
        return per_window(data, group, skipped, rounds)

    plain, unchecked = stream(augmented=False), stream(validity={})
    with tempfile.TemporaryDirectory() as folder:
        dataset = [stored_corpus(Path(folder), config, ours.systems)]
        disk, mixed = PooledData(dataset, CONTEXT, HORIZON), AugmentedData(dataset, CONTEXT, HORIZON, augmentation)
        seconds = {name: timed(data) for name, data in _named(ours, plain, unchecked, disk, mixed).items()}
    about = f"{1 / seconds['ours']:.0f} windows/s, {len(ours.systems)} systems; {ours.told()}"
    rows = [
        _row("stored", "the same systems on disk", seconds["ours"], seconds["mixed"], about),
        _row(
            "plain",
            "the same without augmentation",
            seconds["plain"],
            seconds["disk"],
            f"{1 / seconds['plain']:.0f} windows/s",
        ),
        _row(
            "unchecked",
            "no validity tests",
            seconds["ours"],
            seconds["unchecked"],
            f"{1 / seconds['unchecked']:.0f} windows/s",
        ),
    ]
    return [*rows, _against_dysts(quick, ours, seconds, config)]


def _named(*data: TrainingWindows) -> dict[str, TrainingWindows]:
    return dict(zip(("ours", "plain", "unchecked", "disk", "mixed"), data, strict=True))


def _against_dysts(quick: bool, ours: StreamedData, seconds: dict[str, float], config: dict[str, Any]) -> Row:
    flows = [s for s in ours.systems if catalogue.lookup(s).kind == "flow"]
    timed = flows[:1] if quick else flows[:: len(flows) // 8]
    points = 102 if quick else 512
    samples = [dysts_sample(name, points)[0] for name in timed]
    augmenting = seconds["ours"] - seconds["plain"]
    theirs = float(np.mean(samples)) * (CONTEXT + HORIZON) + augmenting
    lorenz = StreamedData("lorenz", config | {"systems": {"list": ["Lorenz"]}, "parameter_sets": 1, "split": {"by": "system", "test": []}},
                          [], CONTEXT, HORIZON, dtype=torch.float64)  # fmt: skip
    window = lorenz.batch(0, KEY, 2).context.values[0, 0].numpy()
    return _row(
        "dysts", "dysts Radau 1e-9", seconds["ours"], theirs,
        f"extrapolated from {points} samples of {len(timed)} systems; {1 / theirs:.3g} windows/s",
        error_ours=lorenz_error(window), error_theirs=lorenz_error(dysts_sample("Lorenz", 101)[1]),
    )  # fmt: skip


def _row(case: str, peer: str, ours: float, theirs: float, note: str, **errors: float) -> Row:
    return row(case, peer, 1e3 * ours, 1e3 * theirs, "ms", note=note, **errors)


if __name__ == "__main__":
    main("stream", measure)
