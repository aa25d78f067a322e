"""The small results folder of the evaluation's tests."""

from __future__ import annotations

from tests.unit.evaluation.conftest import built, results

__all__ = ["built", "results"]
