"""Every trajectory that was generated for a dataset, with what kind of system it is of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from strangecast.analyses.generated import Generated
from strangecast.core.errors import ConfigError
from strangecast.systems.catalogue import Entry
from strangecast.systems.roster import entry_of
from strangecast.systems.skew_names import parse
from strangecast.systems.validity.panel import TESTS

# What a system is called that no catalogue knows, and what its coupling is that has none.
RECORDED, UNCOUPLED = "recorded", ""
# The verdict that stands before all tests.
FIRST_TEST = "integration"


@dataclass(frozen=True)
class Kind:
    """What sort of system a name stands for.

    Attributes:
        kind: flow, delay, skew, another kind of the catalogue, or recorded.
        driven: whether its equations depend on time, or carry the phase of a drive.
        smooth: False where its right-hand side has a kink or jump.
        coupling: of a skew product, additive or activated.
        unbounded: channels that grow without bound in the full state and are observed through a bounded map.
    """

    kind: str = RECORDED
    driven: bool = False
    smooth: bool = True
    coupling: str = UNCOUPLED
    unbounded: tuple[int, ...] = ()


@cache
def kind_of(system: str) -> Kind:
    """The kind of a system by its name; data of a user are of no known system."""
    try:
        entry = entry_of(system)
    except ConfigError:
        return Kind()
    product = parse(system)
    observed: Entry = entry if product is None else entry_of(product.response)
    return Kind(
        entry.kind,
        not entry.autonomous,
        entry.smooth,
        UNCOUPLED if product is None else product.kind,
        observed.unbounded,
    )


def attempts(generated: Generated) -> pd.DataFrame:
    """The manifest of a dataset in its own order, words as plain objects, with ``kind, driven, smooth, coupling``.

    ``reasons`` stand in the order of :func:`in_order`, ``place`` is the row's number.
    """
    frame = generated.manifest
    order = in_order(r for row in frame["reasons"] for r in row)
    frame = frame.astype({c: object for c in frame if isinstance(frame[c].dtype, pd.CategoricalDtype)})
    kinds = {name: kind_of(name) for name in frame["system"].unique()}
    for column in ("kind", "driven", "smooth", "coupling"):
        frame[column] = [getattr(kinds[name], column) for name in frame["system"]]
    reasons = [sorted(row, key=order.index) for row in frame["reasons"]]
    return frame.assign(dataset=generated.name, reasons=reasons, place=np.arange(len(frame)))


def in_order(tests: Iterable[str]) -> list[str]:
    """Tests from the cheapest to the dearest, as the panel of validity tests lists them; the integration comes first."""
    known = [FIRST_TEST, *TESTS]
    found = set(tests)
    return [t for t in known if t in found] + sorted(found - set(known))
