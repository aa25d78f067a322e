"""Statistics and verdicts against statsmodels, scipy, dysts and a plain 0-1 test."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import yaml

from strangecast.systems.validity.adf import adf, adf_p
from strangecast.systems.validity.kpss import kpss, kpss_p
from strangecast.systems.validity.mutual_information import first_minimum, information
from strangecast.systems.validity.panel import run_panel
from strangecast.systems.validity.power_spectrum import count_peaks
from strangecast.systems.validity.stationarity import stationarity
from strangecast.systems.validity.trajectory_decay import trajectory_decay
from strangecast.systems.validity.zero_one import growth
from strangecast.workflow.compose import CONF

from . import valid_series as series

PANDA = yaml.safe_load((CONF / "validity" / "panda.yaml").read_text(encoding="utf-8"))


def quietly(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def noisy(kind: str, n: int, seed: int) -> np.ndarray:
    """Series [n] on which statsmodels' own regression is well conditioned."""
    noise = np.random.default_rng(seed).normal(size=n)
    if kind == "white":
        return noise
    if kind == "walk":
        return np.cumsum(noise)
    if kind == "trend":
        return noise + 5 * np.arange(n) / n
    x = np.zeros(n)
    for t in range(2, n):  # an oscillation with memory
        x[t] = 1.6 * x[t - 1] - 0.85 * x[t - 2] + noise[t]
    return x + 100.0


KINDS = ("white", "walk", "trend", "oscillation")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "seed"), [(50, 0), (333, 1), (1500, 2), (4096, 3)])
def test_adf_equals_statsmodels(kind, n, seed):
    from statsmodels.tsa.stattools import adfuller

    x = noisy(kind, n, seed)
    theirs = quietly(adfuller, x, autolag="AIC")
    statistic, lag = adf(x)
    assert lag == theirs[2]
    assert statistic == pytest.approx(theirs[0], rel=1e-8)
    assert adf_p(statistic) == pytest.approx(theirs[1], rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("name", ["Lorenz", "Chua", "Halvorsen"])
def test_adf_equals_statsmodels_on_flows(name):
    from statsmodels.tsa.stattools import adfuller

    for x in series.flow(name).T:
        theirs = quietly(adfuller, x, autolag="AIC")
        statistic, lag = adf(x)
        assert lag == theirs[2]
        assert statistic == pytest.approx(theirs[0], rel=1e-5)


def test_adf_of_a_smooth_flow_equals_a_qr_in_extended_precision():
    # Where differences at many lags are nearly dependent, the pseudo-inverse of statsmodels loses three digits.
    x = series.flow("SprottS")[:, 0]
    statistic, lag = adf(x)
    assert (statistic, lag) == (pytest.approx(_extended_adf(x, lag), rel=1e-6), lag)


def _extended_adf(x: np.ndarray, lag: int) -> float:
    """t-value of the level by Householder reflections in long double."""
    x = x.astype(np.longdouble)
    steps, t = np.diff(x), np.arange(lag, len(x) - 1)
    a = np.column_stack([np.ones(len(t)), *(steps[t - i] for i in range(1, lag + 1)), x[t], steps[t]])
    for j in range(a.shape[1]):
        v = a[j:, j].copy()
        v[0] += np.copysign(np.sqrt(v @ v), v[0])
        v /= np.sqrt(v @ v)
        a[j:, j:] -= 2 * np.outer(v, v @ a[j:, j:])
    k = lag + 1
    return float(a[k, k + 1] * np.sign(a[k, k]) / (abs(a[k + 1, k + 1]) / np.sqrt(len(t) - lag - 2)))


@pytest.mark.parametrize("statistic", [-30.0, -18.0, -5.0, -2.86, -1.62, -1.6, 0.0, 2.7, 3.0])
def test_adf_p_is_mackinnons(statistic):
    from statsmodels.tsa.adfvalues import mackinnonp

    assert adf_p(statistic) == pytest.approx(mackinnonp(statistic, "c"), rel=1e-10, abs=1e-300)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "seed"), [(40, 4), (1000, 5), (4096, 6)])
