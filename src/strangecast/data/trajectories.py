"""One trajectory as a row of a shard, and a shard as a file.

A shard describes itself: its label ``spec`` holds what all its trajectories have in common, its label ``systems`` the
Spec of each system by name (channels and parameters; interval and exponent stand in the rows).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from strangecast.core.hashing import array_digest
from strangecast.core.schemas import TRAJECTORIES
from strangecast.core.spec import Spec
from strangecast.core.tables import write_arrow


def row(
    trajectory_id: str,
    system: str,
    values: np.ndarray,
    *,
    dt: float | None,
    times: np.ndarray | None = None,
    state: np.ndarray | None = None,
    parents: Sequence[str] = (),
    parameter_index: int = 0,
    ic_index: int = 0,
    attempt: int = 0,
    period: float | None = None,
    lyapunov: float | None = None,
    lyapunov_standard_error: float | None = None,
    parameters: np.ndarray | tuple = (),
    initial_condition: np.ndarray | None = None,
    solver: str = "",
    evaluations: int | None = None,
    verdicts: str | None = None,
) -> dict[str, Any]:
    """A row of ``schemas.TRAJECTORIES``.

    Args:
        values: [T, C, *grid], what is observed.
        dt: sampling interval; None where ``times`` [T] is given.
        state: [T, D], kept only where ``values`` is not the full state. Every sample may become an origin.
        parents: of a skew product, driver and response.
        attempt: which candidate for these indices.
        solver: settings and status, such as ``dop853 rtol=1e-09 atol=1e-10: finished``.
        evaluations: of the right-hand side.
        verdicts: JSON of what the validity tests said, where generation has asked them.
    """
    values = np.ascontiguousarray(values, np.float64)
    return {
        "trajectory_id": trajectory_id,
        "system": system,
        "parents": list(parents),
        "parameter_index": parameter_index,
        "ic_index": ic_index,
        "attempt": attempt,
        "dt": dt,
        "times": None if times is None else np.asarray(times, np.float64),
        "period": period,
        "lyapunov": lyapunov,
        "lyapunov_standard_error": lyapunov_standard_error,
        "parameters": np.asarray(parameters, np.float64),
        "initial_condition": np.zeros(0) if initial_condition is None else np.asarray(initial_condition, np.float64),
        "solver": solver,
        "status": solver.rpartition(": ")[2],
        "evaluations": evaluations,
        "verdicts": verdicts,
        "shape": list(values.shape),
        "values": values.reshape(-1),
        "state_at_origins": None if state is None else np.ascontiguousarray(state, np.float64).reshape(-1),
        "sha256": array_digest(values),
    }


def write_shard(
    path: Path,
    rows: list[dict[str, Any]],
    spec: Spec,
    labels: dict[str, str] | None = None,
    systems: dict[str, Spec] | None = None,
) -> None:
    """Write rows as one Arrow file.

    Args:
        path: target file.
        rows: from :func:`row`.
        spec: what they have in common; the label ``spec`` (see :func:`spec_label`).
        labels: further labels.
        systems: the Spec of each system by name, where there are several; the label ``systems``.
    """
    columns = {f.name: pa.array([r[f.name] for r in rows], f.type) for f in TRAJECTORIES}
    table = pa.table(columns, schema=TRAJECTORIES)
    given = {"spec": spec_label(spec)} | (labels or {})
    if systems is not None:
        of_rows = {name: json.loads(spec_label(replace(s, dt=None, lyapunov=None))) for name, s in systems.items()}
        given["systems"] = json.dumps(of_rows, sort_keys=True, separators=(",", ":"))
    write_arrow(path, table, TRAJECTORIES, given)


def spec_label(spec: Spec) -> str:
    """JSON of a Spec without its context range: windows may change without trajectories being made again."""
    return json.dumps({k: v for k, v in spec.to_json().items() if k != "context_range"})


def shard_name(shard: int) -> str:
    """File name of a shard."""
    return f"shard-{shard:04d}.arrow"
