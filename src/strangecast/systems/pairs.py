"""Which driver goes with which response: ordered pairs of different systems, in an order that their names decide.

Every pair has a rank that depends on the seed, the kind of coupling and the two names, and on nothing else. So the
first pairs of a long list are those of a short one, and another system in the list changes no other pair's rank.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.core.streams import counter_bits, key64


def ranked_pairs(names: Sequence[str], kind: str, seed: int, count: int) -> list[tuple[str, str, int]]:
    """``count`` pairs (driver, response, round): every pair occurs once in round 0 before any occurs in round 1.

    Args:
        names: of the systems that may be coupled, at least two.
        kind: of the coupling.
        seed: of the choice.
        count: how many.

    Raises:
        ConfigError: fewer than two systems.
    """
    if len(names) < 2:
        raise ConfigError(f"skew products need at least two systems to couple, found {list(names)}")
    driver = np.array([key64("driver", seed, kind, n) for n in names], np.uint64)
    response = np.array([key64("response", seed, kind, n) for n in names], np.uint64)
    rank = counter_bits((driver[:, None] ^ response[None, :]).ravel(), 0, 1)[:, 0]
    order = np.argsort(rank, kind="stable")
    order = order[order // len(names) != order % len(names)]
    rounds = range(-(-count // len(order)))
    found = [(names[i // len(names)], names[i % len(names)], n) for n in rounds for i in order.tolist()[:count]]
    return found[:count]
