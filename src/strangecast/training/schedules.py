"""Learning-rate schedules: factors of the base rate as functions of the fraction of updates made."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from strangecast.core.errors import ConfigError, unknown

Schedule = Callable[[float], float]


def constant(final: float) -> Schedule:
    """Factor 1 throughout."""
    return lambda fraction: 1.0


def cosine(final: float) -> Schedule:
    """From 1 to ``final`` along half a cosine (Loshchilov and Hutter 2017)."""
    return lambda fraction: final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * min(fraction, 1.0)))


def exponential(final: float) -> Schedule:
    """From 1 to ``final`` by equal ratios."""
    return lambda fraction: final ** min(fraction, 1.0)


SCHEDULES = {"constant": constant, "cosine": cosine, "exponential": exponential}


def make_schedule(config: dict[str, Any]) -> Schedule:
    """Schedule from ``{name, final: 0.01, warmup: 0.0}``.

    ``final`` is the factor at the end; ``warmup`` the fraction of updates over which the rate rises linearly from 0,
    after which the schedule runs over the rest.

    Raises:
        ConfigError: an unknown name or key, or numbers outside (0, 1].
    """
    rest = dict(config)
    name, final, warmup = rest.pop("name"), rest.pop("final", 1.0), rest.pop("warmup", 0.0)
    if name not in SCHEDULES:
        raise ConfigError(unknown("learning-rate schedule", str(name), SCHEDULES))
    if rest:
        raise ConfigError(unknown("key of a learning-rate schedule", next(iter(rest)), ["name", "final", "warmup"]))
    if not 0.0 < final <= 1.0 or not 0.0 <= warmup < 1.0:
        raise ConfigError(f"a learning-rate schedule needs 0 < final <= 1 and 0 <= warmup < 1, found {final}, {warmup}")
    curve = SCHEDULES[name](final)

    def schedule(fraction: float) -> float:
        if fraction < warmup:
            return fraction / warmup
        return curve((fraction - warmup) / (1.0 - warmup))

    return schedule
