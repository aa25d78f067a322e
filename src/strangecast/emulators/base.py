"""What every emulator is: a module with a member axis that forecasts from a context."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from strangecast.core.context import Context
from strangecast.core.errors import ConfigError, DataError, unknown
from strangecast.core.spec import Spec
from strangecast.emulators.draws import SampleRandom


@dataclass(frozen=True)
class Can:
    """What an emulator can do; its YAML states the same, so that a planner needs no torch.

    Attributes:
        learns: ``none``, ``fit`` (closed form, :meth:`Emulator.fit`) or ``gradient``.
        step: has a differentiable ``step``, so trainings may unroll it.
        grid: numbers of grid axes it handles, such as (0,) or (1, 2).
        channels: ``any`` or the one number of channels it handles.
        pooled: one member learns from, and forecasts, several systems, which may differ in channels and sampling.
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
            ConfigError: the emulator was made without specs, or for systems of different numbers of channels.
        """
        if not self.specs or not self.specs[0].channels:
            raise ConfigError(f"{type(self).__name__} needs data of one number of channels, and was not told which")
        return self.specs[0].C

    @property
    def grid(self) -> tuple[int, ...]:
        """Shape of the grid, () for point systems."""
        return self.specs[0].grid if self.specs else ()

    @property
    def context_range(self) -> tuple[int, int | None]:
        """Least and greatest number of context steps it reads; None where it reads all there are."""
        return 1, None

    def unit(self, context: Context) -> Tensor:
        """[S|1, B|1, C], what losses measure errors in.

        The ``scale`` [S, C] stored with the weights; an emulator that normalises by its context gives the context's.
        """
        return self.scale[:, None]

    @property
    def n_parameters(self) -> int:
        """Learned numbers of one member."""
        n = sum(p.numel() for p in self.parameters())
        return n // self.S if self.side_by_side else n

    @property
    def architecture(self) -> dict[str, Any]:
        """Keyword arguments beside the configuration that rebuild it without its pretrained folder; JSON values."""
        return {}

    def load_pretrained(self, folder: Path) -> None:
        """Take over the weights of a local folder of pretrained files; only where its YAML names ``weights``.

        Called once after construction, in place of :meth:`initialise`, and may change the architecture. Files are read
        without executing anything in them.

        Raises:
            DataError: the folder does not hold what this emulator reads.
        """
        raise ConfigError(f"{type(self).__name__} reads no pretrained weights")

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
        self, context: Context, times: Tensor, *, samples: int | None = None, rng: SampleRandom | None = None
    ) -> Tensor:
        """Continue the context.

        Args:
            context: the past of B windows.
            times: [S|1, B, H], physical times asked for.
            samples: number N of draws, only where ``can.probabilistic``; None for the one forecast that draws nothing.
            rng: source of the draws, given where ``samples`` is. All randomness comes from it: then a window's samples
                depend neither on the batch nor on neighbours, devices or N.

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
        for name in self.can.needs:  # fields of the context, or what only the system itself offers
            field = name if hasattr(context, name) else "system"
            if getattr(context, field) is None:
                raise DataError(f"{type(self).__name__} needs the {name} of the system in its context")
        if samples is not None and not self.can.probabilistic:
            raise ConfigError(f"{type(self).__name__} is deterministic; it draws no samples")

    # The state of members, always with the member axis first

    def stacked_state(self) -> dict[str, Tensor]:
        """Copies of all parameters and buffers, each [S, ...]."""
        state = {k: v.detach().clone() for k, v in self.state_dict().items()}
        return state if self.side_by_side else {k: v[None] for k, v in state.items()}

    def load_stacked_state(self, state: dict[str, Tensor], take: tuple[str, ...] = ()) -> None:
        """Inverse of :meth:`stacked_state`; values are copied.

        Args:
            state: each [S, ...].
            take: prefixes of the names to take over; everything where none is given. The rest stays as it is.

        Raises:
            ConfigError: names or shapes differ from this emulator's, or a prefix names nothing.
        """
        own = dict(self.state_dict())
        if take:
            for prefix in take:
                if not any(k.startswith(prefix) for k in own):
                    raise ConfigError(f"{type(self).__name__}: {unknown('tensor', prefix, own)}")
            own, state = ({k: v for k, v in d.items() if k.startswith(take)} for d in (own, state))
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
