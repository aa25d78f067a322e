"""Phase surrogates: a series with the same power spectrum and random phases (Theiler et al. 1992).

The constant part, and for an even length the highest frequency, keep their phase. With shared phases all channels of a
sample turn alike, which keeps their cross-spectra too (Prichard and Theiler 1994).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from strangecast.core.errors import ConfigError
from strangecast.data.augmentations.draws import SampleDraws, as_values


def phase_surrogate(values: Tensor, draws: SampleDraws, *, shared: bool = False, cutoff: float = 1.0) -> Tensor:
    """[B, T, C], equal on all devices up to rounding.

    Args:
        values: [B, T, C].
        draws: of the B samples.
        shared: one phase per frequency for all channels of a sample; independent ones otherwise.
        cutoff: share of the frequencies that is kept, from the lowest; the others are removed.

    Raises:
        ConfigError: ``cutoff`` is not in (0, 1].
    """
    if not 0 < cutoff <= 1:
        raise ConfigError(f"phase_surrogate: cutoff must be above 0 and at most 1, found {cutoff}")
    steps = values.shape[1]
    count = steps // 2 + 1
    angle = draws.uniform("phase", 1 if shared else values.shape[2], count) * (2 * math.pi)
    angle[:, :, 0] = 0
    if steps % 2 == 0:
        angle[:, :, -1] = 0
    keep = torch.arange(count) < max(1, math.ceil(cutoff * count))
    cos, sin = as_values(torch.cos(angle) * keep, values), as_values(torch.sin(angle) * keep, values)
    # One transform per sample: those of libraries round by how many they make at once, as do their complex products.
    return torch.stack([_turned(series, c, s) for series, c, s in zip(values, cos, sin, strict=True)])


def _turned(series: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """[T, C], a sample whose frequencies are multiplied by ``cos + i sin`` [C|1, F]."""
    spectrum = torch.fft.rfft(series.T.contiguous(), dim=1)
    real = spectrum.real * cos - spectrum.imag * sin
    imaginary = spectrum.real * sin + spectrum.imag * cos
    return torch.fft.irfft(torch.complex(real, imaginary), n=len(series), dim=1).T
