"""Reading shards: memory-mapped, checked for structure when opened and for content when a trajectory is first used."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from strangecast.core.errors import DataError
from strangecast.core.hashing import array_digest
from strangecast.core.schemas import TRAJECTORIES
from strangecast.core.spec import Spec
from strangecast.core.tables import read_arrow, read_labels


class Shard:
    """One Arrow file of trajectories.

    Raises:
        ResultsError: the file is missing, cut short, or of another format.
        DataError: its structure is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.table = read_arrow(path, TRAJECTORIES)
            # Offsets of lists that point outside the file must be found before anything follows them.
            self.table.validate(full=True)
        except (pa.ArrowException, UnicodeDecodeError) as e:
            raise self._damaged(str(e).splitlines()[0]) from e
        self._verified: set[int] = set()

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def spec(self) -> Spec:
        """The Spec the shard was written with; its context range is the default, the split sets the real one."""
        return Spec.from_json(json.loads(self.labels["spec"]))

    @cached_property
    def labels(self) -> dict[str, str]:
        """What the file says about itself."""
        return read_labels(self.path)

    @cached_property
    def _systems(self) -> dict[str, Spec]:
        found = json.loads(self.labels.get("systems", "{}"))
        return {name: Spec.from_json(about) for name, about in found.items()}

    def spec_of(self, row: int) -> Spec:
        """What an emulator may know of one trajectory: its system's channels and parameters, its own interval."""
        spec = self._systems.get(self.get("system", row)) or self.spec
        return replace(spec, dt=self.get("dt", row), lyapunov=self.get("lyapunov", row))

    def get(self, column: str, row: int):
        """One cell as a Python value (of the small columns)."""
        return self.table.column(column)[row].as_py()

    def values(self, row: int, sha256: str | None = None) -> np.ndarray:
        """[T, C, *grid], float64, a read-only view of the mapped file.

        Args:
            row: number of the trajectory in this shard.
            sha256: digest to hold the values against, the row's own if None.

        Raises:
            DataError: the values are not those that were written.
        """
        flat = self._list("values", row)
        shape = self.get("shape", row)
        if min(shape) < 0 or math.prod(shape) != len(flat):
            raise self._damaged(f"row {row} has shape {shape} but {len(flat)} values")
        array = flat.reshape(shape)
        if row not in self._verified:
            if array_digest(array) != (sha256 or self.get("sha256", row)):
                raise self._damaged(f"the values of row {row} do not have the digest they were written with")
            self._verified.add(row)
        return array

    def times(self, row: int) -> np.ndarray | None:
        """[T] physical times, or None where sampling is even."""
        return self._list("times", row)

    def state(self, row: int) -> np.ndarray:
        """[T, D], the full state at every sample; the values themselves where they are the full state."""
        stored = self._list("state_at_origins", row)
        if stored is None:
            return self.values(row)
        steps = self.get("shape", row)[0]
        if steps < 1 or len(stored) % steps:
            raise self._damaged(f"row {row} has {steps} samples but {len(stored)} numbers of state")
        return stored.reshape(steps, -1)

    def _list(self, column: str, row: int) -> np.ndarray | None:
        cell = self.table.column(column)[row]
        return cell.values.to_numpy(zero_copy_only=True) if cell.is_valid else None

    def _damaged(self, why: str) -> DataError:
        return DataError(f"{self.path} is damaged: {why}; delete it and run again")
