"""Plans of every scale, exact job counts, and what wrong input gets to read, without running a job."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.workflow.line import REPOSITORY, command, environment, planned, snakemake

DATA = ("generate", "filter", "split", "windows")


@pytest.mark.parametrize(
    ("scale", "systems", "dimensions", "figures"), [("smoke", 3, None, None), ("laptop", 8, None, None)]
)
def test_exact_job_counts(tmp_path, scale, systems, dimensions, figures):
    from strangecast.workflow.compose import Registry
    from strangecast.workflow.datasets import Datasets

    registry = Registry()
    names = Datasets(registry, scale).corpus("chaos")
    assert len(names) >= systems
    groups = {(Datasets(registry, scale).info(n).channels) for n in names}
    study = registry.option("study", "crossover", scale)
    points = sum(len(r["sweep"]["training.rollout_steps"]) for r in study["runs"] if r.get("sweep"))
    trained = len(groups) * (points + 1)  # MLP at each point, ridge
    baselines = 2
    jobs = planned(tmp_path, settings={"scale": scale, "seeds": None, "overrides": []})
    assert jobs == {
        "generate": len(names),
        "filter": len(names),
        "split": len(names),
        "windows": 1,
        "train": trained,
        "forecast": trained + baselines,
        "score": trained + baselines,
        "compare": 1,
        "claims": 1,
        "analyse": len(study["analyses"]),
        "table": len(study["tables"]),
        "figure": len(study["figures"]),
        "check_results": 1,
        "summarise": 1,
        "report": 1,
        "paper": 1,
    }


def test_full_scale_plans(tmp_path):
    jobs = planned(tmp_path, settings={"scale": "full", "seeds": None, "overrides": []})
    assert jobs["generate"] >= 40
    assert jobs["train"] >= 10


def test_figures_need_only_what_figures_need(tmp_path):
    jobs = planned(tmp_path, "figures/")
    assert not {"paper", "report", "summarise", "check_results", "table"} & set(jobs)
    assert jobs == planned(tmp_path, "figures")


def test_a_study_of_data_plans_beside_a_comparison(tmp_path):
    from strangecast.workflow.compose import Registry

    study = Registry().option("study", "attractors", "smoke")
    own = {"studies": ["attractors"], "overrides": []}
    jobs = planned(tmp_path, settings=own)
    assert not {"train", "forecast", "score", "windows"} & set(jobs)
    assert jobs["analyse"] == len(study["analyses"])
    assert jobs["figure"] == len(study["figures"])
    assert jobs["filter"] == jobs["split"] == len(study["datasets"])
    both = planned(tmp_path, settings={"studies": ["crossover", "attractors"], "overrides": []})
    alone = planned(tmp_path, settings={"overrides": []})
    once = {"check_results", "summarise", "report", "paper"}
    assert both == {rule: alone.get(rule, 0) + (0 if rule in once else jobs.get(rule, 0)) for rule in {**alone, **jobs}}


@pytest.mark.parametrize(
    ("target", "rules"), [("lyapunov", {"exponents"}), ("benchmarks", {"run_benchmark", "work_precision"})]
)
def test_what_only_its_own_target_asks_for(tmp_path, target, rules):
    assert set(planned(tmp_path, target)) - {target} == rules
    assert not rules & set(planned(tmp_path))


def test_another_scale_is_addressable(tmp_path):
    jobs = planned(
        tmp_path, "results/laptop/suites/chaos/windows.parquet", settings={"scale": "smoke", "overrides": []}
    )
    assert set(jobs) == set(DATA)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"studys": []}, "no key 'studys'; did you mean 'studies'"),
        ({"studies": ["crosover"]}, "no study 'crosover'; did you mean 'crossover'"),
        ({"seeds": 0}, "seeds: 0 is less than the minimum of 1"),
        ({"overrides": ["emulator.mpl.hidden=3"]}, "emulator.mpl.hidden"),
        (
            {"overrides": ["study.crossover.runs=[{data: none, emulator: mpl}]"]},
            "no emulator 'mpl'; did you mean 'mlp'",
        ),
        (
            {"overrides": ["study.crossover.runs=[{each: chaos, emulator: persistence, training: supervised}]"]},
            "persistence has learns: none",
        ),
        ({"scale": "lapptop"}, "scale: 'lapptop' is not one of"),
    ],
)
def test_wrong_settings_stop_before_any_job(tmp_path, settings, sentence):
    text = snakemake(tmp_path, settings=settings, options=("-n",), ok=False)
    assert sentence in text
    assert "Traceback" not in text


def test_a_missing_profile_is_named(tmp_path):
    text = snakemake(tmp_path, options=("-n", "--profile", "sluurm"), ok=False)
    assert "sluurm" in text
    assert "Traceback" not in text


def test_without_the_package_a_sentence_says_what_to_do(tmp_path):
    arguments = command(tmp_path, options=("-n",))
    shadow = tmp_path / "shadow" / "strangecast"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text("raise ImportError('no such package')\n")
    done = subprocess.run(
        arguments, env=environment(PYTHONPATH=str(shadow.parent)), text=True, capture_output=True, check=False
    )
    assert done.returncode != 0
    assert "run `make setup`" in done.stdout + done.stderr


def test_older_results_are_refused_untouched(tmp_path):
    old = tmp_path / "results" / "smoke"
    (old / "runs").mkdir(parents=True)
    (old / "format.json").write_text('{"format": 0}')
    text = snakemake(tmp_path, options=("-n",), ok=False)
    assert "format 0, this one reads 1" in text
    assert sorted(p.name for p in old.iterdir()) == ["format.json", "runs"]


def test_read_only_results_are_one_sentence(tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    user = ()
    if os.geteuid() == 0:  # root writes anywhere: a read-only file system it cannot
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro", "none", str(results)], check=False, capture_output=True
        )
        if mounted.returncode:
            pytest.skip("running as root, and no read-only file system can be mounted here")
        user = ("umount",)
    else:
        results.chmod(0o500)
    try:
        text = snakemake(tmp_path, options=("-n",), ok=False)
    finally:
        if user:
            subprocess.run(["umount", str(results)], check=True)
        else:
            results.chmod(0o700)
    assert "cannot write" in text
    assert "Traceback" not in text


def test_snakemakes_own_lint_and_format():
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint", "-s", str(REPOSITORY / "Snakefile"), "--workflow-profile", "none"],
        cwd=REPOSITORY, env=environment(), text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    program = shutil.which("snakefmt", path=environment()["PATH"])
    done = subprocess.run(
        [program, "--check", "Snakefile", "rules"], cwd=REPOSITORY, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_snakefile_stays_short_and_every_rule_is_documented():
    assert len((REPOSITORY / "Snakefile").read_text().splitlines()) < 80
    for file in (REPOSITORY / "rules").glob("*.smk"):
        lines = file.read_text().splitlines()
        for i, line in enumerate(lines):
            if line.startswith("rule "):
                assert lines[i + 1].strip().startswith('"""'), f"{file.name}: {line}"
