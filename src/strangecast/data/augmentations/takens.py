"""Delay embedding of one random coordinate: channel j of the result is ``x(t - j lag)``.

The result is a reconstruction of the same attractor (Takens 1981). Nothing wraps around: the first samples, which have
no past, are left out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from strangecast.core.errors import ConfigError, DataError
from strangecast.data.augmentations.draws import SampleDraws


def takens(values: Tensor, draws: SampleDraws, channels: int, *, lags: tuple[int, int] = (1, 10)) -> Tensor:
    """[B, T - most (K - 1), K] with K = ``channels`` delays, the last samples of the series.

    Args:
        values: [B, T, C].
        draws: of the B samples.
        channels: K.
        lags: least and most steps between delays; each sample draws its own. All results have the length that the
            longest lag leaves.

    Raises:
        ConfigError: lags that cannot be.
        DataError: the series are too short.
    """
    lost = takens_steps(channels, lags=lags)
    steps = values.shape[1] - lost
    if steps < 1:
        raise DataError(f"takens: {channels} delays of up to {lags[1]} steps need more than {lost} samples, found "
                        f"{values.shape[1]}")  # fmt: skip
    coordinate = draws.integers("takens coordinate", 0, values.shape[2] - 1)
    lag = draws.integers("takens lag", *lags)
    times = torch.arange(lost, values.shape[1])[None, :, None] - lag[:, None, None] * torch.arange(channels)
    column = coordinate.to(values.device)[:, None, None].expand(-1, values.shape[1], 1)
    series = values.gather(2, column)[:, :, 0]
    return series.gather(1, times.flatten(1).to(values.device)).unflatten(1, (steps, channels))


def takens_steps(channels: int, *, lags: tuple[int, int] = (1, 10)) -> int:
    """How many samples shorter the result is than the series.

    Raises:
        ConfigError: lags that cannot be.
    """
    least, most = lags
    if not 1 <= least <= most:
        raise ConfigError(f"takens: lags must be [least, most] with 1 <= least <= most, found {list(lags)}")
    return most * (channels - 1)
