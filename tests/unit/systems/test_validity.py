"""Each validity test on its own: what it must reject, what it must pass, units, fields, short and broken records."""

from __future__ import annotations

import math

import numpy as np
import pytest

from strangecast.core.errors import ConfigError, DataError
from strangecast.systems.validity.boundedness import boundedness
from strangecast.systems.validity.divergence import divergence
from strangecast.systems.validity.fixed_point import fixed_point
from strangecast.systems.validity.limit_cycle import limit_cycle
from strangecast.systems.validity.lyapunov_sign import lyapunov_sign
from strangecast.systems.validity.not_linear import not_linear
from strangecast.systems.validity.panel import TESTS
from strangecast.systems.validity.power_spectrum import power_spectrum
from strangecast.systems.validity.record import Record
from strangecast.systems.validity.stationarity import stationarity, trend_share
from strangecast.systems.validity.trajectory_decay import trajectory_decay
from strangecast.systems.validity.transient import transient
from strangecast.systems.validity.verdict import Verdict
from strangecast.systems.validity.zero_one import zero_one

from . import valid_series as series

ALONE = {n: t for n, t in TESTS.items() if n not in ("lyapunov_sign", "same_attractor")}
N = np.arange(3000)


@pytest.fixture(scope="module")
def lorenz():
    return series.flow("Lorenz")


def alone(function):
    return pytest.mark.parametrize("test", ALONE.values(), ids=ALONE)(function)


@alone
def test_lorenz_passes(test, lorenz):
    verdict = test(lorenz)
    assert isinstance(verdict, Verdict)
    assert verdict.passed, verdict
    assert test(Record(lorenz)) == verdict == test(lorenz)


@alone
def test_units_and_offsets_do_not_matter(test, lorenz):
    plain, scaled = test(lorenz), test(lorenz * [1e-6, 1.0, 1e6] + [5.0, 0.0, -1e5])
    assert scaled.passed == plain.passed
    assert scaled.statistic == pytest.approx(plain.statistic, rel=1e-3, abs=1e-6)


@alone
def test_points_of_a_field_are_series_like_channels(test, lorenz):
    field = np.stack([lorenz, lorenz[::-1]], axis=2)  # [T, C, X]
    flat = field.reshape(len(lorenz), -1)
    ours, theirs = test(field), test(flat)
    assert (ours.passed, ours.statistic) == (theirs.passed, theirs.statistic)


@alone
@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 15, 31, 63])
def test_short_records_get_a_verdict(test, length, lorenz):
    verdict = test(lorenz[:length])
    assert isinstance(verdict.passed, bool)
    if length < 2 and test not in (limit_cycle, boundedness):
        assert not verdict.passed


@alone
@pytest.mark.parametrize("value", [0.0, 3.7, -1e9, 1e-300])
def test_rest_gets_a_verdict(test, value):
    verdict = test(np.full((500, 2), value))
    assert isinstance(verdict.passed, bool)
    if test in (boundedness, fixed_point, trajectory_decay, not_linear, zero_one, divergence, power_spectrum):
        assert not verdict.passed


@alone
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
def test_what_is_not_finite_fails(test, value, lorenz):
    broken = lorenz.copy()
    broken[700, 1] = value
    assert not test(broken).passed


@alone
def test_one_channel_alone_is_judged(test, lorenz):
    assert test(lorenz[:, :1]).passed


@pytest.mark.parametrize("values", [np.array(["a", "b"]), np.float64(3.0), np.zeros(4, complex), np.array([None])])
def test_what_is_no_trajectory_is_refused(values):
    with pytest.raises(DataError, match="array \\[T, C"):
        Record(values)


@alone
@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_extreme_units_are_judged_alike(test, scale, lorenz):
    assert test(lorenz * scale).passed


def test_boundedness_names_place_and_value(lorenz):
    broken = lorenz.copy()
    broken[1500, 0] = 1e4
    verdict = boundedness(broken)
    assert not verdict.passed
    assert verdict.statistic > 50
    assert "channel 0 is 1e+04 at sample 1500" in verdict.note
    broken[7, 1] = np.nan
    assert boundedness(broken).note == "channel 1 is nan at sample 7"


def test_boundedness_names_constants():
    dead = boundedness(series.stuck())
    assert not dead.passed
    assert dead.note == "channel 2 constant at 4"
    allowed = boundedness(series.stuck(), allow_constant=True)
    assert allowed.passed
    assert allowed.note == dead.note
    field = np.zeros((50, 2, 3, 4))
    field[:, 0] = np.random.default_rng(0).normal(size=(50, 3, 4))
    assert (
        boundedness(field).note
        == "channel 1 at (0, 0), channel 1 at (0, 1), channel 1 at (0, 2) and 9 more constant at 0"
    )


