"""Every validity test on every group of trajectories: the share that passes."""

from __future__ import annotations

import pandas as pd

from strangecast.core.errors import ResultsError
from strangecast.paper.frames import need
from strangecast.paper.tables.columns import Column, with_columns

WHAT = "table pass_rates"
GROUPS = ("default parameters", "perturbed parameters", "additive coupling", "activated coupling")
ALL = "all tests"
_COLUMNS = ["dataset", "group", "what", "name", "of", "count", "rate", "low", "high", "failed", "failed_first"]


def build(frames: dict[str, pd.DataFrame], *, groups: list[str] | None = None) -> pd.DataFrame:
    """One row per test from the cheapest to the dearest, and a last one for all tests together.

    Args:
        frames: ``analysis/pass_rates``.
        groups: columns; by default those of ``GROUPS`` that occur, or everything where none does (recorded data).

    Returns:
        ``test``; per group ``<group>, <group> low, <group> high`` in per cent, of the trajectories that the test judged.

    Raises:
        ResultsError: the analysis is missing, or has no such group.
    """
    held = chosen_groups(frames, WHAT, groups)
    tests = tests_of(held)
    table = pd.DataFrame({"test": [t.replace("_", " ") for t in tests]})
    columns = [Column("Test", "test", kind="text")]
    for group, own in held.items():
        own = own[own["name"].isin(tests)].set_index("name").reindex(tests)
        for column, name in (("rate", ""), ("low", " low"), ("high", " high")):
            table[group + name] = 100 * own[column].to_numpy(float)
        columns.append(Column(f"{group} (%)", group, f"{group} low", f"{group} high"))
    return with_columns(table, columns)


def chosen_groups(
    frames: dict[str, pd.DataFrame], what: str, groups: list[str] | None = None
) -> dict[str, pd.DataFrame]:
    """Rows of each group, of the first dataset that has it: default parameters, of which perturbed data hold some, once.

    The row that counts accepted trajectories is named ``all tests``.

    Raises:
        ResultsError: the analysis is missing, or has no such group.
    """
    table = need(frames, "analysis/pass_rates", _COLUMNS, what)
    total = (table["what"] == "accepted") & (table["name"] == "trajectories")
    table = table.assign(name=table["name"].where(~total, ALL))
    present = set(table["group"])
    for group in groups or []:
        if group not in present:
            raise ResultsError(f"{what}: no trajectory is of group '{group}'")
    shown = groups or [g for g in GROUPS if g in present] or ["all"]
    first = {g: table[table["group"] == g] for g in shown}
    return {g: own[own["dataset"] == own["dataset"].iloc[0]] for g, own in first.items()}


def tests_of(held: dict[str, pd.DataFrame]) -> list[str]:
    """Names of the tests of all groups in order, and of the row that counts them together."""
    found = dict.fromkeys(t for own in held.values() for t in own.loc[own["what"] == "test", "name"])
    return [*found, ALL]
