"""What a trajectory looks like in a small panel: some of its samples in two or three coordinates.

Coordinates are physical ones wherever there are enough of them; which are taken depends on the system alone, never on
how it looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from strangecast.analyses.attempts import kind_of
from strangecast.analyses.generated import Generated
from strangecast.data.shards import Shard


@dataclass(frozen=True)
class Portrait:
    """Some samples of one trajectory.

    Attributes:
        points: [n, 3] float32; the third coordinate is NaN where two are shown.
        axes: what the coordinates are, such as ``x, y, z``.
    """

    points: np.ndarray
    axes: str

    def frame(self, **about: Any) -> pd.DataFrame:
        """One row per point, or one row without coordinates where there is no point."""
        points = self.points if len(self.points) else np.full((1, 3), np.nan, np.float32)
        columns = {name: points[:, i] for i, name in enumerate("xyz")}
        return pd.DataFrame({**about, "axes": self.axes, "point": np.arange(len(points), dtype=np.int32), **columns})


def portrait(
    values: np.ndarray,
    channels: Sequence[str],
    *,
    unbounded: Sequence[int] = (),
    lag: int = 1,
    every: int = 1,
    points: int = 2000,
) -> Portrait:
    """The first samples of a trajectory.

    Three channels are shown, or two where there are no more, the first that are bounded of themselves: the phase of a
    drive says nothing about a shape. One channel is shown against itself ``lag`` samples before. Of a field, the first
    point of the grid.

    Args:
        values: [T, C, *grid].
        channels: C names.
        unbounded: indices of channels that are observed through a bounded map.
        lag: samples.
        every: one sample of so many is kept.
        points: most points.
    """
    values = np.asarray(values)
    values = values.reshape(len(values), len(channels), math.prod(values.shape[2:]))[:, :, 0]
    own = [c for c in range(len(channels)) if c not in set(unbounded)]
    chosen = (own if len(own) > 1 else list(range(len(channels))))[:3]
    if len(chosen) > 1:
        shown, axes = values[:, chosen], ", ".join(channels[c] for c in chosen)
    else:
        shown = np.stack([values[lag:, 0], values[: len(values) - lag, 0]], axis=1)
        axes = f"{channels[0]}(t), {channels[0]}(t - lag)"
    shown = shown[::every][:points]
    planar = np.full((len(shown), 3), np.nan, np.float32)
    planar[:, : shown.shape[1]] = shown
    return Portrait(planar, axes)


class Portraits:
    """Portraits of the trajectories of a dataset; each shard is opened once.

    Args:
        generated: the dataset.
        points: most points of a portrait.
        per_period: most points in a period.
    """

    def __init__(self, generated: Generated, points: int, per_period: int) -> None:
        self._folder = generated.folder
        self._points, self._per_period = points, per_period
        self._shards: dict[str, Shard] = {}

    def of(self, row: pd.Series) -> Portrait:
        """The portrait of one row of the manifest; without points where the attempt was not kept.

        Raises:
            ResultsError, DataError: its shard is missing or damaged.
        """
        if not row["length"]:
            return Portrait(np.zeros((0, 3), np.float32), "")
        if row["shard"] not in self._shards:
            self._shards[row["shard"]] = Shard(self._folder / row["shard"])
        shard, place = self._shards[row["shard"]], int(row["row"])
        per_period = row["period"] / row["dt"] if row["dt"] and row["period"] else np.nan
        every = max(1, round(per_period / self._per_period)) if np.isfinite(per_period) else 1
        spec = shard.spec_of(place)
        return portrait(
            shard.values(place, row["sha256"]),
            [c.name for c in spec.channels],
            unbounded=kind_of(row["system"]).unbounded,
            lag=lag_of(spec.parameters, shard.get("parameters", place), row["dt"], row["period"], row["length"]),
            every=every,
            points=self._points,
        )


def lag_of(names: Sequence[str], values: Sequence[float], dt: float | None, period: float | None, length: int) -> int:
    """A lag to show one channel by: the system's own delay ``tau`` in samples, else a quarter of a period.

    It is at least one sample, and at most a third of the series.

    Args:
        names, values: of the system's parameters.
        dt, period: sampling interval and period; None or NaN where they are unknown.
        length: of the series.
    """
    lag = 1.0
    if dt and np.isfinite(dt):
        own = dict(zip(names, values, strict=True)).get("tau")
        turn = period / 4 if period and np.isfinite(period) else dt
        lag = (turn if own is None else own) / dt
    return int(np.clip(round(lag), 1, max(1, length // 3)))
