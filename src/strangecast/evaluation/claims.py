"""Claims: a statement, what was published, what we find, and what follows.

A study's YAML lists ``claims: {name: {statement, source, published, anchor, unit, tolerance, direction, compute,
missing}}``. The verdict:

- ``missing`` names a resource: *not testable here*, and the note names it.
- A label it is computed from has no run but such as need pretrained weights that are not on this machine: *not testable
  here*, and the note names the weights.
- A number was published: the band is published +- tolerance. *Reproduced* if our 95 % interval meets the band; *not
  reproduced* if it does not. An interval more than twice as wide as the band that contains all of it could meet
  anything: *not testable here*, for want of runs.
- No number was published, the claim is a direction (``direction: positive`` or ``negative``, ``reference`` 0 unless it
  says otherwise): *reproduced* if our interval lies wholly on that side of the reference, else *not reproduced*.
- The claim is an identity (``direction: equal``): *reproduced* if our interval lies wholly within ``tolerance`` (0) of
  the reference, else *not reproduced*.

``anchor: own`` marks a number of ours that later work is held against; it is never printed as published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.schemas import CLAIMS, COMPARISONS, RUNS, SCORES
from strangecast.core.tables import write_parquet
from strangecast.core.targets import locate
from strangecast.data.rows import table_of
from strangecast.evaluation.claim_checks import claim_problem, named_labels
from strangecast.evaluation.clusters import clusters_of
from strangecast.evaluation.frames import read_frame
from strangecast.evaluation.metric_option import worst_value

CLUSTERS = "clusters"
REPRODUCED, NOT_REPRODUCED, NOT_TESTABLE = "reproduced", "not reproduced", "not testable here"


def judge_claims(plan: dict[str, Any], root: Path) -> None:
    """Write ``claims.parquet`` of a study, one row per claim (none where it makes none).

    Args:
        plan: study plan.
        root: ``results/<scale>``.

    Raises:
        ConfigError: a claim that cannot be judged as it is written.
        ResultsError: a table it reads is missing or damaged.
    """
    frames = StudyFrames(plan, root)
    rows = [
        {"study": plan["name"], "claim": name} | judge(name, claim, frames) for name, claim in plan["claims"].items()
    ]
    write_parquet(root / plan["name"] / "claims.parquet", table_of(rows, CLAIMS), CLAIMS)


def labels_without_weights(plan: dict[str, Any]) -> dict[str, str]:
    """What a label needs, by label, where each of its runs needs pretrained weights that are not on this machine.

    Args:
        plan: study plan; ``status`` of a run is ``weights absent`` there, ``weights`` the name of what it or, where it
            starts from another (``init``), that one needs.
    """
    runs = {r["run_id"]: r for r in plan["runs"]}
    needs: dict[str, str] = {}
    present = {r["label"] for r in plan["runs"] if r.get("status") != "weights absent"}
    for run in plan["runs"]:
        if run["label"] not in present:
            asked = run
            while not asked.get("weights") and asked.get("init") in runs:
                asked = runs[asked["init"]]
            weights = asked.get("weights")
            what = f"the weights '{weights}'" if weights else "weights that are not on this machine"
            needs.setdefault(run["label"], what)
    return needs


def judge(name: str, claim: dict[str, Any], frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The columns of one claim but its study and name.

    Args:
        name: of the claim.
        claim: its YAML.
        frames: tables of the study; :class:`StudyFrames` also say which labels have no results for want of weights.

    Raises:
        ConfigError: unknown keys or values, or a computation that does not fit the tables.
    """
    problem = claim_problem(name, claim)
    if problem:
        raise ConfigError(problem)
    config = claim.get("compute") or {}
    absent = frames.absent if isinstance(frames, StudyFrames) else {}
    needs = list(dict.fromkeys(absent[label] for label in named_labels(config) if label in absent))
    value, low, high = compute(name, config, frames) if config and not needs else (None, None, None)
    if claim.get("missing"):
        found, note = NOT_TESTABLE, f"needs {claim['missing']}"
    elif needs:
        found, note = NOT_TESTABLE, f"needs {' and '.join(needs)}"
    else:
        found, note = verdict(claim, value, low, high)
    return {
        "statement": claim["statement"],
        "source": claim["source"],
        "published": claim.get("published"),
        "anchor": claim["anchor"],
        "ours": value,
        "low": low,
        "high": high,
        "unit": claim.get("unit") or "",
        "verdict": found,
        "note": note,
    }


