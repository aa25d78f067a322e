"""The page on Lyapunov exponents, from the table of schema ``LYAPUNOV``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from strangecast.paper.tables.columns import NONE, fixed, number
from strangecast.paper.tables.lyapunov_remarks import REMARKS

Row = dict[str, Any]
_SHOWN = 6  # exponents of one system
_AGREE, _ERRORS = 0.1, 3.0


def measured(value: float | None, error: float | None) -> str:
    """``0.9042 ± 0.0031``: decimals that show the error in two digits."""
    if value is None or math.isnan(value):
        return NONE
    if not math.isfinite(value) or error is None or not math.isfinite(error) or error <= 0:
        return number(value)
    decimals = max(0, 1 - math.floor(math.log10(error)))
    return f"{fixed(value, decimals)} ± {fixed(error, decimals)}"


def agree(row: Row) -> bool:
    """Whether the two methods differ by less than a tenth, or by less than three joint standard errors."""
    if row["pair"] is None or not row["exponents"] or math.isnan(row["exponents"][0]):
        return False
    value, error = row["exponents"][0], row["errors"][0]
    return abs(value - row["pair"]) <= max(_AGREE * abs(value), _ERRORS * math.hypot(error, row["pair_error"]))


def has_neutral(row: Row) -> bool:
    """Whether an exponent is zero on every initial condition: the direction of the flow, or the phase of a drive."""
    return row["neutral"] == row["initial_conditions"]


def mismatch(row: Row) -> float | None:
    """Sum of all exponents minus mean divergence, relative to the sum of their sizes; None where one is not known."""
    values = np.array(row["exponents"])
    if row["divergence"] is None or not np.isfinite(values).all() or not np.isfinite(row["divergence"]):
        return None
    size = np.abs(values).sum()
    return float(abs(values.sum() - row["divergence"]) / size) if size else 0.0


def ratio(row: Row) -> float | None:
    """Shipped exponent over ours, where all initial conditions are chaotic."""
    known = row["shipped"] is not None and row["verdict"] in ("chaotic", "hyperchaotic")
    return row["shipped"] / row["exponents"][0] if known else None


def lines(rows: Sequence[Row]) -> list[str]:
    """One line per system, for a terminal."""
    width = max((len(r["system"]) for r in rows), default=0)
    return [
        f"{r['system']:{width}s}  {measured(*_first(r)):>22s}  {r['verdict']:12s}"
        f"  pair {measured(r['pair'], r['pair_error'])}  D_KY {measured(r['dimension'], r['dimension_error'])}"
        f"  spectrum {', '.join(number(x) for x in r['exponents'])}  ({r['method']})"
        for r in rows
    ]


def page(rows: Sequence[Row]) -> str:
    """The Markdown page: how the numbers were found, what the checks say, the table, and remarks on systems."""
    facts = _facts(rows)
    parts = [_HEAD.format(**facts), "## Table", _LEGEND, _table(rows), _remarks(rows)]
    return "\n\n".join(p.strip("\n") for p in parts if p) + "\n"


_HEAD = """\
# Lyapunov exponents

Exponents per time unit of {systems} systems at their catalogued parameters, beside the values that ship with dysts.
This page is made by

```sh
strangecast lyapunov --out results/lyapunov.parquet --out docs/lyapunov.md
```

The first file holds the same numbers with all digits; [results.md](results.md) explains its columns. Words after the verb
name systems, as in `strangecast lyapunov Lorenz Rossler`.

## How they are found

Every flow is followed from up to {conditions} initial conditions near the catalogued one, each after a transient of 1000
to 1500 periods of its own. State and as many tangent vectors as there are coordinates are integrated as one system by the
compiled lanes (relative tolerance 1e-9). The vectors are orthonormalised at least every third step: a step of an explicit
method contracts no direction by more than about exp(6), so they cannot collapse, however strong the contraction. Where
the field jumps, the saltation matrix is applied at the jump; at kinks none is needed. Of delay flows the first exponents
are found in the same way from functions on the last lag.

The second method follows two trajectories a millionth of the attractor apart and draws the second one back again and
again (relative tolerance 1e-11). It knows nothing of derivatives.

Standard errors come from the spread over initial conditions and over ten blocks of time each, whichever is larger, and
contain 1 / time: regular motion lets vectors grow with time to the first power, which no average over so long can tell
from an exponent smaller than that. An exponent has a sign when it is three errors away from zero; *neutral* means that
the largest has none: a cycle, a torus, or chaos too weak for this length. *Mixed* means that some initial conditions are
chaotic and others are not: the mean then says nothing of either, and the remarks say how many are.

## What the checks say