def test_boundedness_in_absolute_terms(lorenz):
    assert boundedness(lorenz, limit=1e3).passed
    verdict = boundedness(lorenz, limit=30.0)
    assert not verdict.passed
    assert "channel 2 reaches" in verdict.note


def test_not_linear():
    assert not_linear(series.ramp()).statistic == pytest.approx(1.0)
    assert not not_linear(series.copies()).passed
    noise = np.random.default_rng(0).normal(size=(4000, 2)) @ [[1.0, 1.0], [0.0, 0.1]]
    correlation = abs(np.corrcoef(noise.T)[0, 1])
    assert not_linear(noise).statistic == pytest.approx((1 + correlation) / 2)


@pytest.mark.parametrize("points", [40, 300])
def test_not_linear_on_fields(points):
    rng = np.random.default_rng(1)
    field = rng.normal(size=(120, 2, points)) + 3 * rng.normal(size=(120, 1, 1))
    z = (field - field.mean(0)) / field.std(0)
    s = np.linalg.svd(z.reshape(120, -1), compute_uv=False)
    assert not_linear(field).statistic == pytest.approx(s[0] ** 2 / (s**2).sum(), rel=1e-7)


def test_fixed_point(lorenz):
    decay = np.exp(-N / 400)
    assert not fixed_point(np.stack([decay * np.cos(N / 10), decay * np.sin(N / 10)], 1)).passed
    assert fixed_point(np.column_stack([lorenz, np.ones(len(lorenz))])).passed
    assert not fixed_point(lorenz * 1e-6, min_activity=None, min_step=1e-3).passed
    assert fixed_point(lorenz, min_activity=None, min_step=1e-3).passed
    assert not fixed_point(lorenz * 1e-6, min_step=1e-3).passed
    with pytest.raises(ConfigError, match="min_activity, min_step"):
        fixed_point(lorenz, min_activity=None)


@pytest.mark.parametrize(("rate", "passes"), [(-0.4, True), (-1.0, False), (-3.0, False), (0.4, True), (1.0, False)])
def test_trajectory_decay(rate, passes):
    verdict = trajectory_decay(series.spiral(rate))
    assert verdict.passed == passes
    # Means of the first and last two of eight blocks lie three quarters of the record apart.
    assert verdict.statistic == pytest.approx(math.exp(-0.75 * abs(rate)), rel=0.02)


def test_trajectory_decay_by_steps(lorenz):
    one_dead = np.column_stack([lorenz, np.exp(-np.arange(len(lorenz)) / 50)])
    verdict = trajectory_decay(one_dead, min_ratio=None, min_step=1e-3)
    assert not verdict.passed
    assert verdict.note == "channel 3 at rest"
    assert trajectory_decay(lorenz, min_ratio=None, min_step=1e-3).passed


def test_transient():
    start, end = transient(series.approach()), transient(series.escape())
    assert not start.passed
    assert not end.passed
    assert (start.note, end.note) == ("starts far from the rest", "ends far from the rest")
    assert transient(series.approach()[::-1]).note == end.note
    assert transient(series.approach(0.5)).passed


@pytest.mark.parametrize("period", [37.3, 99.5, 614.2])
def test_a_limit_cycle_is_rejected_whatever_its_period(period):
    phase = 2 * np.pi * N / period
    verdict = limit_cycle(np.stack([np.cos(phase), np.sin(2 * phase + 1)], 1))
    assert not verdict.passed
    assert verdict.statistic < 5e-3


@pytest.mark.parametrize("mu", [1.0, 5.0, 10.0])
def test_a_relaxation_oscillation_is_rejected(mu):
    assert not limit_cycle(series.flow("van_der_pol", mu=mu)).passed


def test_an_end_on_a_cycle_is_rejected():
    verdict = limit_cycle(series.settling())
    assert not verdict.passed
    assert verdict.note == "in the last 0.5 of the record"
    assert limit_cycle(series.settling(), tail=1.0).passed


def test_a_torus_is_no_limit_cycle():
    assert limit_cycle(series.torus()).passed


def test_too_short_for_a_second_turn_passes():
    verdict = limit_cycle(np.cos(N[:60, None] / 20))
    assert verdict.passed
    assert verdict.note == "less than two turns"


def test_limit_cycle_takes_series_in_chunks():
    rng = np.random.default_rng(2)
    phase = 2 * np.pi * N[:600] / 41.3
    field = np.cos(phase[:, None, None] + rng.uniform(0, 6, (2, 100)))
    assert limit_cycle(field).statistic < 5e-3


