"""Predators and prey (Lotka 1925, Volterra 1926)."""

from __future__ import annotations

from typing import Any

from strangecast.systems.ode_system import OdeSystem


class LotkaVolterra(OdeSystem):
    """``x' = a x - b x y``, ``y' = c x y - d y``.

    Every orbit is closed, so the largest exponent is zero; amplitude and period depend on where it starts.
    """

    coordinates = ("prey", "predators")
    constants = ("a", "b", "c", "d")
    lyapunov = 0.0

    def equations(self, t: Any, state: Any, parameters: Any) -> Any:
        """Time derivatives."""
        x, y = state
        a, b, c, d = parameters
        return a * x - b * x * y, c * x * y - d * y
