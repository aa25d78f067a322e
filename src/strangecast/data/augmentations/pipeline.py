"""At a given rate one of several augmentations, then standardisation, then some of the channels.

What happens to a sample is a pure function of its key: which augmentation, how many channels it gives, and every number
in it. A sampler therefore knows the number of channels before it reads any data (:meth:`Pipeline.buckets`) and can put
samples of equal C into one batch. Source of the order and of the rate: the code of Lai, Bao and Gilpin (2025).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from strangecast.core.errors import ConfigError, DataError, unknown
from strangecast.data.augmentations.dimension_selection import dimension_selection
from strangecast.data.augmentations.draws import SampleDraws
from strangecast.data.augmentations.option import Augmentation, augmentation_option
from strangecast.data.augmentations.standardisation import standardised

_KEYS = {"title", "rate", "probabilities", "augmentations", "standardise", "dimensions"}


@dataclass(frozen=True)
class Plan:
    """What happens to B samples.

    Attributes:
        choice: [B] int64, index of the augmentation, -1 for none.
        channels: [B] int64, K after the augmentation.
        selected: [B] int64, number of channels in the end.
    """

    choice: np.ndarray
    channels: np.ndarray
    selected: np.ndarray


@dataclass(frozen=True)
class Bucket:
    """Samples of equal C.

    Attributes:
        rows: [b] int64, their places in the batch, increasing.
        values: [b, T', C].
    """

    rows: np.ndarray
    values: Tensor


class Pipeline:
    """See the module; use :meth:`from_config`.

    Args:
        augmentations: those to choose among.
        weights: one for each, at least 0; they need not add up to 1.
        rate: probability that a sample is augmented.
        standardise: give every channel mean 0 and deviation 1.
        dimensions: keep so many channels (all where there are fewer); None keeps all.

    Raises:
        ConfigError: numbers that cannot work.
    """

    def __init__(
        self,
        augmentations: list[Augmentation],
        weights: list[float],
        *,
        rate: float = 0.2,
        standardise: bool = True,
        dimensions: int | None = 3,
    ) -> None:
        if not 0 <= rate <= 1:
            raise ConfigError(f"augmentation: rate must be between 0 and 1, found {rate}")
        if any(not w >= 0 for w in weights) or (rate > 0 and not sum(weights) > 0):
            raise ConfigError(f"augmentation: probabilities must be at least 0 and one above it, found {weights}")
        if dimensions is not None and dimensions < 1:
            raise ConfigError(f"augmentation: dimensions must be at least 1, or null for all, found {dimensions}")
        used = [(a, w) for a, w in zip(augmentations, weights, strict=True) if w > 0]
        self.augmentations = [a for a, _ in used] if rate > 0 else []
        self.bounds = np.cumsum([w for _, w in used])[:-1] / (sum(w for _, w in used) or 1)
        self.rate = rate
        self.standardise = standardise
        self.dimensions = dimensions

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pipeline:
        """Build from a resolved YAML that lists ``augmentations``, such as ``conf/augmentation/all.yaml``.

        Raises:
            ConfigError: an unknown key or augmentation, or numbers that cannot work.
        """
        for key in config:
            if key not in _KEYS:
                raise ConfigError(f"augmentation: {unknown('key', key, _KEYS)}")
        options, weights = config.get("augmentations") or {}, config.get("probabilities") or {}
        for name in weights:
            if name not in options:
                raise ConfigError(f"augmentation: probabilities: {unknown('augmentation', name, options)}")
        built = [augmentation_option(name, options[name]) for name in weights]
        settings = {k: config[k] for k in ("rate", "standardise", "dimensions") if k in config}
        return cls(built, [float(w) for w in weights.values()], **settings)

    def steps(self, channels: int) -> int:
        """How many more samples than it gives the pipeline reads of series of ``channels`` channels."""
        return max((a.steps(channels) for a in self.augmentations), default=0)

    def plan(self, keys: np.ndarray, channels: int) -> Plan:
        """What happens to samples of ``channels`` channels with these keys [B] uint64."""
        draws = SampleDraws(keys)
        which = np.searchsorted(self.bounds, draws.uniform("which").numpy(), side="right")
        augmented = draws.uniform("whether").numpy() < self.rate
        choice = np.where(augmented, which, -1) if self.augmentations else np.full(len(draws), -1)
        after = np.full(len(draws), channels)
        for i, augmentation in enumerate(self.augmentations):
            rows = np.flatnonzero(choice == i)
            after[rows] = augmentation.channels_of(draws.of(rows), channels).numpy()
        selected = after if self.dimensions is None else np.minimum(after, self.dimensions)
        return Plan(choice, after, selected)

    def buckets(self, keys: np.ndarray, channels: int) -> dict[int, np.ndarray]:
        """Rows [b] of ``keys`` by the number of channels their samples will have, without any data."""
        selected = self.plan(keys, channels).selected
        return {int(c): np.flatnonzero(selected == c) for c in np.unique(selected)}

    def needs_partner(self, keys: np.ndarray, channels: int) -> np.ndarray:
        """[B] bool: whether a sample is combined with a second series."""
        takes = np.array([*(a.takes_partners for a in self.augmentations), False])
        return takes[self.plan(keys, channels).choice]

    def __call__(self, values: Tensor, keys: np.ndarray, partners: Mapping[int, Tensor] | None = None) -> list[Bucket]:
        """Augment samples of equal length and channels.

        Args:
            values: [B, T, C], on any device.
            keys: [B] uint64.
            partners: second series [T, C2] by row, for the rows that :meth:`needs_partner` names; C2 may differ.

        Returns:
            Samples of equal C together, C increasing; all have T' = T - :meth:`steps` samples, the last of the series.

        Raises:
            DataError: arrays of the wrong shape, or too short.
            ConfigError: a pair is wanted and there is no partner.
        """
        if values.ndim != 3 or len(values) != len(keys):
            raise DataError(f"augmentations act on [B, T, C] with a key per sample, found {list(values.shape)} and "
                            f"{len(keys)} keys")  # fmt: skip
        length = values.shape[1] - self.steps(values.shape[2])
        if length < 1:
            raise DataError(f"augmentations need more than {values.shape[1] - length} samples, found {values.shape[1]}")
        plan = self.plan(keys, values.shape[2])
        pieces: dict[int, list[tuple[np.ndarray, Tensor]]] = {}
        for rows, group in self._groups(plan, partners or {}):
            found = self._augmented(values, SampleDraws(keys[rows]), rows, plan, group)[:, -length:]
            if self.standardise:
                found = standardised(found)
            if self.dimensions is not None:
                found = dimension_selection(found, SampleDraws(keys[rows]), self.dimensions)
            pieces.setdefault(found.shape[2], []).append((rows, found))
        return [_joined(pieces[c]) for c in sorted(pieces)]

    def _groups(self, plan: Plan, partners: Mapping[int, Tensor]) -> list[tuple[np.ndarray, Tensor | None]]:
        """Rows that one call can augment, with their stacked partners."""
        kinds: dict[tuple, list[int]] = {}
        for row, (choice, channels) in enumerate(zip(plan.choice, plan.channels, strict=True)):
            shape: tuple = ()
            if choice >= 0 and self.augmentations[choice].takes_partners:
                if row not in partners:
                    raise ConfigError(f"augmentation '{self.augmentations[choice].name}' combines sample {row} with a "
                                      "second series: give it one, or set the probability to 0")  # fmt: skip
                shape = tuple(partners[row].shape)
            kinds.setdefault((choice, channels, shape), []).append(row)
        return [
            (np.array(rows), torch.stack([partners[r] for r in rows]) if shape else None)
            for (_, _, shape), rows in kinds.items()
        ]

    def _augmented(
        self, values: Tensor, draws: SampleDraws, rows: np.ndarray, plan: Plan, partners: Tensor | None
    ) -> Tensor:
        picked = values[torch.from_numpy(rows).to(values.device)]
        choice = int(plan.choice[rows[0]])
        if choice < 0:
            return picked
        return self.augmentations[choice](picked, draws, int(plan.channels[rows[0]]), partners)


def _joined(pieces: list[tuple[np.ndarray, Tensor]]) -> Bucket:
    rows = np.concatenate([r for r, _ in pieces])
    values = torch.cat([v for _, v in pieces])
    order = np.argsort(rows)
    return Bucket(rows[order], values[torch.from_numpy(order).to(values.device)])