@pytest.mark.parametrize("name", ["torus", "linear", "cycle", "rest"])
def test_neighbours_keep_their_distance(name):
    assert not divergence(getattr(series, name)()).passed


def test_divergence_is_near_the_exponent_per_turn():
    # The catalogue's Rossler has an exponent of about 0.07 per time unit and turns of 5.9.
    assert divergence(series.flow("Rossler", length=12000)).statistic == pytest.approx(0.43, abs=0.12)


def test_power_spectrum_counts_lines():
    t = N * 2 * np.pi / len(N)
    lines = sum(a * np.cos(k * t) for a, k in [(1, 30), (0.5, 70), (0.01, 200), (0.005, 400), (1e-4, 900)])
    assert power_spectrum(lines[:, None]).statistic == 4  # the last has 1e-8 of the power of the first
    assert power_spectrum(lines[:, None], height=1e-9, prominence=1e-9, min_peaks=9).statistic == 5
    assert power_spectrum(lines[:, None] + 1e3, min_peaks=9, centred=False).statistic == 0


@pytest.mark.parametrize("height", [6.0, 50.0])
def test_a_drift_is_rejected_and_named(height):
    verdict = stationarity(series.drift(height))
    assert not verdict.passed
    assert verdict.note == "channel 1"


def test_trend_shares_of_known_series():
    assert trend_share(N.astype(float)) == pytest.approx(0.9855, abs=1e-3)
    assert trend_share((N >= 1500).astype(float)) == pytest.approx(0.8387, abs=1e-3)
    assert trend_share(np.cos(np.pi * 3 * (N + 0.5) / 3000)) < 1e-9
    noise = np.random.default_rng(3).normal(size=(400, 3000))
    assert np.mean([trend_share(x) for x in noise]) == pytest.approx(1 / 12, abs=0.02)


def test_a_switch_of_level_is_no_drift():
    step = np.where(N < 1400, -1.0, 1.0) + 0.3 * np.cos(N / 16)
    assert trend_share(step) > 0.7
    assert stationarity(step[:, None]).passed
    assert not stationarity(step[:, None], adf_level=0.05, max_trend=None).passed


def test_stationarity_of_constants(lorenz):
    with_constant = np.column_stack([lorenz, np.full(len(lorenz), 4.0)])
    assert stationarity(with_constant).passed
    verdict = stationarity(with_constant, allow_constant=False)
    assert not verdict.passed
    assert verdict.note == "channel 3 constant"


@pytest.mark.parametrize(
    "wrong", [{"kpss_level": 0.2}, {"kpss_level": 0.0}, {"adf_level": None, "max_trend": None}], ids=str
)
def test_stationarity_refuses_what_it_cannot_judge(wrong, lorenz):
    with pytest.raises(ConfigError, match="stationarity"):
        stationarity(lorenz, **wrong)


def test_zero_one_draws_by_key_alone(lorenz):
    a = zero_one(lorenz, min_growth=2.0, key=("a",))
    np.random.default_rng(0).uniform(size=3)
    assert zero_one(lorenz, min_growth=2.0, key=("a",)) == a
    assert zero_one(lorenz, min_growth=2.0, key=("b",)).statistic != a.statistic


@pytest.mark.parametrize(
    ("wrong", "told"), [({"aggregate": "mean"}, "'median'|median"), ({"frequencies": 0}, "at least one")]
)
def test_zero_one_refuses(wrong, told, lorenz):
    with pytest.raises(ConfigError, match=told):
        zero_one(lorenz, **wrong)


@pytest.mark.parametrize("aggregate", ["median", "score"])
def test_zero_one_near_its_threshold(aggregate, lorenz):
    name = {"median": "min_growth", "score": "min_share"}[aggregate]
    full = zero_one(lorenz, aggregate, key=("near",), **{name: 2.0})
    assert zero_one(lorenz, aggregate, key=("near",), **{name: full.statistic}).passed
    assert not zero_one(lorenz, aggregate, key=("near",), **{name: math.nextafter(full.statistic, 2)}).passed


@pytest.mark.parametrize(
    ("exponent", "error", "passes"),
    [(0.9, 0.01, True), (0.019, 0.01, False), (0.02, 0.01, True), (-0.5, 0.01, False), (0.1, None, True),
     (0.0, None, False), (-0.1, 0.0, False), (None, None, True), (math.nan, math.nan, True)],
)  # fmt: skip
def test_lyapunov_sign(exponent, error, passes):
    assert lyapunov_sign(exponent, error).passed == passes


def test_verdicts_become_json():
    assert Verdict(False, float("inf"), 1.0).to_json() == {"passed": False, "statistic": "inf", "threshold": 1.0}
    assert Verdict(True, 0.5, 1.0, "why").to_json()["note"] == "why"
