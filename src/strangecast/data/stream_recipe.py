"""The YAML of a dataset that is never stored: which systems it draws, and how much it makes at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.data.divisions import parts_of_systems
from strangecast.data.recipe import Recipe
from strangecast.systems.roster import channels_of, parents_of, system_names
from strangecast.systems.validity.panel import check

_KEYS = ("systems", "trajectories", "windows")  # and validation, which the planner reads
# A stream judges by itself, and has as many initial conditions as it needs.
_WITHOUT = {"attempts": None, "restart": None, "lyapunov": None, "initial_conditions": 1}
# They need an exponent or another trajectory, which a stream does not have.
_UNFIT = ("lyapunov_sign", "same_attractor")


@dataclass(frozen=True)
class StreamRecipe:
    """How a stream is made.

    Attributes:
        name: of the dataset.
        recipe: how trajectories are; its ``length`` is about that of a trajectory, its roster is not used.
        systems: names of those drawn: the training part of a split by system, else all.
        at_once: M, chunks that the updates of one group draw upon.
        trajectories: K, of one chunk, all of one system.
        windows: about how many are cut from one trajectory.
        parameter_sets: each trajectory draws one of so many; None: each has a set of its own.
        noise: standard deviation in units of each channel's.
    """

    name: str
    recipe: Recipe
    systems: tuple[str, ...]
    at_once: int
    trajectories: int
    windows: int
    parameter_sets: int | None
    noise: float

    @classmethod
    def from_config(cls, name: str, config: dict[str, Any]) -> StreamRecipe:
        """From the resolved YAML of a dataset with a ``stream`` part.

        Raises:
            ConfigError: an unknown key, a validity test that a stream cannot ask, or numbers that cannot work.
        """
        given = config["stream"]
        for key in given:
            if key not in (*_KEYS, "validation"):
                raise ConfigError(f"dataset '{name}': {unknown('stream setting', str(key), [*_KEYS, 'validation'])}")
        numbers = {k: given.get(k) for k in _KEYS}
        sets = config.get("parameter_sets")
        for key, value in {**numbers, "parameter_sets": 1 if sets is None else sets}.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"dataset '{name}': {key} must be a whole number of at least 1, found {value}")
        noise = float(config.get("noise") or 0.0)
        if noise < 0:
            raise ConfigError(f"dataset '{name}': noise {noise} must not be negative")
        tries = (config.get("attempts") or {}).get("per_specimen") or 1
        if isinstance(tries, bool) or not isinstance(tries, int) or tries < 1:
            raise ConfigError(
                f"dataset '{name}': attempts.per_specimen must be a whole number of at least 1, found {tries}"
            )
        recipe = replace(Recipe.from_config(config | _WITHOUT), per_specimen=tries)
        check(recipe.validity)
        for test in _UNFIT:
            if recipe.validity.get(test) is not None:
                raise ConfigError(f"dataset '{name}': a stream cannot ask {test}; set validity.{test} to null")
        systems = _drawn(name, config)
        return cls(name, recipe, systems, *numbers.values(), None if sets is None else int(sets), noise)

    @cached_property
    def channels(self) -> np.ndarray:
        """[number of systems], C of each."""
        return np.array([channels_of(s) for s in self.systems])

    def updates(self, batch_size: int) -> int:
        """Updates of one group: so many that its chunks give about ``windows`` windows of each trajectory."""
        return max(1, round(self.at_once * self.trajectories * self.windows / batch_size))


def _drawn(name: str, config: dict[str, Any]) -> tuple[str, ...]:
    if config.get("systems") is None:
        return (config["system"],)
    names = system_names(config["systems"])
    if (config.get("split") or {}).get("by") == "system":
        parts = parts_of_systems({s: parents_of(s) for s in names}, config["split"], name)
        names = [s for s in names if parts[s] == "train"]
    if not names:
        raise ConfigError(f"dataset '{name}': the split leaves no system to train on")
    return tuple(names)
