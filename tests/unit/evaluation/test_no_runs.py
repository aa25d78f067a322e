"""A study of data alone: it has datasets and analyses, and neither runs nor scores."""

from __future__ import annotations

from strangecast.core.schemas import COMPARISONS, RUNS, SCORES
from strangecast.core.tables import read_parquet
from strangecast.evaluation.compare import compare_study


def test_a_study_without_runs_has_empty_tables(tmp_path):
    plan = {"name": "data", "runs": [], "blocks": [], "suites": {}, "metrics": {}, "datasets": ["chaos-Lorenz"]}
    compare_study(plan, tmp_path)
    for name, schema in (("runs", RUNS), ("scores", SCORES), ("comparisons", COMPARISONS)):
        assert read_parquet(tmp_path / "data" / f"{name}.parquet", schema).num_rows == 0
