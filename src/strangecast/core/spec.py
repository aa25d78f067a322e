"""What an emulator may know about its data: channels, grid, sampling, parameters, context range."""

from __future__ import annotations

from collections.abc import Iterable
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

    Of a dataset of many systems it says what they have in common (:meth:`common`): no channels where systems differ in
    them, no ``dt`` where they differ in it, and so on. What one trajectory is like, the store says.

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

    @classmethod
    def common(cls, specs: Iterable[Spec], name: str = "") -> Spec:
        """What all ``specs`` agree on; channels, grid and parameters are () and dt and exponent None where they do not.

        Args:
            specs: of the systems of a dataset, at least one.
            name: stands for the system where they are of several.
        """
        distinct = list(dict.fromkeys(specs))
        first = distinct[0]
        if len(distinct) == 1:
            return first

        def agreed(key: str, otherwise: Any) -> Any:
            value = getattr(first, key)
            return value if all(getattr(s, key) == value for s in distinct) else otherwise

        return cls(
            channels=agreed("channels", ()),
            grid=agreed("grid", ()),
            dt=agreed("dt", None),
            parameters=agreed("parameters", ()),
            context_range=(max(s.context_range[0] for s in distinct), min(s.context_range[1] for s in distinct)),
            lyapunov=agreed("lyapunov", None),
            system=agreed("system", name),
        )
