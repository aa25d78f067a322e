"""Robertson's chemical reaction, the classical stiff problem: rates differ by nine orders of magnitude."""

from __future__ import annotations

from typing import Any

from strangecast.systems.ode_system import OdeSystem


class Robertson(OdeSystem):
    """``a' = -k1 a + k2 b c``, ``b' = k1 a - k2 b c - k3 b^2``, ``c' = k3 b^2``.

    The sum of the three stays what it was; everything ends as c.

    Source: H. H. Robertson, in: J. Walsh (ed.), Numerical Analysis (1966), p. 178; E. Hairer, G. Wanner, Solving Ordinary
    Differential Equations II (1996), section IV.1.
    """

    coordinates = ("a", "b", "c")
    constants = ("k1", "k2", "k3")

    def equations(self, t: Any, state: Any, parameters: Any) -> Any:
        """Time derivatives."""
        a, b, c = state
        k1, k2, k3 = parameters
        slow, back, fast = k1 * a, k2 * b * c, k3 * b**2
        return back - slow, slow - back - fast, fast
