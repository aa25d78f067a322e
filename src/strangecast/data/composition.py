"""What a batch of equal channels is made of, known from keys before any data are read, and its augmentation.

Candidates are numbered; each has a key of its own, is drawn from a source (a system) uniformly, and has the number of
channels that the source and the augmentation of its key give it. The first candidate decides the channels of the batch,
and the batch is the first B candidates that have them. So a shape is as likely as it is among all candidates, however
rare, and every window is drawn as if there were no other shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from strangecast.core.streams import counter_integers, key64
from strangecast.data.augmentations.draws import sample_keys
from strangecast.data.augmentations.pipeline import Pipeline


@dataclass(frozen=True)
class Composition:
    """B samples of equal channels.

    Attributes:
        sources: [B] int64, number of the source that a sample is read from.
        partners: [B] int64, number of the source that it is combined with, -1 for none.
        keys: [B] uint64, of everything random in its augmentation.
    """

    sources: np.ndarray
    partners: np.ndarray
    keys: np.ndarray


def compose(channels: np.ndarray, batch_size: int, pipeline: Pipeline | None, *key: Any) -> Composition:
    """The batch that ``key`` names.

    Args:
        channels: [M], C of each source.
        batch_size: B.
        pipeline: what happens to samples, or None for nothing.
    """
    count = batch_size
    while True:
        count *= 2
        sources = _numbers(count, len(channels), "sources", *key)
        keys = sample_keys(count, *key)
        after, paired = _after(channels[sources], keys, pipeline)
        chosen = np.flatnonzero(after == after[0])[:batch_size]
        if len(chosen) == batch_size:
            break
    # One of the others, where there are others.
    step = 1 + _numbers(count, max(len(channels) - 1, 1), "partners", *key)
    partners = np.where(paired, (sources + step) % len(channels), -1)
    return Composition(sources[chosen], partners[chosen], keys[chosen])


def lead(pipeline: Pipeline | None, channels: np.ndarray) -> int:
    """How many more samples than it gives the pipeline reads of the source that needs most."""
    return 0 if pipeline is None else max(pipeline.steps(int(c)) for c in np.unique(channels))


def augmented(
    pipeline: Pipeline | None,
    series: Sequence[np.ndarray],
    partners: Mapping[int, np.ndarray],
    keys: np.ndarray,
    length: int,
) -> Tensor:
    """[B, length, C'], float64: the last ``length`` samples of the series, augmented.

    Args:
        pipeline: what happens to them, or None for nothing.
        series: B arrays [L, C], L at least ``length`` and what the pipeline loses.
        partners: second series [L, C2] by row.
        keys: [B] uint64, for which all results have equal C'.
        length: samples wanted.
    """
    if pipeline is None:
        return torch.from_numpy(np.stack([s[-length:] for s in series])).double()
    channels = np.array([s.shape[1] for s in series])
    pieces, places = [], []
    for c in np.unique(channels):
        rows, need = np.flatnonzero(channels == c), length + pipeline.steps(int(c))
        values = torch.from_numpy(np.stack([series[r][-need:] for r in rows])).double()
        seconds = {
            i: torch.tensor(partners[r][-need:], dtype=torch.float64) for i, r in enumerate(rows) if r in partners
        }
        (bucket,) = pipeline(values, keys[rows], seconds)
        pieces.append(bucket.values)
        places.append(rows[bucket.rows])
    order = np.argsort(np.concatenate(places))
    return torch.cat(pieces)[torch.from_numpy(order)]


def _after(channels: np.ndarray, keys: np.ndarray, pipeline: Pipeline | None) -> tuple[np.ndarray, np.ndarray]:
    """Channels in the end, and whether a partner is needed, of candidates from sources of ``channels``; both [count]."""
    after, paired = channels.copy(), np.zeros(len(channels), bool)
    if pipeline is not None:
        takes = np.array([*(a.takes_partners for a in pipeline.augmentations), False])
        for c in np.unique(channels):
            rows = np.flatnonzero(channels == c)
            plan = pipeline.plan(keys[rows], int(c))
            after[rows], paired[rows] = plan.selected, takes[plan.choice]
    return after, paired


def _numbers(count: int, high: int, *key: Any) -> np.ndarray:
    """[count] int64 in [0, high); a longer list begins with the shorter one."""
    return counter_integers(np.array([key64(*key)], np.uint64), 0, count, np.array([high]))[0]
