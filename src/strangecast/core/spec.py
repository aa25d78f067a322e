"""What an emulator may know about its data: channels, grid, sampling, parameters, context range."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Channel:
    """One observed quantity."""

    name: str
    unit: str = "1"


@dataclass(frozen=True)
class Spec:
    """Frozen description of a dataset, as seen by an emulator.

    ``grid`` is () for point systems, (X,), (X, Y) or (X, Y, Z) for fields. ``dt`` is the sampling interval in
    physical time units, None where sampling is irregular. ``context_range`` is the least and the greatest number of
    steps an emulator reads before an origin. ``lyapunov`` is the largest exponent per physical time unit or None.
    """

    channels: tuple[Channel, ...]
    grid: tuple[int, ...] = ()
    dt: float | None = None
    parameters: tuple[str, ...] = ()
    context_range: tuple[int, int] = (1, 512)
    lyapunov: float | None = None
    system: str = ""

    @property
    def C(self) -> int:
        """Number of channels."""
        return len(self.channels)

    def to_json(self) -> dict[str, Any]:
        """A plain dict, inverse of :meth:`from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Spec:
        """Rebuild from :meth:`to_json`; without a context range (as in shards) the default stands."""
        return cls(
            channels=tuple(Channel(**c) for c in value["channels"]),
            grid=tuple(value["grid"]),
            dt=value["dt"],
            parameters=tuple(value["parameters"]),
            context_range=tuple(value.get("context_range", cls.context_range)),
            lyapunov=value["lyapunov"],
            system=value["system"],
        )
