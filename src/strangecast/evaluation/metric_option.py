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
_META = ("title", "unit", "symbol", "better", "worst", "horizons", "space", "of")
_ALLOWED = {
    "better": ("lower", "higher"),
    "horizons": ("prefixes", "full"),
    "space": ("normalised", "physical"),
    "of": ("median", "mean", SAMPLES),
}
_DEFAULT = {"of": "median"}


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
    """

    name: str
    function: Callable[..., np.ndarray]
    horizons: str
    space: str
    unit: str = ""
    of: str = "median"


def metric_option(name: str, config: dict[str, Any]) -> Metric:
    """Build a metric from its resolved YAML.

    Raises:
        ConfigError: a missing or unknown value, or a target that is no function.
    """
    horizons, space, of = (check_meta(name, config, key) for key in ("horizons", "space", "of"))
    function = locate(config.get("_target_"), f"metric '{name}'")
    params = {k: v for k, v in config.items() if k not in _META and k != "_target_"}
    return Metric(name, partial(function, **params), horizons, space, config.get("unit") or "", of)


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
