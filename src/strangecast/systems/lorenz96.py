"""Lorenz' model of 1996: waves around a circle of latitude, on any number of sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.systems.ode_system import OdeSystem


class Lorenz96(OdeSystem):
    """``x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + forcing``, indices around the circle.

    Args:
        name: of the system.
        dim: number of sites, at least 4.
        period, parameters: as in the base class.
        initial_condition: one number per site; None for an irregular one.

    Source: E. N. Lorenz, Predictability: a problem partly solved, ECMWF Seminar on Predictability (1996) 1.
    """

    constants = ("forcing",)

    def __init__(
        self,
        name: str,
        *,
        dim: int,
        period: float,
        parameters: Mapping[str, float],
        initial_condition: Sequence[float] | None = None,
    ) -> None:
        if not isinstance(dim, int) or dim < 4:
            raise ConfigError(f"system '{name}' needs dim, a whole number of at least 4, found {dim!r}")
        self.coordinates = tuple(f"x{i}" for i in range(dim))
        if initial_condition is None:  # irregular, of about the mean and spread at forcing 8
            initial_condition = 2.4 + 5.0 * np.sin(np.arange(dim) ** 2)
        super().__init__(name, period=period, initial_condition=initial_condition, parameters=parameters)

    def equations(self, t: Any, state: Any, parameters: Any) -> Any:
        """Time derivatives."""
        (forcing,) = parameters
        return (np.roll(state, -1) - np.roll(state, 2)) * np.roll(state, 1) - state + forcing
