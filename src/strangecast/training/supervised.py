"""Supervised unrolling: compare a rollout with the stored trajectory."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from strangecast.core.errors import ConfigError
from strangecast.data.training_batches import Batch
from strangecast.emulators.autoregressive import Autoregressive
from strangecast.training.base import Training, scaled_error
from strangecast.training.draws import UpdateRandom
from strangecast.training.engine import Autograd, Engine, Problem
from strangecast.training.schedules import make_schedule


class Supervised(Training):
    """Mean over time levels of the squared error of an r-step rollout, in units of the stored scale:

        L = 1/r sum_{t=1..r} mean_{b,c,x} ((u^t - y^t) / scale)^2,    u^0 = y^0,  u^t = f(u^{t-1}),

    f the emulator, y the stored trajectory, with the gradient through the whole rollout. Source: the "Supervised"
    configuration of List, Chen, Bali and Thuerey (arXiv 2402.12971) and of Koehler et al., APEBench (arXiv 2411.00180),
    there as a sum over time levels.

    Args:
        rollout_steps: r, in native steps.
        optimizer: partial of a torch optimiser.
        schedule: of the learning rate, see :func:`make_schedule`.
        clip: greatest norm of a member's gradient, or None.
        base: see :class:`Training`.
    """

    requires: ClassVar[dict[str, Any]] = {"learns": "gradient", "step": True}

    def __init__(
        self, *, rollout_steps: int, optimizer: Any, schedule: dict[str, Any], clip: float | None, **base: Any
    ) -> None:
        super().__init__(**base)
        if rollout_steps < 1:
            raise ConfigError(f"supervised training needs rollout_steps of at least 1, found {rollout_steps}")
        self.rollout_steps = rollout_steps
        self.optimizer = optimizer
        self.schedule = make_schedule(dict(schedule))
        self.clip = clip

    def window(self, emulator: Autoregressive) -> tuple[int, int]:
        """The emulator's context and r steps."""
        return emulator.context_range[0], self.rollout_steps

    def loss(self, emulator: Autoregressive, batch: Batch, *, system: Any, rng: UpdateRandom, step: int) -> Tensor:
        """[S]; see the class."""
        r = self.rollout_steps
        prediction = emulator.rollout(emulator.encode(batch.context), batch.times[:, :, :r])
        return scaled_error(prediction, batch.target[:, :, :r], emulator, batch.context).square().flatten(1).mean(1)

    def engine(self, problem: Problem) -> Engine:
        """Autograd."""
        return Autograd(problem, self.optimizer, self.schedule, self.clip)
