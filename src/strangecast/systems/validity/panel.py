"""A configured set of tests on one trajectory, with everything they share computed once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.systems.validity.boundedness import boundedness
from strangecast.systems.validity.divergence import divergence
from strangecast.systems.validity.fixed_point import fixed_point
from strangecast.systems.validity.limit_cycle import limit_cycle
from strangecast.systems.validity.lyapunov_sign import lyapunov_sign
from strangecast.systems.validity.not_linear import not_linear
from strangecast.systems.validity.power_spectrum import power_spectrum
from strangecast.systems.validity.record import Record, as_record
from strangecast.systems.validity.same_attractor import same_attractor
from strangecast.systems.validity.stationarity import stationarity
from strangecast.systems.validity.trajectory_decay import trajectory_decay
from strangecast.systems.validity.transient import transient
from strangecast.systems.validity.verdict import Verdict
from strangecast.systems.validity.zero_one import zero_one

TESTS: dict[str, Callable[..., Verdict]] = {
    test.__name__: test
    for test in (
        boundedness, not_linear, fixed_point, trajectory_decay, transient, lyapunov_sign, power_spectrum, zero_one,
        limit_cycle, stationarity, divergence, same_attractor,
    )
}  # fmt: skip


# Parameters that are no thresholds: what is judged, and what ``Known`` holds.
_GIVEN = ("values", "key", "exponent", "standard_error", "reference")


@dataclass(frozen=True)
class Known:
    """What a test may need beside the samples.

    Attributes:
        key: identity of the trajectory, for random numbers.
        exponent, standard_error: largest Lyapunov exponent of its parameter set per time unit, or None.
        reference: trajectory of the default parameters or of the undriven system, or None; a record is reused.
    """

    key: tuple[Any, ...] = ()
    exponent: float | None = None
    standard_error: float | None = None
    reference: np.ndarray | Record | None = None


def run_panel(
    values: np.ndarray | Record,
    tests: Mapping[str, Mapping[str, Any] | None],
    known: Known | None = None,
    stop_at_first: bool = False,
) -> dict[str, Verdict]:
    """Verdicts by test name, in the order of ``tests``.

    Args:
        values: [T, C, *grid] or its record.
        tests: thresholds by name, as the parameters of the test's function; None switches a test off.
        known: what else is known.
        stop_at_first: leave out the tests after the first that fails, instead of finding every reason.

    Raises:
        ConfigError: an unknown test or threshold, or ``same_attractor`` without a reference.
    """
    check(tests)
    known = known or Known()
    record = as_record(values)
    verdicts: dict[str, Verdict] = {}
    for name, thresholds in tests.items():
        if thresholds is None:
            continue
        verdicts[name] = _judge(name, TESTS[name], record, thresholds, known)
        if stop_at_first and not verdicts[name].passed:
            break
    return verdicts


def check(tests: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Refuse what no panel could run.

    Raises:
        ConfigError: an unknown test or threshold.
    """
    for name, thresholds in tests.items():
        if name not in TESTS:
            raise ConfigError(unknown("validity test", str(name), TESTS))
        if thresholds is None:
            continue
        if not isinstance(thresholds, Mapping):
            raise ConfigError(f"validity.{name} is {thresholds!r}; thresholds by name are allowed, or null for none")
        allowed = _thresholds(name)
        for key in thresholds:
            if key not in allowed:
                raise ConfigError(f"validity.{name}: {unknown('threshold', str(key), allowed)}")


@cache
def _thresholds(name: str) -> tuple[str, ...]:
    """Parameters of a test but for what it judges."""
    return tuple(p for p in inspect.signature(TESTS[name]).parameters if p not in _GIVEN)


def _judge(
    name: str, test: Callable[..., Verdict], record: Record, thresholds: Mapping[str, Any], known: Known
) -> Verdict:
    if name == "lyapunov_sign":
        return test(known.exponent, known.standard_error, **thresholds)
    if name == "zero_one":
        return test(record, key=known.key, **thresholds)
    if name == "same_attractor":
        if known.reference is None:
            raise ConfigError("validity.same_attractor needs a reference trajectory, and none is known here")
        return test(record, known.reference, **thresholds)
    return test(record, **thresholds)