def test_kpss_equals_statsmodels(kind, n, seed):
    from statsmodels.tsa.stattools import kpss as theirs

    x = noisy(kind, n, seed)
    wanted = quietly(theirs, x, "c")
    statistic, bandwidth = kpss(x)
    assert bandwidth == wanted[2]
    assert statistic == pytest.approx(wanted[0], rel=1e-9)
    assert kpss_p(statistic) == pytest.approx(wanted[1], rel=1e-9)


def test_predictable_series_have_no_statistic_and_count_as_unit_roots():
    t = np.arange(2000.0)
    assert math.isnan(adf(3 * t + 1)[0])
    assert math.isnan(adf(np.cos(0.06 * t))[0])
    assert adf_p(math.nan) == 1.0
    assert not stationarity(t[:, None], adf_level=0.05, max_trend=None).passed


def plain_information(x: np.ndarray, y: np.ndarray, density: bool) -> float:
    p, _, _ = np.histogram2d(x, y, 64, density=density)
    if not density:
        p /= p.sum()
    px, py = p.sum(axis=1), p.sum(axis=0)
    i, j = np.nonzero(p)
    return float((p[i, j] * (np.log(p[i, j]) - np.log(px[i]) - np.log(py[j]))).sum())


@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("delay", [1, 7, 30])
def test_mutual_information_equals_numpys_histogram(density, delay):
    x = series.flow("Lorenz")[:, 0].copy()
    x[3], x[-2] = 25.0, -25.0  # extremes that some delays lose
    assert information(x, delay, density=density) == pytest.approx(
        plain_information(x[:-delay], x[delay:], density), rel=1e-9
    )


def test_bins_on_edges_are_numpys():
    x = np.tile(np.arange(65.0), 9) / 64  # every value lies on an edge
    for delay in (1, 5):
        assert information(x, delay) == pytest.approx(plain_information(x[:-delay], x[delay:], False), rel=1e-12)


@pytest.mark.parametrize("name", ["Lorenz", "Rossler", "Chua", "Thomas", "Aizawa"])
def test_delays_equal_dysts(name):
    from dysts.analysis import optimal_delay

    x = series.flow(name)[:, 0]
    assert first_minimum(x, density=True) == optimal_delay(x)


def plain_growth(x: np.ndarray, c: float) -> float:
    """K(c), as in section 3 of Gottwald and Melbourne, with nothing rearranged."""
    n = np.arange(1, len(x) + 1)
    p, q = np.cumsum(x * np.cos(c * n)), np.cumsum(x * np.sin(c * n))
    lags = np.arange(1, int(0.1 * len(x)) + 1)
    displacement = [np.mean((p[k:] - p[:-k]) ** 2 + (q[k:] - q[:-k]) ** 2) for k in lags]
    return float(np.corrcoef(lags, displacement)[0, 1])


@pytest.mark.parametrize("n", [20, 157, 900])
@pytest.mark.parametrize("level", [0.0, 50.0])
def test_growth_equals_the_definition(n, level):
    c = np.random.default_rng(7).uniform(np.pi / 5, 4 * np.pi / 5, 12)
    logistic = np.empty(n)
    logistic[0] = 0.3
    for i in range(n - 1):
        logistic[i + 1] = 3.97 * logistic[i] * (1 - logistic[i])
    for x in (logistic + level, np.cos(1.1 * np.arange(n)) + level):
        np.testing.assert_allclose(growth(x, c), [plain_growth(x, ci) for ci in c], atol=1e-7)


def test_growth_tells_a_chaotic_map_from_a_rotation():
    c = np.random.default_rng(8).uniform(np.pi / 5, 4 * np.pi / 5, 100)
    x = np.empty(2000)
    x[0] = 0.3
    for i in range(1999):
        x[i + 1] = 3.97 * x[i] * (1 - x[i])
    assert np.median(growth(x - x.mean(), c)) > 0.95
    assert abs(np.median(growth(np.cos(2.39996 * np.arange(2000)), c))) < 0.1


