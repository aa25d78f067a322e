"""Options of conf/ for the contract tests, and small data for whatever they describe."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from strangecast.core.context import Context
from strangecast.core.spec import Channel, Spec
from strangecast.core.streams import stream
from strangecast.emulators.base import Emulator
from strangecast.emulators.build import build
from strangecast.workflow.compose import Registry
from strangecast.workflow.plan import EMULATOR_META, TRAINING_META

REGISTRY = Registry()
DT = 0.1


@cache
def config(group: str, name: str, scale: str = "smoke") -> dict:
    """What ``_target_`` is called with."""
    meta = {"emulator": EMULATOR_META, "training": TRAINING_META}[group]
    return {k: v for k, v in REGISTRY.option(group, name, scale).items() if k not in meta}


def spec(can: dict) -> Spec:
    C = 3 if can["channels"] == "any" else can["channels"]
    grid = (8,) * int(can["grid"][0][0])
    return Spec(tuple(Channel(f"x{c}") for c in range(C)), grid=grid, dt=DT, context_range=(1, 64), lyapunov=1.0)


def make(name: str, S: int = 3, *, seed: int = 0) -> Emulator:
    """An emulator at smoke scale with S members, normaliser and closed forms fitted, ready to forecast."""
    can = REGISTRY.option("emulator", name, "smoke")["can"]
    if can["learns"] == "none":
        return build(config("emulator", name))
    one = spec(can)
    emulator = build(config("emulator", name), [one] * S)
    segments = [[series(one, s, 200)] for s in range(S)]
    emulator.fit_normaliser(segments)
    emulator.initialise([stream("contract", seed, s) for s in range(S)])
    if can["learns"] == "fit":
        emulator.fit(segments)
    return emulator


def series(one: Spec, number: int, T: int) -> np.ndarray:
    """[T, C, *grid]: smooth and bounded, channels of different offset and size."""
    draws = stream("contract series", number)
    phase = draws.uniform(0, 6, (2, one.C, *one.grid))
    rate = draws.uniform(0.05, 0.3, (2, one.C, *one.grid))
    t = np.arange(T).reshape(-1, 1, *(1,) * len(one.grid))
    size = (1.0 + np.arange(one.C)).reshape(1, -1, *(1,) * len(one.grid))
    return size * (np.sin(rate[0] * t + phase[0]) + np.sin(rate[1] * t + phase[1])) + 2 * size


def windows(one: Spec, B: int, T: int, H: int, first: int = 100) -> tuple[Context, torch.Tensor, torch.Tensor]:
    """Context [1, B, T], times [1, B, H] and target [1, B, H] of B windows of different series."""
    values = torch.from_numpy(np.stack([series(one, first + b, T + H) for b in range(B)]))[None]
    times = (torch.arange(T + H, dtype=torch.float64) * DT).expand(1, B, T + H)
    state = values[:, :, T - 1].flatten(3) if one.grid else values[:, :, T - 1]
    return Context(values[:, :, :T], times[:, :, :T], state=state), times[:, :, T:], values[:, :, T:]
