"""Random sums of sinusoids in place of a sample: ``x_c(t) = sum_m a_cm sin(2 pi (f_cm t / T + phi_cm))``.

Frequencies, amplitudes and phases are uniform and independent for every channel: quasi-periodic signals that no
attractor of the corpus gives. Source: the code of Lai, Bao and Gilpin (2025).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from strangecast.core.errors import ConfigError
from strangecast.data.augmentations.draws import SampleDraws, as_values


def fourier_series(
    values: Tensor,
    draws: SampleDraws,
    *,
    modes: tuple[int, int] = (5, 15),
    waves: float = 10 * math.pi,
    amplitude: float = 10.0,
) -> Tensor:
    """[B, T, C], equal on all devices up to rounding; of ``values`` only shape, dtype and device matter.

    Args:
        values: [B, T, C].
        draws: of the B samples.
        modes: least and most sinusoids per channel; each sample draws its number.
        waves: greatest frequency in waves over the whole series.
        amplitude: greatest amplitude of a sinusoid.

    Raises:
        ConfigError: numbers of modes that cannot be.
    """
    least, most = modes
    if not 1 <= least <= most:
        raise ConfigError(f"fourier_series: modes must be [least, most] with 1 <= least <= most, found {list(modes)}")
    steps, channels = values.shape[1:]
    present = torch.arange(most) < draws.integers("fourier modes", least, most, 1)
    size = as_values(draws.uniform("fourier amplitude", channels, most) * present[:, None] * amplitude, values)
    frequency = as_values(draws.uniform("fourier frequency", channels, most) * waves, values)
    phase = as_values(draws.uniform("fourier phase", channels, most), values)
    time = as_values(torch.arange(steps, dtype=torch.float64) / steps, values)[None, :, None]
    total = torch.zeros_like(values)
    for m in range(most):
        turns = frequency[:, None, :, m] * time + phase[:, None, :, m]
        total = total + size[:, None, :, m] * torch.sin((turns - torch.floor(turns)) * (2 * math.pi))
    return total
