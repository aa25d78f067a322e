"""Random convex combinations of the channels: ``X' = W X``, rows of ``W`` from a symmetric Dirichlet distribution.

Source: Lai, Bao and Gilpin (2025), "Panda: a pretrained forecast model for chaotic dynamics".
"""

from __future__ import annotations

from torch import Tensor

from strangecast.core.errors import ConfigError
from strangecast.data.augmentations.draws import SampleDraws, as_values
from strangecast.data.augmentations.ordered import mixed, ordered_mean

_LEAST_ALPHA = 0.1  # below it gamma draws of float64 may vanish


def convex_combination(values: Tensor, draws: SampleDraws, channels: int, *, alpha: float = 1.0) -> Tensor:
    """[B, T, K] with K = ``channels``; at every time between the least and the greatest channel of the sample.

    Args:
        values: [B, T, C].
        draws: of the B samples.
        channels: K.
        alpha: of the Dirichlet distribution: 1 is uniform on the simplex, less prefers single channels, more prefers
            their mean.

    Raises:
        ConfigError: ``alpha`` is below 0.1.
    """
    if not alpha >= _LEAST_ALPHA:
        raise ConfigError(f"convex_combination: alpha must be at least {_LEAST_ALPHA}, found {alpha}")
    weights = draws.gamma("convex", float(alpha), channels, values.shape[2])
    total = ordered_mean(weights.transpose(1, 2)) * values.shape[2]
    return mixed(values, as_values(weights / total[:, :, None], values))
