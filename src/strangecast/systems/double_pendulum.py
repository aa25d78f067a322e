"""The plane double pendulum without friction."""

from __future__ import annotations

from typing import Any

import numpy as np

from strangecast.systems.ode_system import OdeSystem


class DoublePendulum(OdeSystem):
    """Point masses m1 and m2 on massless rods l1 and l2; angles from the downward vertical, and their rates.

    Lagrange's equations, with ``d = theta1 - theta2`` and ``n = 2 m1 + m2 - m2 cos 2d``::

        omega1' = (-g (2 m1 + m2) sin theta1 - m2 g sin(theta1 - 2 theta2)
                   - 2 m2 sin d (omega2^2 l2 + omega1^2 l1 cos d)) / (l1 n)
        omega2' = 2 sin d ((m1 + m2) (omega1^2 l1 + g cos theta1) + omega2^2 l2 m2 cos d) / (l2 n)

    Angles and rates are what recordings of real pendula hold. The angles may turn over and grow without bound; sines and
    cosines are observed, which say where the arms are without a jump. The energy is conserved.
    """

    coordinates = ("theta1", "theta2", "omega1", "omega2")
    constants = ("m1", "m2", "l1", "l2", "g")
    unbounded = ("theta1", "theta2")
    channels = ("sin_theta1", "cos_theta1", "sin_theta2", "cos_theta2", "omega1", "omega2")

    def equations(self, t: Any, state: Any, parameters: Any) -> Any:
        """Time derivatives."""
        theta1, theta2, omega1, omega2 = state
        m1, m2, l1, l2, g = parameters
        d = theta1 - theta2
        n = 2 * m1 + m2 - m2 * np.cos(2 * d)
        weight = g * (2 * m1 + m2) * np.sin(theta1) + m2 * g * np.sin(theta1 - 2 * theta2)
        pull = 2 * m2 * np.sin(d) * (omega2**2 * l2 + omega1**2 * l1 * np.cos(d))
        push = (m1 + m2) * (omega1**2 * l1 + g * np.cos(theta1)) + omega2**2 * l2 * m2 * np.cos(d)
        return omega1, omega2, -(weight + pull) / (l1 * n), 2 * np.sin(d) * push / (l2 * n)

    def observed(self, state: Any, parameters: Any) -> Any:
        """Sines and cosines of the angles, and the rates."""
        theta1, theta2, omega1, omega2 = state
        return np.sin(theta1), np.cos(theta1), np.sin(theta2), np.cos(theta2), omega1, omega2
