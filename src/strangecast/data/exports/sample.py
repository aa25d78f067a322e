"""What every export format is given: one piece of one trajectory."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from strangecast.core.errors import DataError
from strangecast.core.hashing import array_digest
from strangecast.core.spec import Spec

# GluonTS wants a date. Any fixed one keeps files byte-reproducible; it means nothing.
START = "2000-01-01 00:00"


@dataclass(frozen=True)
class Sample:
    """Samples ``start`` .. ``stop - 1`` of a trajectory.

    Attributes:
        system, split, index: where it belongs; ``index`` counts within system and split.
        trajectory_id, parameter_index, ic_index, start, stop: where it comes from.
        spec: of its system; ``dt`` and exponent are its own.
        values: [T, C, *grid], float64, the clean signal.
        times: [T], physical, float64.
    """

    system: str
    split: str
    index: int
    trajectory_id: str
    parameter_index: int
    ic_index: int
    start: int
    stop: int
    spec: Spec
    values: np.ndarray
    times: np.ndarray

    @property
    def channels(self) -> list[str]:
        """Names of the C channels."""
        return [c.name for c in self.spec.channels]

    def about(self) -> dict[str, str]:
        """What is written into a file beside the values; ``sha256`` is that of the values [T, C, *grid]."""
        said = {
            "trajectory_id": self.trajectory_id,
            "system": self.system,
            "start": self.start,
            "stop": self.stop,
            "channels": self.channels,
            "dt": self.spec.dt,
            "lyapunov": self.spec.lyapunov,
            "sha256": array_digest(self.values),
        }
        return {k: v if isinstance(v, str) else json.dumps(v) for k, v in said.items()}

    def series(self) -> np.ndarray:
        """[C, T], contiguous: the target of formats that know channels and even times only.

        Raises:
            DataError: a field, or uneven times.
        """
        if self.values.ndim != 2:
            raise DataError(f"{self.trajectory_id} is a field on grid {list(self.spec.grid)}; GluonTS and token models "
                            "read series: export it as numpy")  # fmt: skip
        if self.spec.dt is None:
            raise DataError(f"{self.trajectory_id} is sampled unevenly, which GluonTS has no place for: export it as "
                            "numpy, which keeps its times, or resample it")  # fmt: skip
        return np.ascontiguousarray(self.values.T)
