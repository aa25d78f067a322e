"""An augmentation as its YAML describes it.

``_target_`` names a function ``(values [B,T,C], draws[, channels], *, [partners,] **parameters) -> [B,T',K]``; what it
takes is read off its signature. Everything random in it comes from ``draws``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.targets import locate
from strangecast.data.augmentations.draws import SampleDraws

SAME = "same"
_META = ("_target_", "title", "channels", "shortened_by")


@dataclass(frozen=True)
class Augmentation:
    """One augmentation with its parameters.

    Attributes:
        name: option name.
        function: see the module.
        parameters: what its YAML sets.
        channels: least and most K, of which each sample draws one; None for K = C.
        takes_channels: whether the function is told K.
        takes_partners: whether it acts on pairs of series.
        shortened_by: ``(channels, **parameters)`` -> how many samples the result is shorter; None for 0.
    """

    name: str
    function: Callable[..., Tensor]
    parameters: dict[str, Any]
    channels: tuple[int, int] | None
    takes_channels: bool
    takes_partners: bool
    shortened_by: Callable[..., int] | None

    def __call__(self, values: Tensor, draws: SampleDraws, channels: int, partners: Tensor | None = None) -> Tensor:
        """[B, T', K]: the augmented samples.

        Args:
            values: [B, T, C].
            draws: of the B samples.
            channels: K, as :meth:`channels_of` drew it.
            partners: [B, T, C2], the second series of each sample, where it takes them.
        """
        arguments = [values, draws, channels] if self.takes_channels else [values, draws]
        pairs = {"partners": partners} if self.takes_partners else {}
        return self.function(*arguments, **pairs, **self.parameters)

    def channels_of(self, draws: SampleDraws, channels: int) -> Tensor:
        """[B] int64, the number of channels K that each sample gets from C = ``channels``."""
        least, most = self.channels or (channels, channels)
        return draws.integers(f"channels of {self.name}", least, most)

    def steps(self, channels: int) -> int:
        """By how many samples the result is shorter, for C = K = ``channels``."""
        return 0 if self.shortened_by is None else self.shortened_by(channels, **self.parameters)


def augmentation_option(name: str, config: dict[str, Any]) -> Augmentation:
    """Build an augmentation from its resolved YAML.

    Raises:
        ConfigError: a target that is no function, a parameter it does not have, or a range of channels that cannot be.
    """
    what = f"augmentation '{name}'"
    function = locate(config.get("_target_"), what)
    takes = inspect.signature(function).parameters
    named = {p.name for p in takes.values() if p.kind is p.KEYWORD_ONLY} - {"partners"}
    parameters = {k: v for k, v in config.items() if k not in _META}
    for key in parameters:
        if key not in named:
            raise ConfigError(f"{what}: {unknown('parameter', key, named)}")
    channels = config.get("channels", SAME)
    if channels != SAME:
        if "channels" not in takes:
            raise ConfigError(f"{what} keeps the number of channels; channels must be '{SAME}', found {channels}")
        if not (isinstance(channels, list) and len(channels) == 2 and 1 <= channels[0] <= channels[1]):
            raise ConfigError(f"{what}: channels must be [least, most] or '{SAME}', found {channels}")
    shortened = config.get("shortened_by")
    return Augmentation(
        name,
        function,
        parameters,
        None if channels == SAME else tuple(channels),
        "channels" in takes,
        "partners" in takes,
        None if shortened is None else locate(shortened, what),
    )
