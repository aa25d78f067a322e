"""Which systems are trained on and which are kept for tests.

Every system has a rank that depends on the seed and its own name, and on nothing else. The test takes the systems of
least rank. So the order of a list does not matter, the test systems of a smaller share are among those of a larger one,
and a system added to the list moves at most one other to the other side.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.streams import key64

PARTS = ("train", "test")
_KEYS = {"train", "test", "test_fraction", "seed"}


def split_systems(names: Sequence[str], test_fraction: float, seed: int) -> tuple[list[str], list[str]]:
    """Names for training and names for tests, each in the order of ``names``.

    Args:
        names: of systems, no name twice.
        test_fraction: share that is kept for tests, rounded to whole systems (halves up).
        seed: of the choice.

    Raises:
        ConfigError: a share outside 0 to 1, or a name given twice.
    """
    if isinstance(test_fraction, bool) or not 0 <= test_fraction <= 1:
        raise ConfigError(f"split: test_fraction must be between 0 and 1, found {test_fraction}")
    count = math.floor(test_fraction * len(names) + 0.5)
    tested = set(ranked(names, seed)[:count])
    return [n for n in names if n not in tested], [n for n in names if n in tested]


def ranked(names: Sequence[str], seed: int) -> list[str]:
    """``names`` by rank.

    Raises:
        ConfigError: a name given twice.
    """
    twice = [n for n, times in Counter(names).items() if times > 1]
    if twice:
        raise ConfigError(f"split: {min(twice)} is named twice")
    return sorted(names, key=lambda n: (key64("held out", seed, n), n))


def divided(names: Sequence[str], split: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Names for training and names for tests as the ``split`` of a YAML says.

    Args:
        names: of all candidates, no name twice.
        split: one of
            ``{test_fraction: 0.3, seed: 0}``: a share of them is tested, all others train;
            ``{test: 30, train: 100, seed: 0}``: so many of each, without ``train`` all others;
            ``{test: [Lorenz, Rossler]}``, ``{train: [...]}`` or both: named ones; where one list is given, all others
            stand on the other side.

    Returns:
        The two lists, in the order of ``names``.

    Raises:
        ConfigError: an unknown key or name, a name on both sides, or numbers that cannot work.
    """
    for key in split:
        if key not in _KEYS:
            raise ConfigError(f"split: {unknown('key', str(key), _KEYS)}")
    train, test, seed = split.get("train"), split.get("test"), _seed(split.get("seed", 0))
    if "test_fraction" in split:
        if train is not None or test is not None:
            raise ConfigError("split: give test_fraction, or train and test, not both")
        return split_systems(names, split["test_fraction"], seed)
    if train is None and test is None:
        raise ConfigError("split: give test_fraction, or names or numbers as train and test")
    if isinstance(train, list) or isinstance(test, list):
        return _listed(names, train, test)
    return _counted(names, train, test, seed)


def _seed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"split: seed must be a whole number, found {value}")
    return value


def _listed(names: Sequence[str], train: Any, test: Any) -> tuple[list[str], list[str]]:
    given = {part: found for part, found in zip(PARTS, (train, test), strict=True) if found is not None}
    for part, found in given.items():
        if not isinstance(found, list):
            raise ConfigError(
                f"split: train and test must both be lists of names or both be numbers, found {part} {found}"
            )
        for name in found:
            if name not in names:
                raise ConfigError(f"split: {part}: {unknown('system', str(name), names)}")
    both = sorted(set(train or ()) & set(test or ()))
    if both:
        raise ConfigError(f"split: {both[0]} stands in train and in test")
    tested = {n for n in names if n not in train} if test is None else set(test)
    trained = {n for n in names if n not in test} if train is None else set(train)
    return [n for n in names if n in trained], [n for n in names if n in tested]


def _counted(names: Sequence[str], train: Any, test: Any, seed: int) -> tuple[list[str], list[str]]:
    for part, count in (("train", train), ("test", test)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            raise ConfigError(f"split: {part} must be a list of names or a number of systems, found {count}")
    order = ranked(names, seed)
    tests = len(order) - train if test is None else test
    trains = len(order) - test if train is None else train
    if min(tests, trains) < 0 or tests + trains > len(order):
        raise ConfigError(f"split: {train} systems for training and {test} for tests were asked for, there are "
                          f"{len(order)}")  # fmt: skip
    tested, trained = set(order[:tests]), set(order[tests : tests + trains])
    return [n for n in names if n in trained], [n for n in names if n in tested]
