"""The least that draws samples: a random walk from the last state seen."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from strangecast.emulators.base import Can, Emulator
from tests.unit.evaluation.synthetic import block_plan


class Walk(Emulator):
    """Every step adds independent normal numbers of deviation ``step``; without samples it stays where it is."""

    can: ClassVar[Can] = Can(grid=(0, 1, 2, 3), pooled=True, irregular=True, probabilistic=True)

    def __init__(self, specs=(), *, step: float) -> None:
        super().__init__(specs)
        self.size = step

    def forecast(self, context, times, *, samples=None, rng=None):
        """[N, S, B, H, C, *grid]."""
        self.check_context(context, samples)
        state = context.values[:, :, -1].expand(self.S, *context.values[:, :, -1].shape[1:])
        if samples is None:
            return state[:, :, None].expand(-1, -1, times.shape[2], *state.shape[2:]).clone()
        steps = [state.expand(samples, *state.shape)]
        for h in range(times.shape[2]):
            steps.append(steps[-1] + self.size * rng.normal(f"step {h}", *state.shape[2:]).to(state))
        return torch.stack(steps[1:], 3)


def walk_plan(samples: int | None = 6, step: float = 0.3, seeds: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """Block plan of walks, one run per seed, used on all datasets."""
    plan = block_plan("persistence", None, [(None, s) for s in seeds])
    folder = "runs/none/walk/none/base-all"
    plan["emulator"] = {
        "name": "walk",
        "config": {"_target_": "tests.unit.evaluation.walk.Walk", "step": step},
        "can": Walk.can.to_yaml(),
        "gpu": False,
        "samples": samples,
    }
    for m, seed in zip(plan["members"], seeds, strict=True):
        m |= {"run_id": f"walk-{seed}", "stream_key": 100 + seed, "static_key": f"walk-{seed}-{step}"}
    plan["suites"]["waves"]["forecast_folder"] = f"{folder}/waves"
    return plan | {"folder": folder}
