"""What each augmentation makes of one series: for the eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from strangecast.core.errors import DataError
from strangecast.data.augmentations.draws import SampleDraws, sample_keys
from strangecast.data.augmentations.option import augmentation_option
from strangecast.data.augmentations.standardisation import standardised


@dataclass(frozen=True)
class Example:
    """One augmentation of one series, both standardised as a pipeline would do it.

    Attributes:
        title: of the augmentation.
        of: names of the series that went in.
        before: [T, C], the first of them.
        after: [T', K], T' <= T, the last samples.
    """

    title: str
    of: tuple[str, ...]
    before: np.ndarray
    after: np.ndarray


def examples(options: Mapping[str, dict[str, Any]], series: Mapping[str, np.ndarray]) -> list[Example]:
    """Every augmentation of the first series; those that act on pairs combine it with the second.

    Results have three channels where the augmentation lets one choose, else as many as the series. Draws are keyed by
    the names of augmentation and series.

    Args:
        options: resolved YAMLs by name.
        series: [T, C] by name, one or two; those that act on pairs are left out where there is one.

    Raises:
        DataError: no series, or one that is empty.
        ConfigError: a YAML that cannot work.
    """
    if not series or min(map(len, series.values())) == 0:
        raise DataError("augmentations need a series with samples")
    names = list(series)
    first = _batch(series[names[0]])
    found = []
    for name, config in options.items():
        augmentation = augmentation_option(name, config)
        if augmentation.takes_partners and len(names) < 2:
            continue
        draws = SampleDraws(sample_keys(1, "example", name, *names))
        most = augmentation.channels[1] if augmentation.channels else first.shape[2]
        least = augmentation.channels[0] if augmentation.channels else first.shape[2]
        steps = min(len(series[n]) for n in (names if augmentation.takes_partners else names[:1]))
        pair = _batch(series[names[1]])[:, -steps:] if augmentation.takes_partners else None
        after = augmentation(first[:, -steps:], draws, int(np.clip(3, least, most)), pair)
        found.append(
            Example(
                str(config.get("title") or name),
                tuple(names[: 2 if augmentation.takes_partners else 1]),
                _plain(first[:, -after.shape[1] :]),
                _plain(after),
            )
        )
    return found


def _batch(values: Sequence[Sequence[float]] | np.ndarray) -> torch.Tensor:
    return torch.tensor(np.asarray(values, np.float64))[None]


def _plain(values: torch.Tensor) -> np.ndarray:
    return standardised(values)[0].numpy()
