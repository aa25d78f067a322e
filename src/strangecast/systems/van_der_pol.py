"""The oscillator of van der Pol (Philosophical Magazine 2 (1926) 978): relaxation oscillations, stiff for large mu."""

from __future__ import annotations

from typing import Any

from strangecast.systems.ode_system import OdeSystem


class VanDerPol(OdeSystem):
    """``x' = y``, ``y' = mu (1 - x^2) y - x``.

    One limit cycle attracts everything but the origin, so the largest exponent is zero. Its period grows with mu.
    """

    coordinates = ("x", "y")
    constants = ("mu",)
    lyapunov = 0.0

    def equations(self, t: Any, state: Any, parameters: Any) -> Any:
        """Time derivatives."""
        x, y = state
        (mu,) = parameters
        return y, mu * (1 - x**2) * y - x
