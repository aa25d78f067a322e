"""Does the trajectory drift?"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.systems.validity.adf import adf, adf_p
from strangecast.systems.validity.kpss import kpss, kpss_p
from strangecast.systems.validity.record import Record, as_record
from strangecast.systems.validity.verdict import Verdict

_COSINES = 12
_BLOCKS = 128
_LEAST = 32
_STEADY = 0.3


def stationarity(
    values: np.ndarray | Record,
    kpss_level: float = 0.05,
    adf_level: float | None = None,
    max_trend: float | None = 0.7,
    allow_constant: bool = True,
) -> Verdict:
    """Fail a trajectory if in some channel every criterion that is switched on denies stationarity.

    1. KPSS (null: constant level) rejects at ``kpss_level``.
    2. With ``adf_level``: augmented Dickey-Fuller (null: unit root) does not reject at that level.
    3. With ``max_trend``: the level moves steadily one way and the *trend share* exceeds it. Of the power in the twelve
       slowest cosines, X_j = mean_t x_t cos(pi j (t + 1/2) / T), it is the share of the first, X_1^2 / sum_j X_j^2:
       0.985 for a ramp, 0.84 for a step in the middle, about 0.6 on average for a random walk, 1/12 on average for a
       stationary series; all that happens faster than T / 6 has no part in it. Steadily means that each step between
       the means of consecutive fourths of the record, and of consecutive fifths, is at least 0.3 of the average step.

    The first two alone are the test of dysts and Panda, with 0.05 for both. They reject one in twenty trajectories of
    catalogued chaotic flows of 32 turns, and one in ten of 15: a record of some tens of turns holds only a handful of
    lobe switches, which look like changes of level, and the bandwidth of KPSS, a few tens of samples, is short against
    even one turn. The third asks whether the slow part of the record is a trend rather than switching, without any
    assumption on what is fast; it rejects none of 2063 trajectories of default flows of 32 turns, and five of 15. The
    default is the first and the third: ADF calls an oscillation on a ramp stationary more often than not, so that
    asking for both hides drifts. docs/validity.md has the figures.

    The statistic is the largest trend share of a steady drift, or p-value of ADF where ``max_trend`` is None, of the
    channels that KPSS denounces; 0 where it denounces none. Criteria are asked in the order KPSS, trend, ADF, each only
    where the ones before it leave the verdict open.

    Sources: U. K. Mueller, M. W. Watson, Econometrica 76 (2008) 979 (low-frequency cosines); those in :mod:`kpss` and
    :mod:`adf`; Panda (arXiv 2505.13755).

    Args:
        values: [T, C, *grid] or its record.
        kpss_level: level of KPSS, between 0.01 and 0.1, where its p-value is tabulated.
        adf_level: level of ADF, or None.
        max_trend: largest allowed trend share, or None.
        allow_constant: whether a channel that never moves is stationary.

    Raises:
        ConfigError: a level of KPSS outside its table, or nothing beside KPSS.
    """
    if not 0.01 < kpss_level <= 0.1:
        raise ConfigError(f"stationarity.kpss_level is {kpss_level}; p-values are tabulated from above 0.01 to 0.1")
    if adf_level is None and max_trend is None:
        raise ConfigError("stationarity needs adf_level, max_trend or both")
    threshold = adf_level if max_trend is None else max_trend
    record = as_record(values)
    if not record.finite or record.length < _LEAST:
        return Verdict(False, float("nan"), threshold, "too short" if record.finite else "not finite")
    if not record.moving.all() and not allow_constant:
        return Verdict(False, float("nan"), threshold, f"{record.names(np.flatnonzero(~record.moving))} constant")
    worst, drifting = 0.0, []
    for i in np.flatnonzero(record.moving):
        x = record.series[i]
        if kpss_p(kpss(x)[0]) >= kpss_level:
            continue
        statistic = None
        if max_trend is not None:
            statistic = trend_share(x) if _steady(x) else 0.0
            if statistic <= max_trend:
                worst = max(worst, statistic)
                continue
        if adf_level is not None:
            unit_root = adf_p(adf(x)[0])
            if unit_root < adf_level:
                worst = worst if max_trend is not None else max(worst, unit_root)
                continue
            statistic = unit_root if statistic is None else statistic
        worst = max(worst, statistic)
        drifting.append(i)
    return Verdict(not drifting, float(worst), threshold, record.names(np.array(drifting)) if drifting else "")


def trend_share(x: np.ndarray) -> float:
    """Share of the first cosine in the power of the twelve slowest, from the means of at most 128 blocks of ``x``."""
    blocks = min(_BLOCKS, len(x))
    bounds = np.linspace(0, len(x), blocks + 1).astype(np.int64)
    means = np.add.reduceat(x - x.mean(), bounds[:-1]) / np.diff(bounds)
    power = (_cosines(blocks) @ means) ** 2
    return float(power[0] / power.sum()) if power.sum() > 0 else 0.0


def _steady(x: np.ndarray) -> bool:
    """Whether the means of fourths, and of fifths, of ``x`` rise or fall step by step, none much less than another."""
    for parts in (4, 5):
        means = np.array([piece.mean() for piece in np.array_split(x, parts)])
        rise = means[-1] - means[0]
        if rise == 0 or (np.diff(means) / rise).min() * (parts - 1) < _STEADY:
            return False
    return True


@lru_cache(maxsize=64)
def _cosines(n: int) -> np.ndarray:
    """[12, n]: cos(pi j (t + 1/2) / n), j = 1 .. 12."""
    return np.cos(np.pi / n * np.outer(np.arange(1, _COSINES + 1), np.arange(n) + 0.5))
