"""A complete small results folder, to read or to change."""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.evaluation.synthetic import built_once


@dataclass
class Built:
    """A results folder and its plans."""

    root: Path
    study: dict[str, Any]
    blocks: dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def built() -> Built:
    """Shared by all tests: nobody writes into it."""
    root, study, made = built_once()
    return Built(root, study, {b["emulator"]["name"]: b for b in made})


@pytest.fixture
def results(built, tmp_path) -> Built:
    """A copy of its own."""
    shutil.copytree(built.root, tmp_path / "smoke")
    return Built(tmp_path / "smoke", copy.deepcopy(built.study), copy.deepcopy(built.blocks))
