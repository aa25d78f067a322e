"""Which driver goes with which response: ordered pairs of different systems, in an order that their names decide.

Every pair has a rank that depends on the seed, the kind of coupling and the two names, and on nothing else. So the
first pairs of a long list are those of a short one, and another system in the list changes no other pair's rank.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from strangecast.core.errors import ConfigError
from strangecast.core.streams import counter_bits, key64


def ranked_pairs(names: Sequence[str], kind: str, seed: int, count: int) -> list[tuple[str, str]]:
    """``count`` different pairs (driver, response).

    Args:
        names: of the systems that may be coupled.
        kind: of the coupling.
        seed: of the choice.
        count: how many.

    Raises:
        ConfigError: there are not so many.
    """
    n = len(names)
    if count > n * (n - 1):
        raise ConfigError(f"{count} pairs were asked for, {n} systems make {n * (n - 1)}; raise couplings instead")
    driver = np.array([key64("driver", seed, kind, a) for a in names], np.uint64)
    response = np.array([key64("response", seed, kind, a) for a in names], np.uint64)
    rank = counter_bits((driver[:, None] ^ response[None, :]).ravel(), 0, 1)[:, 0]
    order = np.argsort(rank, kind="stable")
    order = order[order // n != order % n][:count]
    return [(names[i // n], names[i % n]) for i in order.tolist()]
