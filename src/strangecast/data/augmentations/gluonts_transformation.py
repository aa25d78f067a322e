"""The pipeline of augmentations as a GluonTS transformation, for loaders built with GluonTS.

Nothing of strangecast imports this module: GluonTS is loaded by who uses it.

    dataset = FileDataset("exported/train", freq="h", one_dim_target=False)
    pipeline = Pipeline.from_config(config)  # conf/augmentation/all.yaml, resolved
    stream = AugmentationTransformation(pipeline, seed=0, partners=list(dataset)).apply(Cyclic(dataset))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from gluonts.dataset.field_names import FieldName
from gluonts.transform import Transformation

from strangecast.core.errors import ConfigError, DataError
from strangecast.core.streams import key64, stream
from strangecast.data.augmentations.pipeline import Pipeline

_ALONG_TIME = (FieldName.FEAT_DYNAMIC_REAL, FieldName.FEAT_DYNAMIC_CAT, FieldName.PAST_FEAT_DYNAMIC_REAL)


class AugmentationTransformation(Transformation):
    """Augments the targets of a stream of entries in training; elsewhere they pass as they are.

    The random numbers of an entry are keyed by ``seed``, its ``item_id`` (its place in the stream where it has none) and
    how often that was met before in this stream. A second stream therefore gives the same bits, and an entry with an
    ``item_id`` gives the same ones beside whatever other entries.

    Args:
        pipeline: what is done.
        seed: whole number.
        partners: entries among which the second series of a pair is drawn; only those as long as the first serve.
    """

    def __init__(self, pipeline: Pipeline, seed: int, partners: Sequence[dict[str, Any]] | None = None) -> None:
        self.pipeline = pipeline
        self.seed = int(seed)
        self.partners = partners

    def __call__(self, data_it: Iterable[dict[str, Any]], is_train: bool) -> Iterator[dict[str, Any]]:
        """The entries, augmented if ``is_train``.

        Raises:
            DataError: a target that holds values that are not finite, is too short, or loses its single channel.
            ConfigError: a pair is wanted and there is no partner.
        """
        met: Counter[Any] = Counter()
        for place, entry in enumerate(data_it):
            if not is_train:
                yield entry
                continue
            item = entry.get(FieldName.ITEM_ID)
            name = ["place", place] if item is None else ["item", str(item), met[item]]
            met[item] += 1
            yield self._augmented(entry, key64("gluonts", self.seed, *name), f"entry {name[1]}")

    def _augmented(self, entry: dict[str, Any], key: int, where: str) -> dict[str, Any]:
        target = np.asarray(entry[FieldName.TARGET])
        if target.dtype.kind != "f":
            target = target.astype(np.float32)
        series = np.atleast_2d(target)
        if not np.isfinite(series).all():
            raise DataError(f"{where}: the target holds missing or infinite values, which augmentations would spread")
        keys = np.array([key], np.uint64)
        channels, steps = series.shape
        partners = {}
        if self.pipeline.needs_partner(keys, channels)[0]:
            partners[0] = _tensor(self._partner(key, steps, where))
        found = self.pipeline(_tensor(series)[None], keys, partners)[0].values[0].numpy().T
        if target.ndim == 1:
            if len(found) > 1:
                raise DataError(f"{where}: its target has one channel and would get {len(found)}; set the pipeline's "
                                "dimensions to 1 for models of single channels")  # fmt: skip
            found = found[0]
        return _cut(entry, steps - found.shape[-1]) | {FieldName.TARGET: found}

    def _partner(self, key: int, steps: int, where: str) -> np.ndarray:
        """The last ``steps`` samples [C2, steps] of an entry drawn by the key."""
        if self.partners is None or not len(self.partners):
            raise ConfigError("the augmentations combine pairs of series: give the transformation partners, such as "
                              "the dataset itself, or set the probability of projected_skew to 0")  # fmt: skip
        first = int(stream("gluonts partner", key).integers(len(self.partners)))
        for shift in range(len(self.partners)):
            series = np.atleast_2d(self.partners[(first + shift) % len(self.partners)][FieldName.TARGET])
            if series.shape[1] >= steps and np.isfinite(series).all():
                return series[:, -steps:]
        raise DataError(f"{where}: none of {len(self.partners)} partners has {steps} finite samples")


def _tensor(series: np.ndarray) -> torch.Tensor:
    """[T, C] from a target [C, T]."""
    return torch.from_numpy(np.ascontiguousarray(series.T))


def _cut(entry: dict[str, Any], steps: int) -> dict[str, Any]:
    """The entry without its first ``steps`` times."""
    cut = dict(entry)
    if steps:
        for name in _ALONG_TIME:
            if cut.get(name) is not None:
                cut[name] = cut[name][..., steps:]
        if isinstance(cut.get(FieldName.START), pd.Period):
            cut[FieldName.START] = cut[FieldName.START] + steps
    return cut