@pytest.mark.parametrize("name", ["Lorenz", "Rossler", "HyperRossler", "Torus"])
def test_peaks_equal_scipys(name):
    from scipy.signal import find_peaks

    for x in series.flow(name).T:
        power = np.abs(np.fft.rfft(x)) ** 2
        for share in (1e-2, 1e-5, 1e-9):
            least = max(share * power.max(), power.min())
            assert count_peaks(power, share, share) == len(find_peaks(power, height=least, prominence=least)[0])


def test_flat_tops_count_once():
    x = np.array([0.0, 1.0, 1.0, 0.5, 0.5, 2.0, 2.0])
    assert count_peaks(x, 0.1, 0.1) == 1


SUITE = {
    "drift": series.drift, "ramp": series.ramp, "approach": series.approach, "escape": series.escape,
    "slow spiral": lambda: series.spiral(-1.0), "spiral to rest": lambda: series.spiral(-9.0),
    "spiral outwards": lambda: series.spiral(20.0), "cycle": series.cycle, "relaxation": series.relaxation,
    "settling": series.settling, "torus": series.torus, "linear": series.linear, "rest": series.rest,
    "stuck": series.stuck, "copies": series.copies,
} | {
    name: (lambda name=name: series.flow(name))
    for name in ("Lorenz", "Rossler", "Chua", "HyperXu", "DequanLi", "HyperCai", "Bouali2", "Torus", "Thomas")
}  # fmt: skip


@pytest.mark.parametrize("name", SUITE)
def test_verdicts_of_the_panda_preset_are_those_of_dysts(name):
    from dysts import attractor

    values = SUITE[name]()
    x = values.T.copy()
    ours = {test: v.passed for test, v in run_panel(values, PANDA, None).items()}
    np.random.seed(0)  # dysts draws from the global state
    theirs = {
        "boundedness": attractor.check_boundedness(x, 1e4, 15),
        "not_linear": attractor.check_not_linear(x, 0.99),
        "fixed_point": attractor.check_not_fixed_point(x, 0.1, 1e-3),
        "power_spectrum": attractor.check_power_spectrum(x, 1e-5, 1e-5, 4),
        "zero_one": quietly(attractor.check_zero_one_test, x, 0.2, "score"),
        "stationarity": quietly(attractor.check_stationarity, x, 0.05),
    }
    assert ours == {test: bool(passed) for test, passed in theirs.items()}


def test_decay_by_steps_is_that_of_dysts():
    from dysts.attractor import check_not_trajectory_decay

    for values in (series.spiral(-4.0), series.spiral(-20.0), series.flow("Lorenz"), series.stuck()):
        ours = trajectory_decay(values, min_ratio=None, min_step=1e-3).passed
        assert ours == check_not_trajectory_decay(values.T)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_verdicts_near_the_threshold_flip_where_those_of_statsmodels_do(seed):
    from statsmodels.tsa.stattools import adfuller
    from statsmodels.tsa.stattools import kpss as theirs

    # From an oscillation to a walk: somewhere on the way both tests change their minds.
    oscillation, walk = noisy("oscillation", 800, seed), noisy("walk", 800, seed + 50)
    verdicts = []
    for weight in np.linspace(0.0, 1.0, 60):
        x = (1 - weight) * standard_of(oscillation) + weight * standard_of(walk)
        wanted = not (quietly(adfuller, x, autolag="AIC")[1] >= 0.05 and quietly(theirs, x, "c")[1] < 0.05)
        assert stationarity(x[:, None], adf_level=0.05, max_trend=None).passed == wanted
        verdicts.append(wanted)
    assert len(set(verdicts)) == 2


def standard_of(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / x.std()


@pytest.mark.parametrize("level", [0.0105, 0.05, 0.1])
def test_levels_of_kpss_are_those_of_its_table(level):
    from statsmodels.tsa.stattools import kpss as theirs

    verdicts = []
    for slope in np.linspace(0.0, 1.2, 25):
        x = noisy("white", 500, 9) + slope * np.arange(500) / 500
        verdicts.append(quietly(theirs, x, "c")[1] >= level)
        # No p-value of ADF is below 0, so that KPSS alone decides.
        assert stationarity(x[:, None], kpss_level=level, adf_level=0.0, max_trend=None).passed == verdicts[-1]
    assert len(set(verdicts)) == 2
