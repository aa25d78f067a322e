"""From windows of a suite to what an emulator is given: which of them may share a batch, and the batch itself."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
import torch

from strangecast.core.context import Context
from strangecast.core.errors import ConfigError, DataError
from strangecast.core.spec import Spec
from strangecast.core.streams import key64
from strangecast.core.targets import load_system
from strangecast.data.alike import alike, shape_of, spec_of
from strangecast.data.windows import Windows

_FIELDS = tuple(f.name for f in fields(Context))


def of_system(needs: Iterable[str]) -> set[str]:
    """What of ``needs`` (``can.needs`` of an emulator) a system offers, as opposed to a field of the context."""
    return {n for n in needs if n not in _FIELDS or n == "system"}


def batches_alike(
    windows: Windows, asked: Mapping[str, Iterable[str]], needs: Iterable[str] = ()
) -> list[dict[str, np.ndarray]]:
    """Windows taken apart so that those of one part can stand in one batch.

    They share channels, grid, lengths and the number of parameters; the size of the state where it is needed; and,
    where something of the system is needed, the system, except that members which forecast one system each may stand
    side by side.

    Args:
        windows: of a suite.
        asked: datasets by member.
        needs: ``can.needs`` of the emulator.

    Returns:
        Per part, by member, row numbers of ``windows``; members without any are left out.
    """
    parts: dict[Hashable, dict[str, list[np.ndarray]]] = {}
    system, state = bool(of_system(needs)), "state" in set(needs)
    lengths = windows.table[["context", "horizon"]].to_numpy()
    for member, datasets in asked.items():
        rows = [windows.rows(d) for d in datasets]
        if not rows:
            continue
        taken_apart = alike(windows, np.concatenate(rows), lambda spec: (_likeness(spec), system and spec.system))
        lone = len({spec_of(windows, int(r[0])).system for r in taken_apart}) == 1
        for part in taken_apart:
            spec = spec_of(windows, int(part[0]))
            for size in np.unique(lengths[part], axis=0):
                own = part[(lengths[part] == size).all(axis=1)]
                dim = windows.state(own[:1]).shape[1:] if state else None
                key = (_likeness(spec), system and not lone and spec.system, *size.tolist(), dim)
                parts.setdefault(key, {}).setdefault(member, []).append(own)
    return [{m: np.concatenate(rows) for m, rows in part.items()} for part in parts.values()]


def _likeness(spec: Spec) -> Hashable:
    return shape_of(spec), len(spec.parameters)


def context_of(
    windows: Windows, rows: np.ndarray, device: torch.device | str, needs: Iterable[str] = ()
) -> tuple[Context, torch.Tensor]:
    """What an emulator reads of a batch, and the times asked for.

    Args:
        windows: of a suite.
        rows: [S|1, B], of one part of :func:`batches_alike`.
        device: where tensors go.
        needs: ``can.needs`` of the emulator. Parameters are given wherever there are any; the state and the system only
            where they are needed.

    Returns:
        The context, and times [S|1, B, H].

    Raises:
        DataError: a system lacks what is needed.
    """
    s, b = rows.shape
    flat = rows.reshape(-1)
    values, past = windows.context(flat, int(windows.table["context"].iat[int(flat[0])]))
    future = windows.truth(flat)[1]
    spec = spec_of(windows, int(flat[0]))

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).reshape(s, b, *array.shape[1:]).to(device)

    context = Context(
        values=tensor(values),
        times=tensor(past),
        parameters=tensor(windows.parameters(flat)) if spec.parameters else None,
        state=tensor(windows.state(flat)) if "state" in set(needs) else None,
        system=_systems(windows, rows, of_system(needs)),
    )
    return context, tensor(future)


def window_keys(windows: Windows, rows: np.ndarray) -> np.ndarray:
    """[S|1, B] uint64, keys of windows for random numbers: dataset, trajectory and origin, whatever the suite."""
    ids = windows.table[["dataset", "trajectory_id", "origin"]]
    unique, where = np.unique(rows, return_inverse=True)
    named = ids.iloc[unique].itertuples(index=False, name=None)
    keys = np.array([key64("window", d, t, int(o)) for d, t, o in named], np.uint64)
    return keys[where].reshape(rows.shape)


def _systems(windows: Windows, rows: np.ndarray, needs: set[str]) -> Any:
    """The system of all rows [S|1, B], a tuple of one per member where members have rows of their own, or None."""
    if not needs:
        return None
    found = tuple(_system(spec_of(windows, int(own[0])), needs) for own in rows)
    return found if len(found) > 1 else found[0]


def _system(spec: Spec, needs: set[str]) -> Any:
    try:
        system = _loaded(spec.system)
    except ConfigError as e:
        raise DataError(
            f"the emulator needs the {_named(needs)} of the system, and '{spec.system}' is data without equations"
        ) from e
    missing = needs - system.offers - {"system"}
    if missing:
        raise DataError(f"the emulator needs the {_named(missing)} of the system, which {spec.system} does not have")
    return system


def _named(needs: set[str]) -> str:
    return " and ".join(n.replace("_", " ") for n in sorted(needs - {"system"})) or "equations"


_loaded = cache(load_system)
