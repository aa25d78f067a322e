"""Some of the channels in random order, without replacement."""

from __future__ import annotations

from torch import Tensor

from strangecast.data.augmentations.draws import SampleDraws


def dimension_selection(values: Tensor, draws: SampleDraws, channels: int) -> Tensor:
    """[B, T, min(K, C)] with K = ``channels``; each sample draws its own.

    Args:
        values: [B, T, C].
        draws: of the B samples.
        channels: K.
    """
    chosen = draws.permutation("dimensions", values.shape[2])[:, :channels].to(values.device)
    return values.gather(2, chosen[:, None, :].expand(-1, values.shape[1], -1))