- The sum of all exponents equals the mean divergence of the field along the same trajectories to {mismatch} of the sum of
  their sizes, on each of the {sums} flows where both are finite. Asked for was 1e-3.
- Every trajectory of every system has an exponent that is zero within three errors of its own, the direction of the flow
  or of the phase of its drive{neutral_exceptions}.
- The two methods agree within 10 % or three joint errors on {agreeing} of {measured}{disagreement}.
- Of the {compared} systems that are chaotic from all initial conditions, the shipped largest exponent is within 10 % of
  ours on {near}, and off by more than a factor of two on {far}; the median of shipped over ours is {median}. Nothing in
  this project reads the shipped values.
- Values of the literature are met where there are any for these parameters: Lorenz 0.9056, Rössler 0.0714, Sprott's B to S
  (J. C. Sprott, Chaos and Time-Series Analysis (2003), appendix A), SprottJerk 0.0551 (Phys. Lett. A 228 (1997) 271)."""

_LEGEND = """\
Numbers are given with one standard error. *In data* is the exponent that is stored with data sets and sets their horizons:
from the 300 periods after a transient of 20, so it differs from the first column where chaos is a long transient. *Other
exponents* are the rest of the spectrum, of delay flows the next six. The last column but one is the shipped value divided
by ours, where all initial conditions are chaotic. A mark (!) says that the two methods disagree."""


def _facts(rows: Sequence[Row]) -> dict[str, Any]:
    sums = [m for m in map(mismatch, rows) if m is not None]
    followed = [r for r in rows if r["verdict"] != "not followed"]
    quotients = np.array([q for q in map(ratio, rows) if q is not None])
    odd = [r["system"] for r in followed if not has_neutral(r)]
    apart = [r["system"] for r in followed if not agree(r)]
    return {
        "systems": len(rows),
        "conditions": max((r["initial_conditions"] for r in rows), default=0),
        "mismatch": f"{max(sums, default=0.0):.0e}",
        "sums": len(sums),
        "neutral_exceptions": f", but {_listed(odd)} (see the remarks)" if odd else "",
        "agreeing": len(followed) - len(apart),
        "measured": len(followed),
        "disagreement": f"; they disagree on {_listed(apart)} (see the remarks)" if apart else "",
        "compared": len(quotients),
        "near": int((np.abs(quotients - 1) <= _AGREE).sum()),
        "far": int(((quotients > 2) | (quotients < 0.5)).sum()),
        "median": fixed(float(np.median(quotients)), 2) if len(quotients) else NONE,
    }


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _table(rows: Sequence[Row]) -> str:
    head = ["System", "Largest exponent", "In data", "Two trajectories", "Other exponents", "Kaplan-Yorke dimension",
            "dysts", "dysts / ours", "Kind"]  # fmt: skip
    found = ["| " + " | ".join(head) + " |", "|---|---:|---:|---:|---|---:|---:|---:|---|"]
    for r in sorted(rows, key=lambda r: r["system"]):
        others = list(zip(r["exponents"], r["errors"], strict=True))[1:]
        shown = ", ".join(measured(v, e) for v, e in others[:_SHOWN]) + (", …" if len(others) > _SHOWN else "")
        quotient = ratio(r)
        cells = [
            r["system"],
            measured(*_first(r)),
            measured(r["early"], r["early_error"]),
            measured(r["pair"], r["pair_error"]) + ("" if agree(r) else " (!)"),
            shown or NONE,
            NONE if r["verdict"] == "mixed" else measured(r["dimension"], r["dimension_error"]),
            NONE if r["shipped"] is None else number(r["shipped"]),
            NONE if quotient is None else fixed(quotient, 2),
            r["verdict"] + {"tangent with saltation": ", jumps", "tangent functions": ", delay"}.get(r["method"], ""),
        ]
        found.append("| " + " | ".join(cells) + " |")
    return "\n".join(found)


def _first(row: Row) -> tuple[float, float]:
    return row["exponents"][0], row["errors"][0]


def _remarks(rows: Sequence[Row]) -> str:
    """Per system, in alphabetical order: what its numbers alone do not say."""
    found = []
    asked = max((r["initial_conditions"] for r in rows), default=0)
    for r in sorted(rows, key=lambda r: r["system"]):
        said = [REMARKS[r["system"]]] if r["system"] in REMARKS else []
        missing = asked - r["initial_conditions"]
        if r["kind"] == "flow" and missing:
            said.insert(0, f"{missing} of {asked} trajectories left in the transient.")
        if r["verdict"] == "mixed":
            said.insert(0, f"Chaotic from {r['chaotic']} of {r['initial_conditions']} initial conditions.")
        if said:
            found.append(f"- **{r['system']}**: {' '.join(said)}")
    return "\n".join(["## Remarks", "", *found]) if found else ""
