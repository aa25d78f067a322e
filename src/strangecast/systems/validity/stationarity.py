"""Does the trajectory drift?"""

from __future__ import annotations

import warnings

import numpy as np

from strangecast.systems.validity.verdict import Verdict, columns

_KPSS_1_PERCENT = 0.739


def stationarity(values: np.ndarray, max_drift: float = 0.7, adf_level: float = 0.05) -> Verdict:
    """Fail a trajectory if, for some channel, KPSS and ADF both deny stationarity and the drift dominates.

    A channel is suspect where KPSS (null: constant level) rejects at 1 % and augmented Dickey-Fuller (null: unit
    root) does not reject at ``adf_level``. That pair alone rejects about one in twenty catalogued chaotic flows at
    their default parameters (Chua, Arneodo, HyperXu, ...): a record of some tens of turns holds only a handful of
    lobe switches, which look like level shifts. The verdict therefore weighs a suspect channel by its *drift share*,

        10 sum_t S_t^2 / (T^3 var) = KPSS * 10 (l + 1) / T,     S_t = sum of the first t centred samples,

    with l the bandwidth of the KPSS statistic: 1 for a straight ramp, whatever T and l; falling as 1/T for a
    stationary series however slowly it switches. Of four trajectories of 15 turns of each of the 129 default flows,
    five of four flows (BickleyJet, DequanLi, HyperCai, HyperXu) exceed 0.7, so the false rejections fall from one in
    twenty flows to one in a hundred trajectories. An oscillation on a ramp four standard deviations high has 0.78;
    random walks have 0.5 to 0.95, and the milder half of them passes.

    Args:
        values: [T, C, *grid].
        max_drift: largest allowed drift share of a suspect channel.
        adf_level: level of the ADF test.
    """
    from statsmodels.tsa.stattools import adfuller, kpss

    x = columns(values)
    if not np.isfinite(x).all() or len(x) < 32:
        return Verdict(False, float("nan"), max_drift)
    largest = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for series in x.T:
            if np.ptp(series) <= 1e-10 * np.abs(series).max():
                continue
            series = (series - series.mean()) / series.std()
            statistic, _, bandwidth, _ = kpss(series, regression="c", nlags="auto")
            share = float(statistic) * 10 * (bandwidth + 1) / len(series)
            # ADF is the dear one (a regression for each lag length): it is asked only where it can decide.
            if (
                statistic > _KPSS_1_PERCENT
                and share > max(0.5 * max_drift, largest)
                and _has_unit_root(adfuller, series, adf_level)
            ):
                largest = share
    return Verdict(largest <= max_drift, largest, max_drift)


def _has_unit_root(adfuller, series: np.ndarray, level: float) -> bool:
    """Whether ADF with a constant fails to reject; a straight line has no residual for it to test and counts as one."""
    time = np.linspace(-1.0, 1.0, len(series))
    residual = series - time * (time @ series) / (time @ time)
    if residual.std() < 1e-8:
        return True
    return float(adfuller(series, autolag="AIC")[1]) >= level
