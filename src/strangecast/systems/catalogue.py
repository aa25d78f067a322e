"""The catalogue of systems: what the planner may know of them.

``catalogue.csv`` has one row per system of dysts, in its order, so that nothing has to be imported to read it.
``python -m strangecast.systems.catalogue`` writes it anew from the installed dysts; a test holds the two equal. Systems
that are a YAML (``options.py``) are looked up by making them, which imports NumPy and their own file.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strangecast.core.errors import ConfigError, unknown

if TYPE_CHECKING:
    from strangecast.systems.graph import Graph

PATH = Path(__file__).with_name("catalogue.csv")


@dataclass(frozen=True)
class Entry:
    """One row of the catalogue.

    Attributes:
        name: dysts' spelling, or the name of the YAML.
        kind: flow (ordinary differential equation) | delay.
        dim: D, size of the state, of a delay flow at one time.
        parameters: names of the scalar parameters; entries of arrays are ``k[0,1]``.
        period: physical time of one turn (dominant Fourier period, as dysts has it).
        autonomous: False where a periodic drive is carried as a coordinate, or time itself is read.
        unbounded: indices of coordinates that grow without bound (observed through a bounded map).
        smooth: False where the right-hand side has a kink or jump (abs, sign, heaviside, min, max).
        vector_field, stepper, residuum: whether the system has them.
        grid: ``0d`` for point systems.
        observed: number of channels where it differs from D; not in the file, since no system of dysts needs it.
    """

    name: str
    kind: str
    dim: int
    parameters: tuple[str, ...]
    period: float
    autonomous: bool
    unbounded: tuple[int, ...]
    smooth: bool
    vector_field: bool
    stepper: bool
    residuum: bool
    grid: str = "0d"
    observed: int | None = None

    @property
    def channels(self) -> int:
        """C, number of observed channels."""
        return self.dim if self.observed is None else self.observed

    @property
    def offers(self) -> set[str]:
        """Which of vector_field, jacobian, stepper, residuum and state the system has."""
        found = {n for n in ("vector_field", "stepper", "residuum") if getattr(self, n)}
        return (
            found
            | ({"jacobian"} if self.vector_field else set())
            | ({"state"} if self.kind in ("flow", "skew") else set())
        )


@cache
def entries() -> dict[str, Entry]:
    """All rows of the file by name, in its order."""
    with open(PATH, newline="", encoding="utf-8") as f:
        return {row["name"]: _parse(row) for row in csv.DictReader(f)}


def lookup(name: str, config: dict[str, Any] | None = None) -> Entry:
    """What is known of a system.

    Args:
        name: of a row, or of a YAML under ``conf/system``.
        config: the resolved content of that YAML where it is known better than from the file.

    Raises:
        ConfigError: there is none; the message gives the nearest names.
    """
    found = entries().get(name)
    if found is not None:
        return found
    from strangecast.systems import options

    if config is not None:
        return _of(options.make(name, config))
    if name not in options.names():
        raise ConfigError(unknown("system", str(name), [*entries(), *options.names()]))
    return _option(name)


@cache
def _option(name: str) -> Entry:
    from strangecast.systems import options

    return _of(options.make(name))


def _of(system: Any) -> Entry:
    """The row that a system would have."""
    offers, graph = system.offers, system.graph
    return Entry(
        name=system.name,
        kind="delay" if graph is not None and graph.lags else "flow",
        dim=system.dim,
        parameters=tuple(system.parameters),
        period=system.period,
        autonomous=graph is None or not is_driven(graph),
        unbounded=tuple(i for i, bounded in enumerate(system.bounded) if not bounded),
        smooth=graph is None or graph.smooth,
        vector_field="vector_field" in offers,
        stepper="stepper" in offers,
        residuum="residuum" in offers,
        grid=f"{len(system.grid)}d",
        observed=None if len(system.channels) == system.dim else len(system.channels),
    )


def is_driven(graph: Graph) -> bool:
    """Whether time is read, or a coordinate moves by itself, whatever the state: the phase of a drive."""
    moved: list[bool] = []
    for node in graph.nodes:
        moved.append(node.op in ("state", "delayed") or any(moved[a] for a in node.args))
    return not graph.autonomous or not all(moved[o] for o in graph.outputs)


def _parse(row: dict[str, str]) -> Entry:
    yes = {"yes": True, "no": False}
    return Entry(
        name=row["name"],
        kind=row["kind"],
        dim=int(row["dim"]),
        parameters=tuple(row["parameters"].split()),
        period=float(row["period"]),
        autonomous=yes[row["autonomous"]],
        unbounded=tuple(int(i) for i in row["unbounded"].split()),
        smooth=yes[row["smooth"]],
        vector_field=yes[row["vector_field"]],
        stepper=yes[row["stepper"]],
        residuum=yes[row["residuum"]],
        grid=row["grid"],
    )


def render(rows: list[Entry]) -> str:
    """The text of ``catalogue.csv`` for these rows."""

    def plain(value: object) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [f.name for f in fields(Entry) if f.name != "observed"]
    writer.writerow(names)
    writer.writerows([plain(getattr(row, n)) for n in names] for row in rows)
    return out.getvalue()


def rebuild() -> list[Entry]:
    """The rows as the installed dysts gives them (imports it: about two seconds)."""
    import json

    from dysts.base import DATAPATH_CONTINUOUS

    from strangecast.systems.dysts_flows import flat_parameters, instance
    from strangecast.systems.tracing import trace_delay, trace_flow

    metadata = json.loads(Path(DATAPATH_CONTINUOUS).read_text(encoding="utf-8"))
    rows = []
    for name, about in metadata.items():
        delayed, flow = bool(about["delay"]), instance(name)
        graph = trace_delay(flow) if delayed else trace_flow(flow)
        rows.append(
            Entry(
                name=name,
                kind="delay" if delayed else "flow",
                dim=graph.dim,
                parameters=flat_parameters(flow)[0],
                period=float(about["period"]),
                autonomous=not is_driven(graph),
                unbounded=tuple(int(i) for i in about["unbounded_indices"]),
                smooth=graph.smooth,
                vector_field=not delayed,
                stepper=not delayed,
                residuum=False,
            )
        )
    return rows


if __name__ == "__main__":
    from strangecast.core.atomic import write_text

    write_text(PATH, render(rebuild()))
