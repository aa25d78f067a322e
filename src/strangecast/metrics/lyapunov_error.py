"""How far the largest Lyapunov exponent of a forecast is from the truth's."""

from __future__ import annotations

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.metrics.attractors import by_window
from strangecast.metrics.lyapunov_rosenstein import lyapunov_rosenstein, lyapunov_rosenstein_dysts
from strangecast.metrics.scale import Scale
from strangecast.metrics.spectrum import mean_period

DEFINITIONS = ("corrected", "dysts")


def lyapunov_error(
    truth: np.ndarray,
    forecast: np.ndarray,
    scale: Scale,
    definition: str = "corrected",
    relative: bool = False,
    follow: int | None = None,
) -> np.ndarray:
    """|exponent of the forecast - that of the truth|, both estimated from as many samples (the horizon in the table).

    The estimate is that of ``lyapunov_rosenstein``, with one turn of the truth for both, so that much of its bias cancels;
    what remains is in the floor. ``relative: true`` divides by the system's exponent from its equations.

    Known values: the truth scores 0; a forecast that stands still or repeats itself exactly scores the truth's exponent.

    Args:
        truth: [B, H, C, *grid].
        forecast: [S, B, H, C, *grid].
        scale: gives the climate, in whose deviations distances are measured, dt and the exponent.
        definition: ``corrected`` or ``dysts``.
        relative: whether to divide.
        follow: steps for which neighbours are followed (see the definitions).

    Returns:
        [S, B], at least 0, in 1 / time or in exponents, lower is better; infinite where the forecast diverged; NaN
        (undefined), if relative, where the exponent is unknown or not positive.

    Raises:
        ConfigError: another definition.
    """
    if definition not in DEFINITIONS:
        raise ConfigError(unknown("definition of a Lyapunov exponent", definition, DEFINITIONS))

    def exponent(x: np.ndarray, dt: float, turn: int) -> float:
        if definition == "dysts":
            return lyapunov_rosenstein_dysts(x, dt, 20 if follow is None else follow)
        return lyapunov_rosenstein(x, dt, turn, follow)

    def reference(true: np.ndarray, b: int) -> tuple[float, int, float]:
        dt, turn = float(scale.dt[b]), mean_period(true)
        return dt, turn, exponent(true, dt, turn)

    def compare(held: tuple[float, int, float], mine: np.ndarray) -> float:
        return abs(exponent(mine, *held[:2]) - held[2])

    found = by_window(truth, forecast, scale, reference, compare, np.inf)
    return found / np.where(scale.lyapunov > 0, scale.lyapunov, np.nan) if relative else found


def defined(
    truth: np.ndarray,
    scale: Scale,
    definition: str = "corrected",
    relative: bool = False,
    follow: int | None = None,
) -> np.ndarray:
    """[B] of bool: the system's exponent is known, if it is needed."""
    return scale.lyapunov > 0 if relative else np.full(len(truth), True)
