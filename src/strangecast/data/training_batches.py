"""Training batches for members side by side: the batch of update n is a pure function of (member's key, n).

A training window is ``context + horizon`` consecutive samples inside one segment of the training split; every position
at which it fits is equally likely, drawn with replacement. Member s draws from its own key alone, so its batches do not
depend on who trains beside it. Observation noise is added here and nowhere else (see ``Dataset.observed``): to the
training and the validation split, inputs and targets alike, as a recording would have it; test windows stay clean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from strangecast.core.context import Context
from strangecast.core.errors import DataError
from strangecast.core.streams import counter_integers
from strangecast.data.store import Dataset


@dataclass(frozen=True)
class Batch:
    """Windows for S members.

    Attributes:
        context: values [S, B, T, C, *grid] and times [S, B, T]; parameters [S, B, P] where the data have any, the full
            state [S, B, D] at the origin where it was asked for. S may be 1 where all members see the same windows.
        target: [S, B, H, C, *grid].
        times: [S, B, H], float64, the times of the target.
    """

    context: Context
    target: torch.Tensor
    times: torch.Tensor


class TrainingWindows(Protocol):
    """What a training asks of its data, wherever they come from."""

    @property
    def S(self) -> int:
        """Number of members."""

    def batch(self, n: int, keys: np.ndarray, batch_size: int) -> Batch:
        """The batch of update ``n``: B windows for each of the members with ``keys`` [S]."""

    def validation(self, count: int) -> list[Batch]:
        """Fixed windows that select the best weights, in batches."""

    def series(self, member: int, split: str = "train") -> Sequence[np.ndarray]:
        """Contiguous pieces [T, C, *grid] of a member's data, to fit normalisers on."""


class TrainingData:
    """The training and validation splits that members train on, in memory once per dataset.

    Args:
        datasets: one per member, equal in channels and grid; members may share one.
        context: T, steps before the origin.
        horizon: H, steps from the origin on.
        noise: standard deviation in units of each channel's; None for what each dataset's recipe says.
        dtype: of values and targets.
        state: whether batches carry the full state at their origins.

    Raises:
        DataError: datasets of different channels or grids, or segments too short for one window.
    """

    def __init__(
        self,
        datasets: list[Dataset],
        context: int,
        horizon: int,
        noise: float | None = None,
        dtype: torch.dtype = torch.float32,
        state: bool = False,
    ) -> None:
        if not datasets:
            raise DataError("training needs at least one dataset")
        shapes = {(d.spec.C, d.spec.grid): d.name for d in datasets}
        if len(shapes) > 1:
            told = ", ".join(f"{name} has {c} channels on grid {list(grid)}" for (c, grid), name in shapes.items())
            raise DataError(f"members of a block train on equal channels and grids: {told}")
        self.datasets = datasets
        self.context_steps = context
        self.horizon = horizon
        unique = list({id(d): d for d in datasets}.values())
        place = {id(d): i for i, d in enumerate(unique)}
        self._member = np.array([place[id(d)] for d in datasets])
        self._pools = [
            {part: _Pool(d, part, context, horizon, d.noise if noise is None else noise, state) for part in _PARTS}
            for d in unique
        ]
        self._flat = {part: _Flat([p[part] for p in self._pools], dtype) for part in _PARTS}

    @property
    def S(self) -> int:
        """Number of members."""
        return len(self._member)

    def count(self, split: str = "train") -> np.ndarray:
        """[S], the number of different windows of each member."""
        return self._flat[split].counts[self._member]

    def batch(self, n: int, keys: np.ndarray, batch_size: int) -> Batch:
        """The batch of update ``n``.

        Args:
            n: number of the update.
            keys: [S] uint64, one per member.
            batch_size: B.
        """
        flat = self._flat["train"]
        draws = counter_integers(keys, n, batch_size, flat.counts[self._member])
        return self._gather(flat, draws)

    def validation(self, count: int) -> list[Batch]:
        """``count`` windows spaced evenly over each member's validation split (repeated where it holds fewer), a batch.

        Raises:
            DataError: a dataset has no validation window.
        """
        flat = self._flat["validation"]
        for i, pool in enumerate(self._pools):
            if flat.counts[i] == 0:
                raise DataError(f"{pool['validation'].name} has no validation window of {self._need()} samples")
        spaced = [np.linspace(0, n - 1, count).astype(np.int64) for n in flat.counts]
        return [self._gather(flat, np.stack([spaced[m] for m in self._member]))]

    def series(self, member: int, split: str = "train") -> list[np.ndarray]:
        """The segments [T, C, *grid] of a member's split as training sees them (with noise), float64."""
        return self._pools[self._member[member]][split].arrays

    def values(self, split: str = "train") -> list[np.ndarray]:
        """For each member all samples [n, C, *grid] of a split in one array, with noise: to fit normalisers on."""
        whole = [np.concatenate(p[split].arrays) for p in self._pools]
        return [whole[m] for m in self._member]

    def _need(self) -> str:
        return f"{self.context_steps} + {self.horizon}"

    def _gather(self, flat: _Flat, draws: np.ndarray) -> Batch:
        origin = flat.origins[flat.offsets[self._member][:, None] + draws]
        steps = np.arange(-self.context_steps, self.horizon)
        index = torch.from_numpy(origin[:, :, None] + steps)
        values, times = flat.values[index], flat.times[index]
        cut = self.context_steps
        at = torch.from_numpy(origin)
        parameters = None if flat.parameters is None else flat.parameters[flat.segment[at]]
        state = None if flat.state is None else flat.state[at]
        context = Context(values[:, :, :cut], times[:, :, :cut], parameters=parameters, state=state)
        return Batch(context=context, target=values[:, :, cut:], times=times[:, :, cut:])


