"""The committed table of systems: what the planner may know of them without importing any.

``catalogue.csv`` has one row per system, in the order of dysts. ``python -m strangecast.systems.catalogue`` writes it
anew from the installed dysts; a test holds the two equal.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from strangecast.core.errors import ConfigError, unknown

PATH = Path(__file__).with_name("catalogue.csv")

# The one flow whose right-hand side reads time itself (dysts' metadata do not say so); other drives are coordinates.
TIME_DEPENDENT = frozenset({"Torus"})


@dataclass(frozen=True)
class Entry:
    """One row of the catalogue.

    Attributes:
        name: dysts' spelling.
        kind: flow (ordinary differential equation) | delay (of no use yet; listed so that its 'no' is stated).
        dim: D, size of the state; the channels are as many.
        parameters: names of the scalar parameters; entries of arrays are ``k[0,1]``.
        period: physical time of one turn (dominant Fourier period, as dysts has it).
        autonomous: False where a periodic drive is carried as a coordinate, or time itself is read.
        unbounded: indices of coordinates that grow without bound (observed through a bounded map).
        smooth: False where the right-hand side has a kink or jump (abs, sign, heaviside, min, max).
        vector_field, stepper, residuum: whether the system has them.
        grid: ``0d`` for point systems.
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

    @property
    def offers(self) -> set[str]:
        """Which of vector_field, stepper, residuum and state the system has."""
        found = {n for n in ("vector_field", "stepper", "residuum") if getattr(self, n)}
        return found | ({"state"} if self.kind == "flow" else set())


@cache
def entries() -> dict[str, Entry]:
    """All rows by name, in the file's order."""
    with open(PATH, newline="", encoding="utf-8") as f:
        return {row["name"]: _parse(row) for row in csv.DictReader(f)}


def lookup(name: str) -> Entry:
    """The row of a system.

    Raises:
        ConfigError: there is none; the message gives the nearest names.
    """
    found = entries().get(name)
    if found is None:
        raise ConfigError(unknown("system", str(name), entries()))
    return found


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
    names = [f.name for f in fields(Entry)]
    writer.writerow(names)
    writer.writerows([plain(getattr(row, n)) for n in names] for row in rows)
    return out.getvalue()


def rebuild() -> list[Entry]:
    """The rows as the installed dysts gives them (imports it: about two seconds)."""
    import ast
    import inspect
    import json

    import numpy as np
    from dysts import flows
    from dysts.base import DATAPATH_CONTINUOUS

    from strangecast.systems.dysts_flows import scalar_names

    classes = {n.name: n for n in ast.parse(inspect.getsource(flows)).body if isinstance(n, ast.ClassDef)}
    metadata = json.loads(Path(DATAPATH_CONTINUOUS).read_text(encoding="utf-8"))
    rows = []
    for name, about in metadata.items():
        delayed = bool(about["delay"])
        parameters = about["parameters"]
        rows.append(
            Entry(
                name=name,
                kind="delay" if delayed else "flow",
                dim=int(about["embedding_dimension"]),
                parameters=tuple(n for k in sorted(parameters) for n in scalar_names(k, np.array(parameters[k]))),
                period=float(about["period"]),
                autonomous=not about["nonautonomous"] and name not in TIME_DEPENDENT,
                unbounded=tuple(int(i) for i in about["unbounded_indices"]),
                smooth=_is_smooth(name, classes),
                vector_field=not delayed,
                stepper=False,
                residuum=False,
            )
        )
    return rows


def _is_smooth(name: str, classes: dict) -> bool:
    """Whether the methods that make up a right-hand side (own or inherited) call no function with a kink or jump."""
    import ast

    kinks = {"abs", "sign", "heaviside", "min", "max", "minimum", "maximum", "where", "floor", "mod"}
    aside = {"_postprocessing", "_jac", "_jac_static", "jac"}
    seen: set[str] = set()
    while name in classes:
        methods = [m for m in classes[name].body if isinstance(m, ast.FunctionDef)]
        for method in methods:
            if method.name in aside | seen:
                continue
            seen.add(method.name)
            calls = [n.func for n in ast.walk(method) if isinstance(n, ast.Call)]
            if kinks & {getattr(f, "attr", getattr(f, "id", "")) for f in calls}:
                return False
        name = getattr(classes[name].bases[0], "id", "")
    return True


if __name__ == "__main__":
    from strangecast.core.atomic import write_text

    write_text(PATH, render(rebuild()))
