"""A piece of solution of a delay equation: what the future depends on.

The state of a delay equation is a function on the last lag. It is kept as the integrator made it: consecutive pieces,
each a polynomial of degree 7 in the nested form of the Runge-Kutta method's own continuous extension, so that a
restart continues to the last bit of the stored function, and linear maps of the coordinates (rescaling a pair,
orthonormalising tangent vectors) act on it exactly.

Letters: M pieces, D coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from strangecast.core.errors import ConfigError

COEFFICIENTS = 8  # y at the start of the piece, then the seven of the nested form
_MOST_PIECES = 4096


@dataclass(frozen=True)
class Segment:
    """A function on ``[starts[0], end]``.

    Attributes:
        starts: [M], where pieces begin; each ends where the next begins.
        widths: [M].
        coefficients: [M, 8, D]: with ``x = (t - start) / width``, the value is
            ``c0 + x (c1 + (1-x) (c2 + x (c3 + (1-x) (c4 + ...))))``.
        breaks: (time, level): derivative number ``level + 1`` may jump there.
        step: the step the integrator would take next, NaN where it has not been here.
    """

    starts: np.ndarray
    widths: np.ndarray
    coefficients: np.ndarray
    breaks: tuple[tuple[float, int], ...] = ()
    step: float = np.nan

    @property
    def dim(self) -> int:
        """D."""
        return self.coefficients.shape[2]

    @property
    def end(self) -> float:
        """The present: the last time at which the function is known."""
        return float(self.starts[-1] + self.widths[-1])

    def __call__(self, times: np.ndarray) -> np.ndarray:
        """Values [..., D] at ``times`` [...] within the segment."""
        times = np.asarray(times, np.float64)
        piece = np.clip(np.searchsorted(self.starts, times, side="right") - 1, 0, len(self.starts) - 1)
        x = ((times - self.starts[piece]) / self.widths[piece])[..., None]
        return nested(np.moveaxis(self.coefficients[piece], -2, 0), x)

    def mapped(self, matrix: np.ndarray) -> Segment:
        """The function ``matrix [D', D] @ value``."""
        return Segment(self.starts, self.widths, self.coefficients @ np.asarray(matrix).T, self.breaks, self.step)

    def joined(self, other: Segment) -> Segment:
        """Both functions side by side, ``other`` with the same pieces."""
        both = np.concatenate([self.coefficients, other.coefficients], axis=2)
        return Segment(self.starts, self.widths, both, self.breaks, self.step)

    def since(self, time: float) -> Segment:
        """The pieces that reach beyond ``time``."""
        keep = self.starts + self.widths > time
        keep[-1] = True
        return Segment(self.starts[keep], self.widths[keep], self.coefficients[keep], self.breaks, self.step)


def nested(coefficients: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The nested form at ``x``: ``coefficients`` [8, ...] broadcast against ``x``."""
    value = np.zeros(np.broadcast_shapes(coefficients.shape[1:], np.shape(x)))
    for i in range(COEFFICIENTS - 1, 0, -1):
        value = (value + coefficients[i]) * (x if i % 2 else 1 - x)
    return value + coefficients[0]


def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Eight Chebyshev-Lobatto points of [0, 1] and the inverse of the nested form's values at them."""
    x = 0.5 - 0.5 * np.cos(np.pi * np.arange(COEFFICIENTS) / (COEFFICIENTS - 1))
    basis = np.stack([nested(row[:, None], x) for row in np.eye(COEFFICIENTS)], axis=1)
    return x, np.linalg.inv(basis)


_X, _TO_COEFFICIENTS = _nodes()


def segment_of(history: Callable[[float], np.ndarray] | np.ndarray | Segment, end: float, span: float) -> Segment:
    """A history on ``[end - span, end]`` in the integrator's form.

    Args:
        history: a value [D] held constant, a function of time that gives values [D], or a segment, which must end at
            ``end`` and reach back ``span``.
        end: the present.
        span: how far back it is needed.

    Raises:
        ConfigError: values are not finite or change shape, the function is too rough, or a segment does not fit.
    """
    if isinstance(history, Segment):
        slack = 1e-12 * max(abs(end), span)
        if abs(history.end - end) > slack or history.starts[0] > end - span + slack:
            raise ConfigError(
                f"a history is needed on [{end - span:g}, {end:g}], this one covers "
                f"[{history.starts[0]:g}, {history.end:g}]"
            )
        return history
    if callable(history):
        return _interpolated(history, end, span)
    value = _checked(history, end)
    coefficients = np.zeros((1, COEFFICIENTS, len(value)))
    coefficients[0, 0] = value
    return Segment(np.array([end - span]), np.array([span]), coefficients, ((end, 0),))


def _interpolated(history: Callable, end: float, span: float) -> Segment:
    """Pieces halved until the polynomial of degree 7 agrees with the function between its nodes."""
    dim = len(_checked(history(end), end))
    checks = 0.5 * (_X[1:] + _X[:-1])
    done: list[tuple[float, float, np.ndarray]] = []
    todo = [(end - span, span)]
    while todo:
        start, width = todo.pop()
        values = np.array([_checked(history(start + width * x), start, dim) for x in _X])
        coefficients = _TO_COEFFICIENTS @ values
        there = np.array([_checked(history(start + width * x), start, dim) for x in checks])
        error = np.abs(nested(coefficients[:, None, :], checks[:, None]) - there).max()
        if error <= 1e-13 * max(1.0, np.abs(values).max()):
            done.append((start, width, coefficients))
        elif len(done) + len(todo) < _MOST_PIECES:
            todo += [(start + width / 2, width / 2), (start, width / 2)]
        else:
            raise ConfigError(
                f"the history function is too rough near t = {start:g}: {_MOST_PIECES} polynomials do not follow it"
            )
    starts, widths, coefficients = zip(*done, strict=True)
    return Segment(np.array(starts), np.array(widths), np.array(coefficients), ((end, 0),))


def _checked(value: object, time: float, dim: int | None = None) -> np.ndarray:
    found = np.atleast_1d(np.asarray(value, np.float64))
    if found.ndim != 1 or (dim is not None and len(found) != dim):
        raise ConfigError(f"the history has shape {found.shape} at t = {time:g}, it must be [D] everywhere")
    if not np.isfinite(found).all():
        raise ConfigError(f"the history is not finite at t = {time:g}")
    return found
