"""How often what was generated is accepted, by validity test and by how its integration ended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from strangecast.analyses.attempts import attempts, in_order
from strangecast.analyses.generated import Generated
from strangecast.core.proportions import wilson
from strangecast.systems.integrate import Solver

COLUMNS = ["dataset", "group", "what", "name", "of", "count", "rate", "low", "high", "failed", "failed_first"]


def pass_rates(datasets: Iterable[Generated]) -> pd.DataFrame:
    """Proportions with Wilson's 95 % interval, per dataset and group of its trajectories.

    Groups are ``all``, and as far as there are such trajectories ``default parameters``, ``perturbed parameters``,
    ``flows at default parameters``, ``delays at default parameters``, ``additive coupling`` and ``activated coupling``;
    skew products belong to the last two alone.

    Returns:
        Rows by ``what``:

        - ``accepted``: ``trajectories`` (each attempt counts), ``parameter sets`` and ``systems`` (one accepted
          trajectory suffices).
        - ``test``: of the trajectories that a test has judged, how many passed; ``failed`` is the rest, ``failed_first``
          those that had passed all cheaper ones (``attempts.in_order``).
        - ``status``: how the integration ended.
        - ``exponent``: ``positive`` counts, of the parameter sets with a known largest exponent, accepted or not, those
          where it exceeds zero by two standard errors.
        - ``solver``: ``without fallback`` counts trajectories that were finished by another solver than the fallback.
    """
    parts = []
    for generated in datasets:
        rows = attempts(generated)
        verdicts = [json.loads(v) if v else {} for v in rows["verdicts"]]
        order = in_order(test for v in verdicts for test in v)
        for group, chosen in _groups(rows):
            own = [verdicts[i] for i in chosen["place"]]
            found = [*_accepted(chosen), *_tests(own, order), *_exponents(chosen), *_endings(chosen, generated.config)]
            parts += [{"dataset": generated.name, "group": group} | row for row in found]
    table = pd.DataFrame(parts, columns=COLUMNS)
    return table.astype({"failed": "Int64", "failed_first": "Int64"})


def _groups(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    own = rows["coupling"] == ""
    default = own & (rows["parameter_index"] == 0)
    groups = {
        "all": own | True,
        "default parameters": default,
        "perturbed parameters": own & ~default,
        "flows at default parameters": default & (rows["kind"] == "flow"),
        "delays at default parameters": default & (rows["kind"] == "delay"),
        "additive coupling": rows["coupling"] == "additive",
        "activated coupling": rows["coupling"] == "activated",
    }
    return ((name, rows[mask]) for name, mask in groups.items() if mask.any())


def _accepted(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for name, keys in (
        ("trajectories", ["trajectory_id", "place"]),
        ("parameter sets", ["system", "parameter_index"]),
        ("systems", ["system"]),
    ):
        valid = rows.groupby(keys, sort=False)["accepted"].any()
        yield _row("accepted", name, int(valid.sum()), len(valid))


def _tests(verdicts: list[dict[str, Any]], order: list[str]) -> Iterator[dict[str, Any]]:
    first = [next((t for t in order if t in v and not v[t]["passed"]), None) for v in verdicts]
    for test in order:
        judged = [bool(v[test]["passed"]) for v in verdicts if test in v]
        passed = sum(judged)
        more = {"failed": len(judged) - passed, "failed_first": first.count(test)}
        yield _row("test", test, passed, len(judged)) | more


def _exponents(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    known = rows[rows["lyapunov"].notna()].drop_duplicates(["system", "parameter_index"])
    error = known["lyapunov_standard_error"].astype(float).fillna(0.0)
    positive = known["lyapunov"].astype(float) > 2 * error
    yield _row("exponent", "positive", int(positive.sum()), len(known))


def _endings(rows: pd.DataFrame, config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if config.get("source") is not None:
        return
    for status, n in rows["status"].value_counts().sort_index().items():
        yield _row("status", str(status), int(n), len(rows))
    fallback = Solver.from_config(config.get("solver")).fallback
    alone = (rows["status"] == "finished") & ~rows["solver"].str.startswith(f"{fallback} ")
    yield _row("solver", "without fallback", int(alone.sum()), len(rows))


def _row(what: str, name: str, count: int, of: int) -> dict[str, Any]:
    rate, low, high = wilson(count, of)
    return {"what": what, "name": name, "of": of, "count": count, "rate": rate, "low": low, "high": high}
