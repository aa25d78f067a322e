"""Windows of many systems that lie in stored datasets, cut from the mapped files when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from strangecast.core.context import Context
from strangecast.core.errors import DataError
from strangecast.data.store import Dataset, Segment
from strangecast.data.training_batches import Batch

Shape = tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Window:
    """Consecutive samples of one trajectory.

    Attributes:
        values: [L, C, *grid].
        times: [L].
        parameters: [P] of its system.
    """

    values: np.ndarray
    times: np.ndarray
    parameters: np.ndarray


@dataclass
class Pool:
    """The segments of one system that hold at least one window.

    Attributes:
        dataset: where they lie.
        system: its name.
        shape: C and grid.
    """

    dataset: Dataset
    system: str
    shape: Shape
    _segments: list[Segment] = field(default_factory=list)
    _ends: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of windows."""
        return self._ends[-1]

    def add(self, segment: Segment, windows: int) -> None:
        """Append a segment that holds so many windows."""
        self._segments.append(segment)
        self._ends.append(windows + (self._ends[-1] if self._ends else 0))

    def locate(self, number: int) -> tuple[Segment, int]:
        """The segment of window ``number``, and where the window starts in it."""
        i = int(np.searchsorted(self._ends, number, side="right"))
        return self._segments[i], number - (self._ends[i - 1] if i else 0)


class Pools:
    """The windows of one part of datasets, system by system.

    Args:
        datasets: each holds one system or many; a system of two datasets has two pools.
        part: train, validation or test.
        length: L, samples of a window.
        noise: standard deviation in units of each channel's; None for what each dataset's recipe says.

    Attributes:
        pools: of every system with a segment long enough, in the order of the datasets.
    """

    def __init__(self, datasets: Sequence[Dataset], part: str, length: int, noise: float | None = None) -> None:
        self.length = length
        self._noise = noise
        found: dict[tuple[int, str], Pool] = {}
        for number, dataset in enumerate(datasets):
            for segment in dataset.segments(part):
                if len(segment) < length:
                    continue
                spec = dataset.spec_of(segment.trajectory_id)
                pool = found.setdefault((number, spec.system), Pool(dataset, spec.system, (spec.C, spec.grid)))
                pool.add(segment, len(segment) - length + 1)
        self.pools = list(found.values())

    def by_shape(self) -> list[list[Pool]]:
        """Pools of equal channels and grid together, in the order of their shapes."""
        buckets: dict[Shape, list[Pool]] = {}
        for pool in self.pools:
            buckets.setdefault(pool.shape, []).append(pool)
        return [buckets[shape] for shape in sorted(buckets)]

    def window(self, pool: Pool, number: int) -> Window:
        """Window ``number`` of a pool, as training sees it (with noise)."""
        segment, start = pool.locate(number)
        first = segment.start + start
        cut = Segment(segment.trajectory_id, first, first + self.length)
        return Window(
            pool.dataset.observed(cut, noise_of(pool.dataset, self._noise)),
            pool.dataset.times(cut.trajectory_id)[cut.start : cut.stop],
            pool.dataset.parameters(cut.trajectory_id),
        )

    def spaced(self, count: int) -> list[list[tuple[Pool, int]]]:
        """About ``count`` windows: systems spaced evenly over all there are, windows evenly over each; by shape."""
        pools = [p for bucket in self.by_shape() for p in bucket]
        chosen = np.linspace(0, len(pools) - 1, count).round().astype(int)
        picked: dict[Shape, list[tuple[Pool, int]]] = {}
        for i in np.unique(chosen):
            pool, n = pools[i], int((chosen == i).sum())
            for number in np.unique(np.linspace(0, pool.count - 1, n).astype(np.int64)):
                picked.setdefault(pool.shape, []).append((pool, int(number)))
        return list(picked.values())


def noise_of(dataset: Dataset, noise: float | None) -> float:
    """``noise``, or what the dataset's recipe says where it is None."""
    return dataset.noise if noise is None else noise


def stacked(windows: Sequence[Window], context: int, dtype: torch.dtype, members: int = 1) -> Batch:
    """Windows of equal shape as a batch that ``members`` see alike; parameters where all have as many.

    Args:
        windows: of L = T + H samples.
        context: T.
        dtype: of values, target and parameters.
        members: S.
    """

    def same(arrays: list[np.ndarray], dtype: torch.dtype) -> torch.Tensor:
        found = torch.from_numpy(np.stack(arrays)).to(dtype)
        return found.expand(members, *found.shape)

    values, times = same([w.values for w in windows], dtype), same([w.times for w in windows], torch.float64)
    sizes = {len(w.parameters) for w in windows}
    known = same([w.parameters for w in windows], dtype) if len(sizes) == 1 and sizes != {0} else None
    past = Context(values[:, :, :context], times[:, :, :context], parameters=known)
    return Batch(context=past, target=values[:, :, context:], times=times[:, :, context:])


def validation_batches(
    datasets: Sequence[Dataset], context: int, horizon: int, count: int, noise: float | None, dtype: torch.dtype
) -> list[Batch]:
    """About ``count`` windows of the validation splits of many systems, a batch for each shape.

    Raises:
        DataError: no system has a validation window.
    """
    pools = Pools(datasets, "validation", context + horizon, noise)
    if not pools.pools:
        raise DataError(f"no validation segment holds {context} + {horizon} samples")
    return [stacked([pools.window(*w) for w in chosen], context, dtype) for chosen in pools.spaced(count)]
