"""Metrics: equal to plain implementations, faster than those of dysts, in bounded memory; and what each of them costs.

``equal_*``: one number against the implementation under ``references/``, on random walks and on Lorenz-63; a relative
difference above 1e-10 ends the benchmark. ``dysts_*``: the same number as dysts 0.96 computes, or, where dysts measures
the same thing in another way, its cost. ``memory_*``: peak memory of a process with a series of 10,000 x 10. ``scoring``:
the rule score on 40 systems, 6 windows, 15 emulators and 8 prefixes. ``cost_*``: one forecast at two generated lengths.
CPU time of one thread, the median of several runs; compilation, which is kept on disk, in none of them.
"""

from __future__ import annotations

from benchmarks.metric_cases.cost import cost, memory, scoring
from benchmarks.metric_cases.dysts_peers import against_dysts
from benchmarks.metric_cases.equality import equal_attractors, equal_pointwise
from benchmarks.table import Row, main


def measure(quick: bool) -> list[Row]:
    """All of it."""
    rows: list[Row] = []
    for part in (equal_pointwise, equal_attractors, against_dysts, memory, scoring, cost):
        rows += part(quick)
        print(f"{part.__name__}: done", flush=True)
    return rows


if __name__ == "__main__":
    main("metrics", measure)
