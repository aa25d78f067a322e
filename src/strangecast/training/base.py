"""What a training methodology is: a loss, the windows it needs, what it owns, and how it is selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from strangecast.core.context import Context
from strangecast.core.errors import ConfigError
from strangecast.data.training_batches import Batch
from strangecast.emulators.base import Emulator
from strangecast.training.draws import UpdateRandom
from strangecast.training.engine import Engine, Problem


class Training:
    """Base of all methodologies; ``loss`` is the definition, an engine may compute the same faster.

    Args:
        updates: number of optimiser updates.
        batch_size: windows per member and update; a multiple of 16 keeps a member's bits independent of its neighbours.
        validate_every: updates between validations.
        validation: ``{count, steps}``: windows, and the length of the free forecasts that select the best weights.
        patience: validations without improvement after which a member stops, or None.
    """

    requires: ClassVar[dict[str, Any]] = {}
    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        updates: int,
        batch_size: int,
        validate_every: int,
        validation: dict[str, int],
        patience: int | None = None,
    ) -> None:
        numbers = {"updates": updates, "batch_size": batch_size, "validate_every": validate_every, **validation}
        for name, value in numbers.items():
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f"{type(self).__name__}: {name} must be a whole number of at least 1, found {value}")
        if set(validation) != {"count", "steps"}:
            raise ConfigError(f"{type(self).__name__}: validation takes count and steps, found {sorted(validation)}")
        self.updates = updates
        self.batch_size = batch_size
        self.validate_every = validate_every
        self.validation = validation
        self.patience = patience

    def check(self, emulator: Emulator) -> None:
        """Refuse an emulator this methodology cannot train.

        Raises:
            ConfigError: what it needs and what the emulator can.
        """
        can = emulator.can
        for key, wanted in self.requires.items():
            if getattr(can, key) != wanted:
                raise ConfigError(
                    f"{type(self).__name__} needs an emulator with {key}: {wanted}, and {type(emulator).__name__} has "
                    f"{key}: {getattr(can, key)}"
                )

    def window(self, emulator: Emulator) -> tuple[int, int]:
        """Context and horizon, in samples, of the training windows it needs."""
        raise NotImplementedError

    def prepare(self, emulator: Emulator, series: Callable[[int], list]) -> None:
        """Create tensors this methodology owns; ``series(s)`` gives member s's training segments [T, C, *grid]."""

    def parameters(self) -> dict[str, Tensor]:
        """Tensors it owns and optimises beside the emulator's, by name, each [S, ...]."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """Tensors it owns and changes itself while training (averages, buffers of samples), by name, each [S, ...]."""
        return {}

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Take over the values of :meth:`state` that were saved; on the device of its own tensors or on the CPU."""

    def loss(self, emulator: Emulator, batch: Batch, *, system: Any, rng: UpdateRandom, step: int) -> Tensor:
        """The definition, [S].

        Args:
            emulator: S members.
            batch: windows of every member.
            system: the members' systems, S of them, where the training or the emulator ``needs`` any; else None.
            rng: random numbers of this update, keyed per member.
            step: number of the update, from 0.
        """
        raise NotImplementedError

    def validate(self, emulator: Emulator, batch: Batch) -> Tensor:
        """[S], the error that selects weights: mean squared error of free forecasts in units of the stored scale.

        The same for every methodology, so that selection favours none of them.
        """
        with torch.no_grad():
            prediction = emulator.forecast(batch.context, batch.times)
        return scaled_error(prediction, batch.target, emulator, batch.context).square().flatten(1).mean(1)

    def engine(self, problem: Problem) -> Engine:
        """Who computes the updates."""
        raise NotImplementedError


def scaled_error(prediction: Tensor, target: Tensor, emulator: Emulator, context: Context) -> Tensor:
    """``(prediction - target) / unit`` for [S, B, H, C, *grid], in the prediction's dtype; see :meth:`Emulator.unit`."""
    unit = emulator.unit(context).to(prediction.dtype)[:, :, None]
    return (prediction - target.to(prediction.dtype)) / unit.view(*unit.shape, *(1,) * (prediction.ndim - 4))
