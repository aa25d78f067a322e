"""The losses of all trainings, written again by hand: NumPy in float64, one member, one window, one step at a time.

An oracle takes the emulator only for its one-step map and its stored scale; everything a training's definition says
about rollouts, weights and means is repeated here in loops. ``ORACLES[name]`` is
``oracle(step, training config, scale [C], context [B, T, C], target [B, H, C]) -> float``, where ``step(past)`` maps
states [T, C] to the next state [C] as differentiable tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Step = Callable[[Tensor], Tensor]


def supervised(step: Step, config: dict[str, Any], scale: Tensor, context: Tensor, target: Tensor) -> Tensor:
    """Mean over windows, steps and channels of the squared scaled error of a free rollout."""
    total, count = torch.zeros((), dtype=torch.float64), 0
    for b in range(len(context)):
        past = context[b]
        for t in range(config["rollout_steps"]):
            new = step(past)
            for c in range(len(new)):
                total = total + ((new[c] - target[b, t, c]) / scale[c]) ** 2
                count += 1
            past = torch.cat([past, new[None]])
    return total / count


def least_squares(step: Step, config: dict[str, Any], scale: Tensor, context: Tensor, target: Tensor) -> Tensor:
    """Mean squared scaled error of one step; the emulator's penalty is added by the test."""
    return supervised(step, {"rollout_steps": 1}, scale, context, target)


ORACLES = {"supervised": supervised, "least_squares": least_squares}
