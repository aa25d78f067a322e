"""The units a score is measured in: context, climate, sampling interval and Lyapunov exponent of every window."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from strangecast.core.errors import DataError

CONTEXT_FLOOR = 1e-3


@dataclass(frozen=True)
class Scale:
    """What turns physical values of ``B`` windows with ``C`` channels into scores.

    Attributes:
        context_mean: [B, C], mean of the context.
        context_std: [B, C], positive: standard deviation of the context, floored as :func:`window_scale` says.
        climate_mean: [B, C], mean of the dataset's clean training split.
        climate_std: [B, C], its standard deviation; 0 where a channel never changes.
        dt: [B], sampling interval.
        lyapunov: [B], largest exponent per time unit, NaN where unknown.
        context: [B, T, C, *grid], the context itself; None where nobody kept it.
    """

    context_mean: np.ndarray
    context_std: np.ndarray
    climate_mean: np.ndarray
    climate_std: np.ndarray
    dt: np.ndarray
    lyapunov: np.ndarray
    context: np.ndarray | None = None

    def standardise(self, values: np.ndarray) -> np.ndarray:
        """[S, B, H, C, *grid]: values less the context's mean, in units of its standard deviation."""
        grid = values.ndim - 4
        return (values - per_channel(self.context_mean, grid)) / per_channel(self.context_std, grid)

    def of(self, windows: slice | np.ndarray) -> Scale:
        """The scale of some of the windows."""
        held = (getattr(self, f.name) for f in fields(self))
        return Scale(*(None if values is None else values[windows] for values in held))

    def standardised(self) -> Scale:
        """The scale that belongs to values after :meth:`standardise`."""
        return replace(
            self,
            context_mean=np.zeros_like(self.context_mean),
            context_std=np.ones_like(self.context_std),
            climate_mean=(self.climate_mean - self.context_mean) / self.context_std,
            climate_std=self.climate_std / self.context_std,
            context=None if self.context is None else self.standardise(self.context[None])[0],
        )

    def naive_error(self, lag: int = 1) -> np.ndarray:
        """[B, C], mean |x(t) - x(t - lag)| of the context: the error of a forecast that repeats the value ``lag`` ago.

        Floored as the standard deviation of the context is (see :func:`window_scale`), so never 0.

        Raises:
            DataError: the context was not kept, or is not longer than ``lag``.
        """
        T = 0 if self.context is None else self.context.shape[1]
        if not 0 < lag < T:
            raise DataError(f"a naive error with lag {lag} needs a context of at least {lag + 1} samples, found {T}")
        steps = np.abs(self.context[:, lag:] - self.context[:, :-lag])
        by_channel = np.ascontiguousarray(np.moveaxis(steps, 2, 1)).reshape(*self.climate_std.shape, -1)
        return floored(by_channel.sum(axis=-1) / by_channel.shape[-1], self.climate_std)

    @property
    def lyapunov_steps(self) -> np.ndarray:
        """[B], Lyapunov times per sample; NaN where the exponent is unknown or not positive."""
        known = np.where(self.lyapunov > 0, self.lyapunov, np.nan)
        return self.dt * known


def window_scale(
    context: np.ndarray, climate_mean: np.ndarray, climate_std: np.ndarray, dt: np.ndarray, lyapunov: np.ndarray
) -> Scale:
    """The scale of windows.

    A channel that stands still in the context would be divided by nothing, so its standard deviation is at least
    ``CONTEXT_FLOOR`` (a thousandth) of the climate's, and 1 physical unit where the climate has none either.

    Args:
        context: [B, T, C, *grid].
        climate_mean, climate_std: [B, C].
        dt: [B].
        lyapunov: [B], NaN where unknown.
    """
    axes = (1, *range(3, context.ndim))
    std = floored(context.std(axis=axes), climate_std)
    return Scale(context.mean(axis=axes), std, climate_mean, climate_std, dt, lyapunov, context)


def floored(size: np.ndarray, climate_std: np.ndarray) -> np.ndarray:
    """Sizes [B, C] of channels of a context, at least ``CONTEXT_FLOOR`` climate deviations; 1 where both are 0."""
    floor = CONTEXT_FLOOR * climate_std
    return np.where(size > floor, size, np.where(floor > 0, floor, 1.0))


def per_channel(values: np.ndarray, grid: int) -> np.ndarray:
    """[B, C] as [B, 1, C, *(1,) * grid], to broadcast over [S, B, H, C, *grid]."""
    return values.reshape(values.shape[0], 1, values.shape[1], *(1,) * grid)
