"""What became of what was generated: accepted, or rejected for which reason."""

from __future__ import annotations

import pandas as pd

from strangecast.paper.tables.columns import Column, with_columns
from strangecast.paper.tables.pass_rates import ALL, chosen_groups

WHAT = "table acceptance"


def build(frames: dict[str, pd.DataFrame], *, groups: list[str] | None = None) -> pd.DataFrame:
    """Numbers of trajectories by reason: those that failed a test, and those for which it was the first they failed.

    Args:
        frames: ``analysis/pass_rates``.
        groups: as in the table ``pass_rates``.

    Returns:
        One row ``generated``, one ``accepted``, one per test and one per way in which an integration ended early (which
        the test ``integration`` counts too); per group ``<group>`` (the first test that failed) and ``<group> any`` (null
        but for tests).

    Raises:
        ResultsError: the analysis is missing, or has no such group.
    """
    held = chosen_groups(frames, WHAT, groups)
    tests = list(dict.fromkeys(t for own in held.values() for t in own.loc[own["what"] == "test", "name"]))
    endings = sorted(
        {
            s
            for own in held.values()
            for s in own.loc[own["what"] == "status", "name"]
            if s not in ("finished", "imported")
        }
    )
    table = pd.DataFrame(
        {
            "outcome": ["generated", "accepted"]
            + [f"rejected by {t.replace('_', ' ')}" for t in tests]
            + [f"ended early: {s}" for s in endings]
        }
    )
    columns = [Column("Outcome", "outcome", kind="text")]
    for group, own in held.items():
        of = own[own["what"] == "test"].set_index("name")
        ended = own[own["what"] == "status"].set_index("name")["count"]
        total = own[own["name"] == ALL].iloc[0]
        both = [total["of"], total["count"]]
        late = [ended.get(s, 0) for s in endings]
        table[group] = pd.array(both + [_cell(of, t, "failed_first") for t in tests] + late, "Int64")
        table[f"{group} any"] = pd.array(
            [None, None, *(_cell(of, t, "failed") for t in tests)] + [None] * len(late), "Int64"
        )
        columns += [Column(group, group, kind="count"), Column("at all", f"{group} any", kind="count")]
    return with_columns(table, columns)


def _cell(of: pd.DataFrame, test: str, column: str) -> int | None:
    """None where the group was not put to the test."""
    return int(of.loc[test, column]) if test in of.index else None
