"""A metric as its YAML describes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.targets import locate

LYAPUNOV_TIMES = "Lyapunov times"
SAMPLES = "samples"
ATTRACTOR = "attractor"
_META = ("title", "unit", "symbol", "better", "worst", "horizons", "space", "of", "kind", "shortest", "defined")
_ALLOWED = {
    "better": ("lower", "higher"),
    "horizons": ("prefixes", "full"),
    "space": ("normalised", "physical"),
    "of": ("median", "mean", SAMPLES),
    "kind": ("error", "time", "divergence", "calibration", ATTRACTOR),
}
_DEFAULT = {"of": "median", "kind": "error"}


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: option name.
        function: ``(truth, forecast, scale) -> [S, B]`` with its parameters bound.
        of: what it is given where an emulator drew samples: their ``median`` or ``mean``, value by value, or all
            ``samples`` (then a forecast without samples is given as one). It changes nothing else.
        horizons: ``prefixes``: a value for each prefix of the forecast, pointwise, undefined once a forecast has
            diverged; ``full``: one value for the whole forecast, which tells itself what divergence means.
        space: ``normalised`` (by the context) or ``physical``.
        unit: what values are printed in; one in ``LYAPUNOV_TIMES`` is undefined where no positive exponent is known.
        kind: what it judges: ``error`` at the right time, ``time`` until something happens, ``divergence``,
            ``calibration`` of samples, or the ``attractor``: two stretches of it, whichever time they are from, so that
            the truth against itself has a floor (see ``metrics/floor.py``).
        shortest: least number of samples it means anything for; shorter horizons get no value.
        defined: ``(truth, scale) -> [B]`` of bool with the metric's parameters bound: which windows it means anything
            for, whatever the forecast; None for all.
    """

    name: str
    function: Callable[..., np.ndarray]
    horizons: str
    space: str
    unit: str = ""
    of: str = "median"
    kind: str = "error"
    shortest: int = 1
    defined: Callable[..., np.ndarray] | None = None


def metric_option(name: str, config: dict[str, Any]) -> Metric:
    """Build a metric from its resolved YAML.

    Raises:
        ConfigError: a missing or unknown value, or a target that is no function.
    """
    horizons, space, of, kind = (check_meta(name, config, key) for key in ("horizons", "space", "of", "kind"))
    what = f"metric '{name}'"
    params = {k: v for k, v in config.items() if k not in _META and k != "_target_"}
    function, defined = config.get("_target_"), config.get("defined")
    if defined is not None and str(defined).rpartition(".")[0] != str(function).rpartition(".")[0]:
        # The code of a metric is what its _target_ imports: an edit elsewhere would score nothing again.
        raise ConfigError(f"{what}: defined '{defined}' must be in the file of its _target_ '{function}'")
    return Metric(
        name,
        partial(locate(function, what), **params),
        horizons,
        space,
        config.get("unit") or "",
        of,
        kind,
        _shortest(name, config.get("shortest", 1)),
        None if defined is None else partial(locate(defined, f"{what}, defined"), **params),
    )


def _shortest(name: str, found: Any) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise ConfigError(f"metric '{name}': shortest is {found!r}; it is a number of samples, at least 1")
    return found


def higher_is_better(name: str, config: dict[str, Any]) -> bool:
    """Whether larger values are better, as the YAML says.

    Raises:
        ConfigError: it does not say so.
    """
    return check_meta(name, config, "better") == "higher"


def worst_value(name: str, config: dict[str, Any]) -> float:
    """What a forecast counts with that diverged or was never made: ``worst``, infinitely bad by default."""
    worst = config.get("worst")
    if worst is not None:
        return float(worst)
    return -np.inf if higher_is_better(name, config) else np.inf


def check_meta(name: str, config: dict[str, Any], key: str) -> str:
    """The value of ``key``, one of those allowed."""
    value = config.get(key, _DEFAULT.get(key))
    if value not in _ALLOWED[key]:
        raise ConfigError(f"metric '{name}': {unknown(key, str(value), _ALLOWED[key])}")
    return value
