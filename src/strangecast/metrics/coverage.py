"""Does the central interval of the samples hold the truth as often as it says?"""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.metrics.averages import window_mean
from strangecast.metrics.sample_quantiles import sample_quantiles
from strangecast.metrics.scale import Scale


def coverage_error(truth: np.ndarray, samples: np.ndarray, scale: Scale, nominal: float = 0.8) -> np.ndarray:
    """|share of values inside the central interval - ``nominal``|, the share over time, channels and grid of one window.

    See :func:`coverage`. Values of one window hang together, so even a perfect ensemble is off in single windows; it is
    the least that is reached. A forecast without samples scores ``nominal``.

    Known values: the truth scores 0; an interval that holds nothing scores ``nominal``, one that holds all 1 - nominal.

    Args:
        truth: [B, H, C, *grid].
        samples: [N, S, B, H, C, *grid].
        scale: not used.
        nominal: probability of the interval, in (0, 1).

    Returns:
        [S, B] in [0, max(nominal, 1 - nominal)], lower is better.

    Raises:
        ConfigError: a probability outside (0, 1).
    """
    return np.abs(_excess(truth, samples, nominal))


def coverage(truth: np.ndarray, samples: np.ndarray, nominal: float = 0.8) -> np.ndarray:
    """[S, B]: share of values between the quantiles (1 - nominal) / 2 and (1 + nominal) / 2 of the samples.

    Quantiles are unbiased (rank level (N + 1)), so that N samples from the truth's own distribution cover ``nominal`` on
    average, for 0.8 from N = 9 on; fewer have no such quantiles and cover (N - 1) / (N + 1). Bounds count as inside.
    Where both bounds are the truth, which tells no side from the other, ``nominal`` is counted, as a rank drawn at random
    would on average.

    Args:
        truth: [B, H, C, *grid].
        samples: [N, S, B, H, C, *grid].
        nominal: in (0, 1).

    Raises:
        ConfigError: a probability outside (0, 1).
    """
    return nominal + _excess(truth, samples, nominal)


def _excess(truth: np.ndarray, samples: np.ndarray, nominal: float) -> np.ndarray:
    """[S, B]: share of values inside less ``nominal``; exactly 0 where all are tied."""
    if not 0 < nominal < 1:
        raise ConfigError(f"the probability of an interval must be between 0 and 1, found {nominal}")
    low, high = sample_quantiles(samples, [(1 - nominal) / 2, (1 + nominal) / 2], unbiased=True)
    inside = (low <= truth) & (truth <= high)
    tied = (low == truth) & (high == truth)
    return window_mean(np.where(tied, 0.0, inside - nominal))
