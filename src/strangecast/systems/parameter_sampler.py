"""Parameter sets: number 0 is the catalogued one, the others are perturbed by signed Gaussian noise.

For every parameter ``p' = p + d`` with ``d ~ N(0, (scale |p|)^2 + floor^2)``; with probability ``sign_match`` d is
given the sign of p, so that the parameter grows in size. With probability ``ignore (1 - exp(-P))`` the set stays the
catalogued one. Draws are keyed by (system, parameter_index): a set can be made alone, and further sets change none.

Not perturbed are parameters that choose between equations (the kind of wall of the blinking flows), the clock of a skew
product and the entries that its coupling leaves out. All else is a coefficient, whole numbers too: the 10 and the 28 of
Lorenz are no counts, exponents such as that of a Hill function are defined between whole numbers as well, and dysts
stores both as integers. A lag that came out negative is taken by its size, since no history reaches into the future. A
set that makes no sense otherwise is rejected by the validity tests and counted.

Source of the rule: Lai, Bao and Gilpin, arXiv 2505.13755.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.streams import stream
from strangecast.systems.base import System

LAG = "tau"  # of the delay flows
SWITCHES = {"BlinkingRotlet": ("bc",), "BlinkingVortex": ("bc",)}


@dataclass(frozen=True)
class Perturbation:
    """Settings of the sampler (``perturb`` of a dataset's YAML).

    Attributes:
        scale: standard deviation in units of each parameter's size.
        sign_match: probability that a perturbation takes the sign of its parameter.
        ignore: probability that a system of many parameters is left as it is.
        floor: standard deviation that is added, in parameter units, so that zeros move too.
    """

    scale: float = 0.5
    sign_match: float = 0.5
    ignore: float = 0.2
    floor: float = 1e-3

    def __post_init__(self) -> None:
        if self.scale < 0 or self.floor < 0:
            raise ConfigError(f"perturb.scale {self.scale} and perturb.floor {self.floor} must not be negative")
        if not (0 <= self.sign_match <= 1 and 0 <= self.ignore <= 1):
            raise ConfigError(
                f"perturb.sign_match {self.sign_match} and perturb.ignore {self.ignore} are probabilities, 0 to 1"
            )

    @classmethod
    def from_config(cls, config: dict[str, Any] | None) -> Perturbation:
        """From the ``perturb`` part of a YAML.

        Raises:
            ConfigError: a key that the sampler does not have, or a value that cannot work.
        """
        for key in config or {}:
            if key not in cls.__dataclass_fields__:
                raise ConfigError(unknown("perturb setting", str(key), cls.__dataclass_fields__))
        return cls(**(config or {}))


def parameter_set(system: System, parameter_index: int, perturb: Perturbation, attempt: int = 0) -> np.ndarray:
    """Parameters [P] of one set.

    Args:
        system: its ``values`` are set 0; a skew product draws its coupling anew for every attempt after the first.
        parameter_index: 0 for the catalogued ones.
        perturb: how to perturb.
        attempt: which candidate for this set.
    """
    values = candidate(system, attempt)
    if parameter_index == 0:
        return values
    key = (attempt,) if attempt else ()
    rng = stream("parameters", system.name, parameter_index, *key)
    found = perturbed(values, perturbable(system), perturb, rng)
    if system.graph is not None and system.graph.lags:
        lags = np.array([name == LAG for name in system.parameters])
        found[lags] = np.abs(found[lags])
    return found


def perturbed(values: np.ndarray, free: np.ndarray, perturb: Perturbation, rng: np.random.Generator) -> np.ndarray:
    """``values`` [P] with noise on those that are ``free`` [P] of bool.

    As many numbers are drawn whatever is free, and the same ones for every scale.
    """
    stay = rng.random() < perturb.ignore * -np.expm1(-float(free.sum()))
    noise = rng.standard_normal(len(values)) * np.hypot(perturb.scale * np.abs(values), perturb.floor)
    match = rng.random(len(values)) < perturb.sign_match
    noise = np.where(match, np.sign(values) * np.abs(noise), noise)
    return values.copy() if stay else np.where(free, values + noise, values)


def perturbable(system: System) -> np.ndarray:
    """[P] of bool, the parameters that the sampler may change."""
    own = getattr(system, "perturbable", None)
    if own is not None:
        return own
    return np.array([name not in SWITCHES.get(system.name, ()) for name in system.parameters], bool)


def candidate(system: System, attempt: int) -> np.ndarray:
    """Parameters [P] that a set is perturbed from."""
    redraw = getattr(system, "redraw", None)
    return system.values.copy() if redraw is None or attempt == 0 else redraw(attempt)
