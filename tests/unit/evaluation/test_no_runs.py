"""A study of data alone: it has datasets and analyses, and neither runs nor scores."""

from __future__ import annotations

import json
import os
import shutil

import pandas as pd
import pytest

from strangecast.core.atomic import write_json
from strangecast.core.schemas import COMPARISONS, RUNS, SCORES
from strangecast.core.tables import read_parquet
from strangecast.data.stale import stale_files
from strangecast.evaluation.check import check_results, write_checked
from strangecast.evaluation.compare import compare_study
from strangecast.evaluation.summary import write_summaries
from strangecast.evaluation.verify import verify_results
from strangecast.workflow.adopt import LONG_AGO, adopt
from tests.unit.paper.synthetic_data import DataStudy


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return DataStudy(tmp_path_factory.mktemp("no-runs") / "results" / "smoke").write()


@pytest.fixture
def study(made, tmp_path):
    """A copy to spoil."""
    copy = DataStudy(tmp_path / "results" / "smoke")
    shutil.copytree(made.root, copy.root)
    return copy


def test_a_study_without_runs_has_empty_tables(tmp_path):
    plan = {"name": "data", "runs": [], "blocks": [], "suites": {}, "metrics": {}, "datasets": ["chaos-Lorenz"]}
    compare_study(plan, tmp_path)
    for name, schema in (("runs", RUNS), ("scores", SCORES), ("comparisons", COMPARISONS)):
        assert read_parquet(tmp_path / "data" / f"{name}.parquet", schema).num_rows == 0


def test_nothing_is_wrong_with_it(study, tmp_path):
    assert check_results([study.plan], study.root) == []
    write_checked([study.plan], tmp_path / "checked.txt")
    assert (tmp_path / "checked.txt").read_text() == "0 runs of 1 studies checked: nothing wrong\n"


def test_its_claims_are_listed_and_its_leaderboard_is_empty(study):
    write_summaries([study.plan], study.root)
    claims = pd.read_csv(study.root / "claims.csv")
    assert set(claims["claim"]) == set(study.plan["claims"])
    assert len(pd.read_csv(study.root / "leaderboard.csv")) == 0
    assert verify_results(study.root) == []


def test_it_stands_beside_a_study_with_runs(study, results):
    shutil.copytree(study.root / study.name, results.root / study.name)
    for folder in ("data", "plan"):
        shutil.copytree(study.root / folder, results.root / folder, dirs_exist_ok=True)
    plans = [results.study, study.plan]
    before = check_results([results.study], results.root)
    assert check_results(plans, results.root) == before
    if not (results.root / results.study["name"] / "claims.parquet").exists():
        from strangecast.evaluation.claims import judge_claims

        judge_claims(results.study, results.root)
    write_summaries(plans, results.root)
    board = pd.read_csv(results.root / "leaderboard.csv")
    write_summaries([results.study], results.root)
    pd.testing.assert_frame_equal(board, pd.read_csv(results.root / "leaderboard.csv"))


def test_data_of_other_settings_are_named(study):
    plan = study.root / "plan" / "dataset" / "skew.json"
    changed = json.loads(plan.read_text())
    changed["hash"]["split"] = "other"
    write_json(plan, changed)
    assert stale_files(changed, study.root) == {"splits.parquet": "split"}
    problems = check_results([study.plan], study.root)
    assert problems == [
        "data/skew/splits.parquet: it is absent, or was made by other settings or code; run the rule split again"
    ]


def test_results_copied_from_elsewhere_are_adopted(study):
    (study.root / "checked.txt").write_text("0 runs of 1 studies checked: nothing wrong\n")
    assert adopt(study.root) == []
    assert (study.root / "checked.txt").exists()
    times = [
        os.stat(study.root / f).st_mtime
        for f in (
            "data/skew/shard-0000.arrow", "data/skew/splits.parquet", "attractors/analysis/pass_rates.parquet",
            "attractors/claims.parquet",
        )
    ]  # fmt: skip
    assert times == sorted(times)
    assert times[0] > LONG_AGO
