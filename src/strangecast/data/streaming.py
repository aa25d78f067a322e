"""Training batches of trajectories that are simulated when they are needed: no window is trained on twice.

Updates come in groups. A group draws upon M chunks, each of K trajectories of one system; systems follow each other in
random order, each once before any comes again. What its batches are made of (see ``composition.py``) is known from keys
alone, and so is how many windows each chunk has to give; trajectories are made as long as that takes, when the first
window of a chunk is asked for. Windows of a chunk share no sample. Chunks are kept while their group is in use.

The batch of update n is a pure function of (the member's key, n, B), which for several devices contains the rank:
training may begin anywhere, in any order, and costs at most one group to go on with.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch

from strangecast.core.errors import ConfigError
from strangecast.core.streams import stream
from strangecast.data.augmentations.pipeline import Pipeline
from strangecast.data.chunks import Chunk, make_chunk, system_of
from strangecast.data.composition import Composition, augmented, compose, lead
from strangecast.data.pooled_batches import only_key
from strangecast.data.pools import Window, stacked, validation_batches
from strangecast.data.store import Dataset
from strangecast.data.stream_recipe import StreamRecipe
from strangecast.data.training_batches import Batch

KEPT = 2  # groups
_NOTHING = np.zeros(0)  # parameters of a signal that is of no one system any more


@dataclass
class _Group:
    """What the batches of some consecutive updates are made of.

    Attributes:
        systems: [M] numbers of the chunks' systems.
        batches: their compositions; sources are numbers of chunks.
        slots: for each batch the number of every sample's window in its chunk, [B].
        seconds: the same of partners, -1 for none.
        windows: [M] that each chunk has to give.
        chunks: those made so far.
    """

    systems: np.ndarray
    batches: list[Composition]
    slots: np.ndarray
    seconds: np.ndarray
    windows: np.ndarray
    chunks: dict[int, Chunk] = field(default_factory=dict)


class StreamedData:
    """Never-repeated training windows, for one member; validation comes from stored datasets.

    Args:
        name: of the dataset.
        config: its resolved YAML, with a ``stream`` part.
        datasets: whose validation splits select weights.
        context: T, steps before the origin.
        horizon: H, steps from the origin on.
        augmentation: resolved YAML of conf/augmentation, or None.
        dtype: of values and targets.

    Attributes:
        made: trajectories made in this process: accepted under "accepted", rejected by system and reason.

    Raises:
        ConfigError: settings that cannot work, or one system sampled at other intervals than the stored data.
    """

    def __init__(
        self,
        name: str,
        config: dict[str, Any],
        datasets: list[Dataset],
        context: int,
        horizon: int,
        augmentation: dict[str, Any] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.recipe = StreamRecipe.from_config(name, config)
        self.datasets = datasets
        self.context_steps = context
        self.horizon = horizon
        self.pipeline = None if augmentation is None else Pipeline.from_config(augmentation)
        self.made: Counter[Any] = Counter()
        self._dtype = dtype
        self._length = context + horizon + lead(self.pipeline, self.recipe.channels)
        self._groups: OrderedDict[tuple[int, int, int], _Group] = OrderedDict()
        if len(self.recipe.systems) == 1:
            self._check_interval(self.recipe.systems[0])

    @property
    def S(self) -> int:
        """One member."""
        return 1

    @property
    def systems(self) -> list[str]:
        """Names of the systems that are drawn."""
        return list(self.recipe.systems)

    def ahead(self, batch_size: int) -> int:
        """How many batches to make in advance, so that making a group's chunks does not hold up training."""
        return self.recipe.updates(batch_size)

    def batch(self, n: int, keys: np.ndarray, batch_size: int) -> Batch:
        """The batch of update ``n``: [S, B, ...] with S equal windows where ``keys`` repeats one key.

        Args:
            n: number of the update.
            keys: [S] uint64, all equal.
            batch_size: B.

        Raises:
            DataError: keys differ, or a system whose trajectories are never valid has no other in its place.
        """
        key = int(only_key(keys)[0])
        number, place = divmod(n, self.recipe.updates(batch_size))
        group = self._group(key, number, batch_size)
        made = group.batches[place]
        windows = [
            self._window(key, number, group, s, i) for s, i in zip(made.sources, group.slots[place], strict=True)
        ]
        paired = np.flatnonzero(made.partners >= 0)
        seconds = {
            int(r): self._window(key, number, group, made.partners[r], group.seconds[place, r]).values for r in paired
        }
        length = self.context_steps + self.horizon
        values = augmented(self.pipeline, [w.values for w in windows], seconds, made.keys, length)
        done = [
            Window(v.numpy(), w.times[-length:], w.parameters if self.pipeline is None else _NOTHING)
            for v, w in zip(values, windows, strict=True)
        ]
        return stacked(done, self.context_steps, self._dtype, len(keys))

    def validation(self, count: int) -> list[Batch]:
        """About ``count`` windows of the stored validation splits as they are, see :class:`PooledData`.

        Raises:
            DataError: no system has a validation window.
        """
        return validation_batches(self.datasets, self.context_steps, self.horizon, count, None, self._dtype)

    def series(self, member: int, split: str = "train") -> Sequence[np.ndarray]:
        """Trajectories [T, C] such as the stream makes, a chunk of each system, of M at most; made when they are read.

        They are the same for every member and every split.
        """
        return self._series

    def told(self) -> str:
        """One line on what was made, for people."""
        rejected: Counter[str] = Counter()
        for what, n in self.made.items():
            if what != "accepted":
                rejected[what[1]] += n
        reasons = ", ".join(f"{reason} {n}" for reason, n in rejected.most_common())
        why = f" ({reasons})" if reasons else ""
        return f"{self.recipe.name}: {self.made['accepted']} trajectories made, {rejected.total()} rejected{why}"

    @cached_property
    def _series(self) -> _Series:
        return _Series(self)

    def chunk(self, system: int, windows: int, *key: Any) -> Chunk:
        """The chunk that ``key`` names, of the system of that number or of those that stand in for it."""
        K = self.recipe.trajectories
        found = make_chunk(self.recipe, self._stand_ins(system, *key), -(-windows // K), self._length, *key)
        self.made["accepted"] += K
        self.made.update(found.rejected)
        return found

    def _stand_ins(self, system: int, *key: Any) -> Iterator[str]:
        """A system, then all others with as many channels in random order."""
        yield self.recipe.systems[system]
        alike = np.flatnonzero(self.recipe.channels == self.recipe.channels[system])
        for other in stream("instead", *key).permutation(alike):
            if other != system:
                yield self.recipe.systems[other]

    def _check_interval(self, system: str) -> None:
        dt = system_of(system).period / self.recipe.recipe.points_per_period
        for d in self.datasets:
            if d.spec.system == system and d.spec.dt is not None and abs(d.spec.dt - dt) > 1e-9 * dt:
                raise ConfigError(
                    f"dataset '{self.recipe.name}' samples {system} every {dt:g}, {d.name}, which selects its weights, every "
                    f"{d.spec.dt:g}; sampling.points_per_period must agree"
                )

    def _window(self, key: int, number: int, group: _Group, source: int, slot: int) -> Window:
        if source not in group.chunks:
            group.chunks[source] = self.chunk(
                int(group.systems[source]), int(group.windows[source]), "stream", key, number, int(source)
            )
        return group.chunks[source].window(int(slot), self._length)

    def _group(self, key: int, number: int, batch_size: int) -> _Group:
        where = (key, number, batch_size)
        if where not in self._groups:
            self._groups[where] = self._planned(*where)
            while len(self._groups) > KEPT:
                self._groups.popitem(last=False)
        self._groups.move_to_end(where)
        return self._groups[where]

    def _planned(self, key: int, number: int, batch_size: int) -> _Group:
        M, updates = self.recipe.at_once, self.recipe.updates(batch_size)
        systems = self._order(key, number * M, M)
        channels = self.recipe.channels[systems]
        batches = [
            compose(channels, batch_size, self.pipeline, "streamed", key, n)
            for n in range(number * updates, (number + 1) * updates)
        ]
        # Windows are given away batch by batch, samples before partners.
        asked = np.concatenate([np.concatenate([b.sources, b.partners]) for b in batches])
        slots = _counted(asked, M).reshape(updates, 2, batch_size)
        windows = np.bincount(asked[asked >= 0], minlength=M)
        return _Group(systems, batches, slots[:, 0], slots[:, 1], windows)

    def _order(self, key: int, first: int, count: int) -> np.ndarray:
        """[count], the systems of chunks ``first``, first + 1, ...: all of them in random order, then all again."""
        total = len(self.recipe.systems)
        rounds = range(first // total, (first + count - 1) // total + 1)
        order = np.concatenate([stream("systems", key, r).permutation(total) for r in rounds])
        begin = first - rounds.start * total
        return order[begin : begin + count]


class _Series(Sequence):
    """Trajectories of M systems at most under a key of their own; a chunk is made when one of them is read."""

    def __init__(self, data: StreamedData) -> None:
        self._data = data
        self._last: tuple[int, Chunk] | None = None

    def __len__(self) -> int:
        recipe = self._data.recipe
        return min(recipe.at_once, len(recipe.systems)) * recipe.trajectories

    def __getitem__(self, i: int) -> np.ndarray:
        recipe = self._data.recipe
        if not 0 <= i < len(self):
            raise IndexError(i)
        number, k = divmod(i, recipe.trajectories)
        if self._last is None or self._last[0] != number:
            windows = recipe.windows * recipe.trajectories
            self._last = number, self._data.chunk(number, windows, "series", number)
        return self._last[1].values[k]


def _counted(numbers: np.ndarray, high: int) -> np.ndarray:
    """For each number how often it has stood before it; -1 for negative ones."""
    order = np.argsort(numbers, kind="stable")
    ends = np.searchsorted(numbers[order], np.arange(high))
    found = np.empty(len(numbers), np.int64)
    found[order] = np.arange(len(numbers)) - np.where(numbers[order] < 0, 0, ends[numbers[order]])
    return np.where(numbers < 0, -1, found)