_PARTS = ("train", "validation")


class _Pool:
    """The segments of one dataset's split and the origins inside them."""

    def __init__(self, dataset: Dataset, part: str, context: int, horizon: int, noise: float, state: bool) -> None:
        self.name = str(dataset.folder)
        segments = dataset.segments(part)
        self.arrays = [dataset.observed(s, noise) for s in segments]
        self.times = [dataset.times(s.trajectory_id)[s.start : s.stop] for s in segments]
        self.parameters = [dataset.parameters(s.trajectory_id) for s in segments]
        self.states = [dataset.state(s.trajectory_id)[s.start : s.stop] for s in segments] if state else None
        starts = np.cumsum([0, *(len(s) for s in segments)])
        # Positions in the concatenation of the segments at which a whole window lies in one of them.
        self.origins = np.concatenate(
            [np.arange(a + context, a + len(s) - horizon + 1) for a, s in zip(starts, segments, strict=False)]
            or [np.zeros(0, np.int64)]
        )
        self.length = int(starts[-1])
        if part == "train" and len(self.origins) == 0:
            longest = max((len(s) for s in segments), default=0)
            raise DataError(
                f"{self.name}: no training segment holds context + horizon = {context} + {horizon} samples, "
                f"the longest has {longest}"
            )


class _Flat:
    """All pools of a split in one array, so that a batch of all members is one gather."""

    def __init__(self, pools: list[_Pool], dtype: torch.dtype) -> None:
        arrays = [a for p in pools for a in p.arrays]
        times = [t for p in pools for t in p.times]
        self.values = torch.from_numpy(np.concatenate(arrays)).to(dtype) if arrays else torch.zeros(0, dtype=dtype)
        self.times = torch.from_numpy(np.concatenate(times)) if times else torch.zeros(0, dtype=torch.float64)
        each = [q for p in pools for q in p.parameters]
        known = bool(each) and len(each[0]) > 0 and len({len(q) for q in each}) == 1
        self.parameters = torch.from_numpy(np.stack(each)).to(dtype) if known else None
        # Number of the segment that a sample of the concatenation lies in.
        self.segment = torch.from_numpy(np.repeat(np.arange(len(arrays)), [len(a) for a in arrays]))
        states = [x for p in pools for x in p.states or []]
        self.state = torch.from_numpy(np.concatenate(states)).to(dtype) if states else None
        begin = np.cumsum([0, *(p.length for p in pools)])[:-1]
        self.origins = np.concatenate([p.origins + b for p, b in zip(pools, begin, strict=True)])
        self.counts = np.array([len(p.origins) for p in pools], np.int64)
        self.offsets = np.concatenate([[0], np.cumsum(self.counts)])[:-1]
