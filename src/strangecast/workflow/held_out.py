"""Which systems a run has seen and which a suite scores: they must not meet unless the study says so.

A skew product counts with its driver and its response on both sides; a recording counts as its dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strangecast.systems.roster import parents_of
from strangecast.workflow.datasets import Datasets
from strangecast.workflow.runs import Run


class HeldOut:
    """Systems behind names, each looked up once.

    Args:
        datasets: resolver of names.
    """

    def __init__(self, datasets: Datasets) -> None:
        self._datasets = datasets
        self._trained: dict[str, frozenset[str]] = {"none": frozenset()}
        self._scored: dict[str, frozenset[str]] = {}

    def met(self, run: Run, runs: Mapping[str, Run], suite: dict[str, Any]) -> list[str]:
        """Systems of a suite that a run, or one it starts from, is trained or selected on; sorted.

        Args:
            run: that is scored.
            runs: all runs by id.
            suite: its plan.
        """
        seen = set(self._of_data(run.data))
        while run.init is not None:
            run = runs[run.init]
            seen |= self._of_data(run.data)
        return sorted(seen & self._of_suite(suite))

    def _of_data(self, data: str) -> frozenset[str]:
        if data not in self._trained:
            names = {*self._datasets.expand(data), *self._datasets.stored(data)}
            self._trained[data] = frozenset(s for d in names for s in self._datasets.info(d).systems("train"))
        return self._trained[data]

    def _of_suite(self, suite: dict[str, Any]) -> frozenset[str]:
        if suite["name"] not in self._scored:
            config = suite["config"]
            part = "test" if config.get("split", "test") == "test" else "train"
            found = {s for d in suite["datasets"] for s in self._datasets.info(d).systems(part)}
            if config.get("systems") is not None:
                found &= {n for s in config["systems"] for n in (s, *parents_of(s))}
            self._scored[suite["name"]] = frozenset(found)
        return self._scored[suite["name"]]
