"""A study of data alone through the whole workflow: from systems to its figures, tables, claims, report and paper."""

from __future__ import annotations

import csv

import pytest

from tests.workflow.line import TINY, planned, snakemake

FIGURES = ("attractor_gallery", "perturbation_ensemble", "pass_rates", "trajectory_lengths")
CLAIM = (
    "study.attractors.claims={finished: {statement: Most are finished., source: this study, anchor: own, reference: 0.5, "
    "compute: {_target_: strangecast.evaluation.claim_rules.analysis_value, analysis: pass_rates, value: rate, "
    "where: {dataset: chaos-Lorenz, group: all, what: status, name: finished}}}}"
)
SETTINGS = {
    "studies": ["attractors"],
    "overrides": [
        *TINY,
        "study.attractors.datasets=[chaos]",
        f"study.attractors.figures=[{','.join(FIGURES)}]",
        CLAIM,
    ],
}


@pytest.mark.slow
def test_a_study_of_data_runs_and_has_nothing_to_do_afterwards(tmp_path):
    snakemake(tmp_path, settings=SETTINGS)
    results = tmp_path / "results" / "smoke"
    for name in FIGURES:
        assert (tmp_path / "figures" / "smoke" / "attractors" / f"{name}.pdf").exists()
    with open(results / "claims.csv", newline="") as f:
        assert [(r["claim"], r["verdict"]) for r in csv.DictReader(f)] == [("finished", "reproduced")]
    assert (results / "checked.txt").read_text().startswith("0 runs of 1 studies")
    assert (results / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert "pass_rates" in (results / "report.html").read_text(encoding="utf-8")
    assert planned(tmp_path, settings=SETTINGS) == {}
    more = {**SETTINGS, "overrides": [*SETTINGS["overrides"], "figure.pass_rates.width=full"]}
    again = planned(tmp_path, settings=more)
    assert again["figure"] == 1
    assert not {"generate", "filter", "split", "analyse", "table"} & set(again)
