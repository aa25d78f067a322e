"""Two series mapped into a common space and added: ``X' = P X + Q Y``, entries of P and Q normal.

Entries have the deviation scale / sqrt(K). With Y the orbit of another system this is an observation of the product of
the two. Source: the augmentation of the same name of the code of Lai, Bao and Gilpin (2025), there with deviation scale.
"""

from __future__ import annotations

import math

from torch import Tensor

from strangecast.core.errors import DataError
from strangecast.data.augmentations.draws import SampleDraws, as_values
from strangecast.data.augmentations.ordered import mixed


def projected_skew(
    values: Tensor, draws: SampleDraws, channels: int, *, partners: Tensor, scale: float = 1.0
) -> Tensor:
    """[B, T, K] with K = ``channels``.

    Args:
        values: [B, T, C].
        draws: of the B samples.
        channels: K.
        partners: [B, T, C2], the second series of each sample.
        scale: deviation of the entries of P and Q times sqrt(K).

    Raises:
        DataError: the two series differ in length or number.
    """
    if partners.ndim != 3 or partners.shape[:2] != values.shape[:2]:
        raise DataError(
            f"projected_skew: partners must be {list(values.shape[:2])} + [channels], found {list(partners.shape)}"
        )
    deviation = scale / math.sqrt(channels)
    first = draws.normal("skew first", channels, values.shape[2]) * deviation
    second = draws.normal("skew second", channels, partners.shape[2]) * deviation
    return mixed(values, as_values(first, values)) + mixed(partners.to(values), as_values(second, values))
