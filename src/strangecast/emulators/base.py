"""What every emulator is: a module with a member axis that forecasts from a context."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from strangecast.core.context import Context
from strangecast.core.errors import ConfigError, DataError
from strangecast.core.spec import Spec


@dataclass(frozen=True)
class Can:
    """What an emulator can do; its YAML states the same, so that a planner needs no torch.

    Attributes:
        learns: ``none``, ``fit`` (closed form, :meth:`Emulator.fit`) or ``gradient``.
        step: has a differentiable ``step``, so trainings may unroll it.
        grid: numbers of grid axes it handles, such as (0,) or (1, 2).
        channels: ``any`` or the one number of channels it handles.
        pooled: one member learns from, and forecasts, several systems.
        irregular: handles sampling times that are not evenly spaced.
        probabilistic: draws samples.
        objective: has a loss of its own, ``objective(batch, rng=...) -> [S]``.
        needs: fields of the context beyond values and times, such as ``state`` or ``vector_field``.
    """

    learns: str = "none"
    step: bool = False
    grid: tuple[int, ...] = (0,)
    channels: str | int = "any"
    pooled: bool = False
    irregular: bool = False
    probabilistic: bool = False
    objective: bool = False
    needs: tuple[str, ...] = ()

    def to_yaml(self) -> dict[str, Any]:
        """As it stands under ``can:`` in the emulator's YAML."""
        plain = asdict(self)
        return plain | {"grid": [f"{n}d" for n in self.grid], "needs": list(self.needs)}


class Emulator(nn.Module):
    """Base of all emulators, learned or not.

    Parameters and buffers carry the member axis first (``side_by_side``); a big model that trains one member at a time
    sets ``side_by_side = False`` and has no such axis. Physical units outside, any units inside.

    Args:
        specs: what each member's data look like; empty for an emulator that is used on any data (S = 1).
    """

    can: ClassVar[Can] = Can()
    side_by_side: ClassVar[bool] = True
    dtype: ClassVar[torch.dtype] = torch.float32

    def __init__(self, specs: tuple[Spec, ...] = ()) -> None:
        super().__init__()
        self.specs = tuple(specs)
        shapes = {(s.C, s.grid) for s in self.specs}
        if len(shapes) > 1:
            raise ConfigError(f"members of one block need equal channels and grid, found {sorted(shapes)}")
        if not self.side_by_side and self.S > 1:
            raise ConfigError(f"{type(self).__name__} holds one member at a time, {self.S} were given")

    @property
    def S(self) -> int:
        """Number of members side by side."""
        return max(1, len(self.specs))

    @property
    def C(self) -> int:
        """Number of channels of the data.

        Raises:
            ConfigError: the emulator was made without specs.
        """
        if not self.specs:
            raise ConfigError(f"{type(self).__name__} needs to know its data; it was made without specs")
        return self.specs[0].C

    @property
    def grid(self) -> tuple[int, ...]:
        """Shape of the grid, () for point systems."""
        return self.specs[0].grid if self.specs else ()

    @property
    def context_range(self) -> tuple[int, int | None]:
        """Least and greatest number of context steps it reads; None where it reads all there are."""
        return 1, None

    @property
    def n_parameters(self) -> int:
        """Learned numbers of one member."""
        n = sum(p.numel() for p in self.parameters())
        return n // self.S if self.side_by_side else n

    def initialise(self, streams: list[np.random.Generator]) -> None:
        """Draw the initial parameters of member s from ``streams[s]`` alone."""

    def fit_normaliser(self, segments: list[list[np.ndarray]]) -> None:
        """Set the normaliser from training data.

        Args:
            segments: per member the contiguous pieces of its training data, each [T, C, *grid] in physical units.
        """

    def fit(self, segments: list[list[np.ndarray]]) -> None:
        """Fit in closed form to :meth:`fit_normaliser`'s ``segments``; only where ``can.learns`` is ``fit``."""
        raise ConfigError(f"{type(self).__name__} cannot be fitted in closed form")

    def forecast(
        self, context: Context, times: Tensor, *, samples: int | None = None, rng: np.random.Generator | None = None
    ) -> Tensor:
        """Continue the context.

        Args:
            context: the past of B windows.
            times: [S|1, B, H], physical times asked for.
            samples: number N of draws, only where ``can.probabilistic``.
            rng: source of the draws.

        Returns:
            [S, B, H, C, *grid] in physical units, [N, S, B, H, C, *grid] with samples.
        """
        raise NotImplementedError

    def objective(self, batch: Any, *, rng: Any) -> Tensor:
        """The emulator's own loss, [S]; only where ``can.objective``."""
        raise ConfigError(f"{type(self).__name__} has no objective of its own; a training gives it one")

    def check_context(self, context: Context, samples: int | None = None) -> None:
        """Refuse a context that is too short or lacks a field, and samples from a deterministic emulator.

        Raises:
            DataError, ConfigError: what is missing, what is needed.
        """
        least, found = self.context_range[0], context.values.shape[2]
        if found < least:
            raise DataError(f"{type(self).__name__} reads at least {least} context steps, {found} were given")
        for name in self.can.needs:
            if getattr(context, name, None) is None:
                raise DataError(f"{type(self).__name__} needs the {name} of the system in its context")
        if samples is not None and not self.can.probabilistic:
            raise ConfigError(f"{type(self).__name__} is deterministic; it draws no samples")

    # The state of members, always with the member axis first

    def stacked_state(self) -> dict[str, Tensor]:
        """Copies of all parameters and buffers, each [S, ...]."""
        state = {k: v.detach().clone() for k, v in self.state_dict().items()}
        return state if self.side_by_side else {k: v[None] for k, v in state.items()}

    def load_stacked_state(self, state: dict[str, Tensor]) -> None:
        """Inverse of :meth:`stacked_state`; values are copied.

        Raises:
            ConfigError: names or shapes differ from this emulator's.
        """
        own = dict(self.state_dict())
        found = {k: tuple(v.shape) for k, v in state.items()}
        wanted = {k: tuple(v.shape) if self.side_by_side else (1, *v.shape) for k, v in own.items()}
        if found != wanted:
            k = min(k for k in {*found, *wanted} if found.get(k) != wanted.get(k))
            raise ConfigError(
                f"weights do not fit {type(self).__name__}: {k} is {found.get(k, 'missing')}, {wanted.get(k, 'none')} "
                "is needed"
            )
        with torch.no_grad():
            for k, v in own.items():
                v.copy_(state[k] if self.side_by_side else state[k][0])
