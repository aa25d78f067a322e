"""Failures of every sort are rejected by the tests as configured, and told apart by kind; catalogued chaos passes."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from strangecast.core.errors import ConfigError, DataError
from strangecast.systems.validity import rates
from strangecast.systems.validity.kind import KINDS, kind
from strangecast.systems.validity.panel import TESTS, Known, run_panel
from strangecast.systems.validity.record import Record
from strangecast.systems.validity.same_attractor import same_attractor
from strangecast.workflow.compose import CONF

from . import valid_series as series

DEFAULT, PANDA = (
    yaml.safe_load((CONF / "validity" / f"{name}.yaml").read_text(encoding="utf-8")) for name in ("default", "panda")
)

# Series, the kind that they are of, and a test that must be among the reasons.
FAILURES = {
    "drift": (series.drift, "unbounded", "stationarity"),
    "ramp": (series.ramp, "unbounded", "stationarity"),
    "approach": (series.approach, "chaotic", "transient"),
    "escape": (series.escape, "unbounded", "transient"),
    "slow spiral": (lambda: series.spiral(-1.0), "fixed point", "trajectory_decay"),
    "spiral to rest": (lambda: series.spiral(-9.0), "fixed point", "fixed_point"),
    "spiral outwards": (lambda: series.spiral(1.0), "unbounded", "trajectory_decay"),
    "explosion": (lambda: series.spiral(60.0), "unbounded", "transient"),
    "cycle": (series.cycle, "limit cycle", "limit_cycle"),
    "relaxation": (series.relaxation, "limit cycle", "limit_cycle"),
    "settling": (series.settling, "limit cycle", "limit_cycle"),
    "torus": (series.torus, "quasi-periodic", "divergence"),
    "linear": (series.linear, "quasi-periodic", "power_spectrum"),
    "rest": (series.rest, "fixed point", "fixed_point"),
    "stuck": (series.stuck, "chaotic", "boundedness"),
    "broken": (series.broken, "unbounded", "boundedness"),
    "copies": (series.copies, "chaotic", "not_linear"),
    "cycle of a flow": (lambda: series.flow("Rossler", 60.0, c=3.5), "limit cycle", "limit_cycle"),
    "locked to its drive": (lambda: series.flow("ForcedVanDerPol", 60.0), "limit cycle", "limit_cycle"),
    "torus of a flow": (lambda: series.flow("Torus"), "quasi-periodic", "divergence"),
}

# Catalogued chaos, among it slow lobe switching that ADF and KPSS together take for drift.
CHAOS = (
    "Lorenz", "Rossler", "Thomas", "Halvorsen", "Chen", "RabinovichFabrikant", "Aizawa", "HyperPang", "Chua", "DequanLi",
    "HyperCai", "HyperXu", "HyperWang", "Bouali2", "Arneodo", "MultiChua",
)  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_failures_are_rejected(name):
    make, _, reason = FAILURES[name]
    verdicts = run_panel(make(), DEFAULT, Known(key=(name,)))
    assert not verdicts[reason].passed
    assert set(verdicts) == {test for test, thresholds in DEFAULT.items() if thresholds is not None}


@pytest.mark.parametrize("name", FAILURES)
def test_kinds_of_failures(name):
    make, wanted, _ = FAILURES[name]
    found = kind(make())
    assert found.name == wanted, found
    assert found.name in KINDS
    if found.name != "chaotic":
        (verdict,) = found.because.values()
        assert not verdict.passed


@pytest.mark.parametrize("name", CHAOS)
def test_catalogued_chaos_passes(name):
    values = series.flow(name)
    failed = {t: v for t, v in run_panel(values, DEFAULT, Known(key=(name,))).items() if not v.passed}
    assert not failed
    assert kind(values).name == "chaotic"


def test_the_source_rejects_slow_switching():
    rejected = [n for n in CHAOS if not run_panel(series.flow(n), PANDA, Known(key=(n,)))["stationarity"].passed]
    assert {"Chua", "HyperCai", "HyperXu", "DequanLi"} <= set(rejected)


@pytest.mark.parametrize(
    ("exponents", "errors", "wanted"),
    [
        ([0.9, 0.0, -14.6], [0.01, 0.01, 0.01], "chaotic"),
        ([0.0, 0.9], [0.01, 0.01], "chaotic"),
        ([0.001, -0.002, -1.0], [0.01, 0.01, 0.01], "quasi-periodic"),
        ([0.001, -0.2, -1.0], [0.01, 0.01, 0.01], "limit cycle"),
        ([-0.1, -0.2], [0.01], "fixed point"),
        ([0.001], [0.01], "quasi-periodic"),
        ([0.5], [], "chaotic"),
        ([float("nan"), -0.2], [], "fixed point"),
        ([float("nan")], [float("nan")], "chaotic"),
        ([0.9, 0.0, float("-inf")], [0.01, 0.01], "chaotic"),
    ],
)
def test_exponents_decide_what_a_record_leaves_open(exponents, errors, wanted):
    assert kind(series.flow("Lorenz"), exponents, errors).name == wanted


def test_a_record_speaks_before_the_exponents_of_its_parameters():
    assert kind(series.cycle(), [0.5, 0.0, -1.0], [0.01] * 3).name == "limit cycle"


def test_kind_needs_a_record():
    with pytest.raises(DataError, match="64 samples"):
        kind(series.flow("Lorenz")[:63])


# Other parameters, other attractor


def test_other_initial_conditions_are_the_same_attractor():
    verdict = same_attractor(series.flow("Lorenz", 37.0), series.flow("Lorenz"))
    assert verdict.passed
    assert 1 <= verdict.statistic < 1.2
    assert verdict.note == ""


@pytest.mark.parametrize(
    ("parameters", "told"),
    [({"rho": 10.0}, "fixed point instead of chaotic"), ({"rho": 350.0}, "limit cycle instead of chaotic")],
)
def test_parameters_that_change_the_kind(parameters, told):
    changed = series.flow("Lorenz", 60.0, **parameters)
    verdict = same_attractor(changed, series.flow("Lorenz"), max_scale=1e9)
    assert not verdict.passed
    assert verdict.note.startswith(told)
    lenient = same_attractor(changed, series.flow("Lorenz"), max_scale=1e9, same_kind=False)
    assert lenient.passed == np.isfinite(lenient.statistic)
    assert lenient.note.startswith(told)


def test_a_change_of_scale():
    lorenz = series.flow("Lorenz")
    verdict = same_attractor(lorenz * [1.0, 1.0, 12.0], lorenz)
    assert not verdict.passed
    assert verdict.statistic == pytest.approx(12)
    assert verdict.note == "channel 2 has 12 times the spread"
    assert same_attractor(lorenz / 12, lorenz).statistic == pytest.approx(12)
    assert same_attractor(lorenz * 9.9, lorenz).passed
    assert "moves, where it was at rest" in same_attractor(lorenz, series.stuck()).note


def test_same_attractor_refuses_what_it_cannot_compare():
    lorenz = series.flow("Lorenz")
    with pytest.raises(DataError, match="2 series, its reference 3"):
        same_attractor(lorenz[:, :2], lorenz)
    with pytest.raises(DataError, match="64 samples"):
        same_attractor(lorenz, lorenz[:40])
    with pytest.raises(ConfigError, match="at least 1"):
        same_attractor(lorenz, lorenz, max_scale=0.5)
    assert not same_attractor(lorenz[:40], lorenz).passed
    assert same_attractor(series.broken(), lorenz).note == "unbounded instead of chaotic"


def test_a_reference_is_judged_once(monkeypatch):
    from strangecast.systems.validity import same_attractor as module

    asked = []
    monkeypatch.setattr(module, "kind", lambda record: (asked.append(record), kind(record))[1])
    reference = Record(series.flow("Lorenz"))
    for transient in (30.0, 40.0):
        same_attractor(series.flow("Lorenz", transient), reference)
    assert len([r for r in asked if r is reference]) == 1


# The panel


def test_every_test_is_listed_in_every_preset():
    assert set(DEFAULT) == set(PANDA) == set(TESTS)


def test_a_panel_equals_its_tests_one_by_one():
    values = series.flow("Chua")
    together = run_panel(values, DEFAULT, Known(key=("one",), exponent=0.3, standard_error=0.01))
    for name, thresholds in DEFAULT.items():
        if thresholds is not None:
            alone = run_panel(values, {name: thresholds}, Known(key=("one",), exponent=0.3, standard_error=0.01))
            assert alone[name] == together[name]


def test_a_panel_may_stop_at_the_first_failure():
    cut = run_panel(series.rest(), DEFAULT, stop_at_first=True)
    assert list(cut) == ["boundedness"]
    assert len(run_panel(series.rest(), DEFAULT)) > 5


def test_a_panel_hands_on_what_is_known():
    values = series.flow("Lorenz")
    flat = run_panel(values, {"lyapunov_sign": {}}, Known(exponent=0.001, standard_error=0.01))
    assert not flat["lyapunov_sign"].passed
    assert run_panel(values, {"lyapunov_sign": {}})["lyapunov_sign"].note == "no exponent is known"
    compared = run_panel(values, {"same_attractor": {"max_scale": 2.0}}, Known(reference=5 * values))
    assert not compared["same_attractor"].passed


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        ({"bounded": {}}, "'boundedness'"),
        ({"boundedness": {"max_x": 3}}, "did you mean 'max_z'"),
        ({"zero_one": {"key": ("a",)}}, "no threshold 'key'"),
        ({"boundedness": 3}, "thresholds by name"),
        ({"same_attractor": {}}, "needs a reference"),
    ],
)
def test_a_panel_refuses(tests, told):
    with pytest.raises(ConfigError, match=told):
        run_panel(series.flow("Lorenz"), tests)


def test_rates_count_what_is_rejected_and_what_falsely():
    flows = list(rates.judged({"d": DEFAULT, "p": PANDA}, ["Lorenz", "Torus"], 3, rates.Sampling(16, 100), 60.0))
    assert [(f.name, f.chaotic, len(f.verdicts)) for f in flows] == [("Lorenz", True, 3), ("Torus", False, 3)]
    lines = rates.table(flows, "d").splitlines()
    assert lines[-1] == "| any | 3 | 50.0% | 0 | 0.0% |  |"
    assert len(lines) == 3 + sum(v is not None for v in DEFAULT.values())
    assert len(rates.table(flows, "p").splitlines()) == 3 + 6


def test_rates_from_the_command_line(capsys, monkeypatch):
    file = str(CONF / "validity" / "default.yaml")
    words = [file, "--systems", "Torus", "--count", "1", "--turns", "8", "--per-turn", "50", "--periods", "20"]
    monkeypatch.setattr("sys.argv", ["rates", *words])
    rates.main()
    told = capsys.readouterr().out
    assert "1 trajectories of 1 flows" in told
    assert "| Torus | 0.0" in told or "| Torus | -0.0" in told
