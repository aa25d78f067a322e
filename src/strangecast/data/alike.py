"""Which windows can stand in one array."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import numpy as np

from strangecast.core.spec import Spec
from strangecast.data.windows import Windows


def spec_of(windows: Windows, row: int) -> Spec:
    """Spec of the system of one window; a dataset may hold many."""
    window = windows.table.iloc[row]
    dataset = windows.datasets[window["dataset"]]
    return dataset.spec_of(window["trajectory_id"]) if dataset.many else dataset.spec


def shape_of(spec: Spec) -> Hashable:
    """Channels and grid: what the values of windows in one array share."""
    return spec.C, spec.grid


def alike(windows: Windows, rows: np.ndarray, of: Callable[[Spec], Hashable] = shape_of) -> list[np.ndarray]:
    """``rows`` taken apart by what ``of`` says of their Specs, in the order of first appearance.

    Args:
        windows: of a suite.
        rows: row numbers of its table.
        of: of a Spec, what rows of one part share.
    """
    dataset, trajectory = (windows.table[c].to_numpy(object)[rows] for c in ("dataset", "trajectory_id"))
    known: dict[tuple[str, str | None], Hashable] = {}
    parts: dict[Hashable, list[int]] = {}
    for row, name, which in zip(rows.tolist(), dataset, trajectory, strict=True):
        system = (name, which if windows.datasets[name].many else None)
        if system not in known:
            known[system] = of(spec_of(windows, row))
        parts.setdefault(known[system], []).append(row)
    return [np.array(part, np.int64) for part in parts.values()]
