"""Least squares: emulators that are fitted in closed form."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from strangecast.data.training_batches import Batch
from strangecast.emulators.base import Emulator
from strangecast.training.base import Training, scaled_error
from strangecast.training.draws import UpdateRandom
from strangecast.training.engine import ClosedForm, Engine, Problem


class LeastSquares(Training):
    """One-step squared error in units of the stored scale, plus the emulator's own penalty:

        L = mean_{n,c} ((u^1 - y^1) / scale)^2 + penalty(weights),

    minimised over all training samples by ``emulator.fit`` (Gauss 1809; with the penalty Hoerl and Kennard 1970).
    There is nothing to iterate: one update.
    """

    requires: ClassVar[dict[str, Any]] = {"learns": "fit", "step": True}

    def __init__(self, *, batch_size: int, validation: dict[str, int]) -> None:
        super().__init__(updates=1, batch_size=batch_size, validate_every=1, validation=validation)

    def window(self, emulator: Emulator) -> tuple[int, int]:
        """The emulator's context and one step."""
        return emulator.context_range[0], 1

    def loss(self, emulator: Emulator, batch: Batch, *, system: Any, rng: UpdateRandom, step: int) -> Tensor:
        """[S]; see the class."""
        prediction, _ = emulator.step(emulator.encode(batch.context), batch.times[:, :, :1])
        error = scaled_error(prediction, batch.target[:, :, :1], emulator, batch.context)
        return error.square().flatten(1).mean(1) + emulator.penalty()

    def engine(self, problem: Problem) -> Engine:
        """Closed form."""
        return ClosedForm(problem)
