"""The verdict on one candidate while it is generated: the dataset's own validity tests.

Named in ``attempts.judge``, so that the tests' code belongs to what makes a dataset just where it decides what is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from strangecast.data.filtering import judge, to_json
from strangecast.systems.validity.panel import Known
from strangecast.systems.validity.verdict import Verdict

Exponent = Callable[[], tuple[float | None, float | None]]
_SIGN, _REFERENCE = "lyapunov_sign", "same_attractor"


def judge_row(
    values: np.ndarray,
    finished: bool,
    length: int,
    validity: dict[str, Any],
    trajectory_id: str,
    exponent: Exponent,
    reference: np.ndarray | None,
) -> tuple[str, bool]:
    """Verdicts as they stand in a manifest, and whether all tests passed.

    A test that needs the exponent comes last, so that it is measured only where all others passed.

    Args:
        values: [T', C, *grid].
        finished: whether the integration reached its end.
        length: T that was asked for.
        validity: thresholds by test.
        trajectory_id: keys the tests' random numbers.
        exponent: measures the largest exponent and its standard error.
        reference: trajectory of the default parameters or of the undriven system; tests against it do not apply to
            those themselves (None).
    """
    verdicts = {"integration": Verdict(finished and len(values) == length, len(values), length)}
    if verdicts["integration"].passed:
        aside = {_SIGN, *([_REFERENCE] if reference is None else [])}
        others = {test: given for test, given in validity.items() if test not in aside}
        verdicts |= judge(values, others, Known((trajectory_id,), reference=reference))
    passed = all(v.passed for v in verdicts.values())
    if passed and validity.get(_SIGN) is not None:
        verdicts |= judge(values, {_SIGN: validity[_SIGN]}, Known((trajectory_id,), *exponent()))
        passed = verdicts[_SIGN].passed
    return to_json(verdicts), passed