def verdict(claim: dict[str, Any], value: float, low: float, high: float) -> tuple[str, str]:
    """Verdict and one sentence why, from our value and interval (see the module's text)."""
    if np.isnan([value, low, high]).any():
        return NOT_TESTABLE, "needs scores that define it: our value is undefined"
    published = claim.get("published")
    if published is None:
        direction, reference = claim.get("direction") or "positive", float(claim.get("reference") or 0.0)
        if direction == "equal":
            off = float(claim.get("tolerance") or 0.0)
            holds = reference - off <= low and high <= reference + off
            word = "lies" if holds else "does not lie"
            band = f" within {off:g} of" if off else " at"
            return (REPRODUCED if holds else NOT_REPRODUCED), f"our interval {word} wholly{band} {reference:g}"
        holds = low > reference if direction == "positive" else high < reference
        side = "above" if direction == "positive" else "below"
        word = "lies" if holds else "does not lie"
        return (REPRODUCED if holds else NOT_REPRODUCED), f"our interval {word} wholly {side} {reference:g}"
    tolerance = float(claim["tolerance"])
    bottom, top = float(published) - tolerance, float(published) + tolerance
    if low < bottom and high > top and high - low > 4 * tolerance:
        return (
            NOT_TESTABLE,
            "needs more seeds, windows or datasets: our interval is more than twice as wide as the band",
        )
    meets = low <= top and high >= bottom
    word = "meets" if meets else "misses"
    return (REPRODUCED if meets else NOT_REPRODUCED), f"our interval {word} {bottom:g} to {top:g}"


def compute(name: str, config: dict[str, Any], frames: Mapping[str, pd.DataFrame]) -> tuple[float, float, float]:
    """Call the function a claim names.

    Raises:
        ConfigError: it cannot be imported or does not take its parameters.
    """
    function = locate(config.get("_target_"), f"claim '{name}'")
    try:
        return function(frames, **{k: v for k, v in config.items() if k != "_target_"})
    except TypeError as e:
        raise ConfigError(f"claim '{name}': {function.__name__} does not take its parameters: {e}") from e


class StudyFrames(Mapping):
    """The tables of a study by name, each read when first asked for.

    Args:
        plan: study plan.
        root: ``results/<scale>``.

    Attributes:
        absent: what labels without any result need (see :func:`labels_without_weights`).
    """

    def __init__(self, plan: dict[str, Any], root: Path) -> None:
        self.absent = labels_without_weights(plan)
        self._folder = root / plan["name"]
        self._schemas = {"runs": RUNS, "scores": SCORES, "comparisons": COMPARISONS}
        self._schemas |= {f"analysis/{a}": None for a in plan["analyses"]}
        self._clusters = partial(clusters_of, plan, root)
        metrics = [
            {"metric": m, "better": c.get("better", "lower"), "worst": worst_value(m, c)}
            for m, c in plan["metrics"].items()
        ]
        self._read = {"metrics": pd.DataFrame(metrics, columns=["metric", "better", "worst"])}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            if name == CLUSTERS:
                self._read[name] = self._clusters()
                return self._read[name]
            if name not in self._schemas:
                raise ConfigError(f"claims: {unknown('table', name, list(self))}")
            self._read[name] = read_frame(self._folder / f"{name}.parquet", self._schemas[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._read, CLUSTERS, *self._schemas]))

    def __len__(self) -> int:
        return len({*self._read, CLUSTERS, *self._schemas})
