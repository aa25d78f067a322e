"""Studies with made-up results, written once per session and only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.paper.synthetic import Study

CASES = {
    "plain": {},
    "alone": {"systems": 1, "labels": 1},
    "lost": {"diverged": True},
    "timeless": {"lyapunov": False},
}


@pytest.fixture(scope="session")
def studies(tmp_path_factory):
    """``studies(case)``: a written study of one of ``CASES``."""
    made: dict[str, Study] = {}

    def study(case: str) -> Study:
        if case not in made:
            root: Path = tmp_path_factory.mktemp(case) / "results" / "smoke"
            made[case] = Study(root, **CASES[case]).write()
        return made[case]

    return study
