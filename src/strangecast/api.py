"""The same steps from Python: ``from strangecast.api import generate, train, load, forecast, score``.

Override strings are those of the command line. Everything heavy is imported when a function runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from strangecast.emulators.base import Emulator


def generate(*overrides: str, results: Path | str = "results", force: bool = False) -> Path:
    """Make a dataset: generate or import, filter, split.

    Args:
        overrides: such as ``"dataset=lorenz63"``, ``"scale=smoke"``.
        results: folder that holds the scales.
        force: replace trajectories that other settings or code made.

    Returns:
        The dataset's folder. Files made by the same settings and code are left as they are.

    Raises:
        ResultsError: the folder holds trajectories made by other settings or code, and ``force`` is False.
        StrangecastError: what was asked for does not exist or cannot work.
    """
    from strangecast.workflow.by_hand import ByHand

    asked = ByHand(list(overrides), Path(results))
    return _generate(asked.dataset_plan(), asked.root, force)


def _generate(plan: dict[str, Any], root: Path, force: bool) -> Path:
    from strangecast.data.filtering import filter_dataset
    from strangecast.data.generate import generate_shard
    from strangecast.data.importing import import_dataset
    from strangecast.data.splits import split_dataset
    from strangecast.data.stale import refuse_to_replace, stale_files

    if not force:
        refuse_to_replace(plan, root)
    stale = stale_files(plan, root)
    shards = [i for i, name in enumerate(plan["shards"]) if name in stale]
    for shard in shards:
        if plan["made_by"] == "import":
            import_dataset(plan, root)
        else:
            generate_shard(plan, root, shard)
    # A file is made again where it is stale itself or what it is made from was.
    filtering = bool(shards) or "manifest.parquet" in stale
    if filtering:
        filter_dataset(plan, root)
    if filtering or "splits.parquet" in stale:
        split_dataset(plan, root)
    return root / plan["folder"]


def train(*overrides: str, results: Path | str = "results", device: str = "auto", force: bool = False) -> Path:
    """Train one run; its dataset is made first where :func:`generate` would make it.

    Args:
        overrides: such as ``"emulator=mlp"``, ``"training=supervised"``, ``"dataset=lorenz63"``, ``"seed=3"``.
        results: folder that holds the scales.
        device: auto, cpu, cuda, rocm or mps.
        force: replace trajectories that other settings or code made.

    Returns:
        The run folder, for :func:`load`.

    Raises:
        ResultsError: the dataset's folder holds trajectories made by other settings or code, and ``force`` is False.
        StrangecastError: what was asked for does not exist or cannot work.
    """
    from strangecast.training.job import train_block
    from strangecast.workflow.by_hand import ByHand

    asked = ByHand(list(overrides), Path(results))
    plan, block = asked.run_plan()
    for dataset in block["datasets"]:
        _generate(plan.dataset(dataset), asked.root, force)
    asked.write(plan)
    train_block(block, asked.root, device=device)
    return asked.root / block["folder"]


def load(folder: Path | str, member: int | None = None) -> Emulator:
    """The trained emulator of a run folder.

    Args:
        folder: what :func:`train` returned, or ``strangecast where`` printed.
        member: one member of the block, or None for all side by side.

    Raises:
        ResultsError: the folder is missing, damaged or of another format, or has no such member.
    """
    from strangecast.emulators.run_folder import load as load_folder

    return load_folder(Path(folder), member)


def forecast(
    emulator: Emulator,
    context: np.ndarray,
    horizon: int,
    dt: float | None = None,
    *,
    samples: int | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Forecast with a loaded emulator.

    Args:
        emulator: from :func:`load`.
        context: [T, C, *grid] or [B, T, C, *grid], equally spaced samples, the last just before the forecast.
        horizon: H, number of samples to forecast.
        dt: sampling interval; the emulator's own by default.
        samples: number N of draws of a probabilistic emulator; None for one forecast.
        seed: decides the draws.

    Returns:
        [S, B, H, C, *grid], with N in front where samples are asked for; B is 1 for a single context.

    Raises:
        DataError: the context has the wrong shape, or holds values that are not finite.
        ConfigError: samples of an emulator that draws none.
    """
    import torch

    from strangecast.core.context import Context
    from strangecast.core.errors import DataError
    from strangecast.core.streams import key64
    from strangecast.emulators.draws import SampleRandom, sample_keys

    specs = emulator.specs
    grid = len(specs[0].grid) if specs else 0
    values = np.asarray(context, np.float64)
    if values.ndim == 2 + grid:
        values = values[None]
    if values.ndim != 3 + grid:
        raise DataError(f"a context is [T, C, *grid] or [B, T, C, *grid]; found an array of shape {values.shape}")
    if specs and specs[0].channels and values.shape[2] != specs[0].C:
        raise DataError(f"the emulator reads {specs[0].C} channels (axis 2 of the context), found {values.shape[2]}")
    if not np.isfinite(values).all():
        raise DataError("the context holds values that are not finite")
    step = dt if dt is not None else specs[0].dt if specs and specs[0].dt else 1.0
    b, t = values.shape[:2]
    past = torch.arange(t, dtype=torch.float64).mul(step).expand(1, b, t)
    future = torch.arange(t, t + horizon, dtype=torch.float64).mul(step).expand(1, b, horizon)
    rng = None
    if samples is not None:
        windows = np.array([[key64("window", seed, i) for i in range(b)]], np.uint64)
        rng = SampleRandom(sample_keys(range(emulator.S), windows), samples)
    with torch.no_grad():
        given = Context(values=torch.from_numpy(values)[None], times=past)
        found = emulator.forecast(given, future, samples=samples, rng=rng)
    return found.double().cpu().numpy()


def score(
    truth: np.ndarray,
    forecasts: np.ndarray,
    context: np.ndarray,
    *,
    metrics: Sequence[str] = ("mse", "nrmse", "smape", "valid_prediction_time"),
    dt: float = 1.0,
    lyapunov: float | None = None,
) -> pd.DataFrame:
    """Score forecasts as the workflow does.

    Args:
        truth: [B, H, C, *grid].
        forecasts: [S, B, H, C, *grid].
        context: [B, T, C, *grid]; its mean and deviation normalise, and stand for the climate.
        metrics: names of conf/metric.
        dt: sampling interval.
        lyapunov: largest exponent per time unit; metrics in Lyapunov times are left out without it.

    Returns:
        One row per (metric, member, window) with the value over the whole horizon.

    Raises:
        DataError: shapes differ; the message says on which axis.
        ConfigError: a metric does not exist.
    """
    from strangecast.evaluation.direct import score_arrays
    from strangecast.workflow.compose import Registry

    registry = Registry()
    configs = {m: registry.option("metric", m, "laptop") for m in metrics}
    return score_arrays(truth, forecasts, context, configs, dt=dt, lyapunov=lyapunov)
