"""The profile of slurm/ against a real Slurm, judged by Slurm's own records."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.workflow.line import REPOSITORY as ROOT
from tests.workflow.line import SETTINGS
from tests.workflow.slurm.cluster import PREFIX, Cluster

# A site's profile waits longer between questions. Each one without news makes the plugin wait 10 s more for the next,
# so the first is asked when a short job, which starts Snakemake twice, has just ended.
IMPATIENT = ["--latency-wait", "10", "--slurm-init-seconds-before-status-checks", "9"]
IMPATIENT += ["--seconds-between-status-checks", "1"]

TOY = """
BLOCKS = ["one", "two"]

rule all:
    localrule: True
    input: expand("forecast/{b}.txt", b=BLOCKS)

rule filter:
    output: "filter/{d}.txt"
    shell: "echo {resources.mem_mb} > {output}"

rule train:
    input: expand("filter/{d}.txt", d=range(6))
    output: "train/{b}.txt"
    resources: gpu=lambda w: 0
    params: wait=lambda w: 100 if w.b == "one" else 0
    shell: '''
        echo "$SLURM_JOB_ID $CUDA_VISIBLE_DEVICES" >> attempts-{wildcards.b}.txt
        if [ "$(wc -l < attempts-{wildcards.b}.txt)" = 1 ]; then sleep {params.wait}; fi
        echo done > {output}
    '''

rule forecast:
    input: "train/{b}.txt"
    output: "forecast/{b}.txt"
    resources: gpu=lambda w: int(w.b == "two")
    shell: "echo gpus ${{CUDA_VISIBLE_DEVICES-none}} > {output}"
"""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    state = Path(tempfile.mkdtemp(prefix=PREFIX))  # short: the path of a socket has at most 107 letters
    try:
        with Cluster(state / "state", cpus=4) as running:
            yield running
    finally:
        shutil.rmtree(state, ignore_errors=True)


class Run:
    """``snakemake --profile slurm`` in the background, its output in a file, killed after ``limit`` seconds."""

    def __init__(self, folder: Path, *arguments: str, limit: int) -> None:
        self.output = folder.parent / "snakemake.txt"
        command = [sys.executable, "-m", "snakemake", "--profile", "slurm", "all", *IMPATIENT, *arguments]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "SLURM_"))}
        environment |= {"PYTHONPATH": str(folder / "src"), "OMP_NUM_THREADS": "1"}
        with open(self.output, "w") as out:
            self.process = subprocess.Popen(
                ["timeout", "-s", "KILL", str(limit), *command], cwd=folder, env=environment, stdout=out, stderr=out
            )

    def wait(self) -> int:
        return self.process.wait()

    def text(self) -> str:
        return self.output.read_text()

    def cancel_one(self, cluster: Cluster, rule: str, under_way, seconds: float) -> dict[str, str]:
        """Cancel the first running job of ``rule`` for which ``under_way(job)`` holds; its record before that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            for job in of_rule(cluster.jobs(), rule):
                if job["JobState"] == "RUNNING" and under_way(job):
                    cluster.cancel(job["JobId"])
                    return job
            time.sleep(0.1)
        raise AssertionError(f"no running job of rule {rule} was seen in {seconds} s:\n{self.text()[-4000:]}")


def of_rule(jobs: list[dict[str, str]], rule: str) -> list[dict[str, str]]:
    return [job for job in jobs if job["Comment"].startswith(f"rule_{rule}_wildcards_")]


def groups(jobs: list[dict[str, str]]) -> list[dict[str, str]]:
    """Slurm jobs that carry several jobs of Snakemake: rule_<group>_<rules>."""
    return [job for job in jobs if "_wildcards_" not in job["Comment"]]


def has_gpu(job: dict[str, str]) -> bool:
    """Whether Slurm allocated a GPU, and put the job where GPUs are: both or neither."""
    allocated = job.get("JOB_GRES", "(null)").startswith("gpu")
    assert allocated == (job["Partition"] == "gpu"), job
    return allocated


def megabytes(job: dict[str, str]) -> int:
    tres = dict(part.split("=") for part in job["TRES"].split(","))
    value, unit = float(tres["mem"][:-1]), tres["mem"][-1]
    return round(value * {"M": 1, "G": 1024}[unit])


def minutes(job: dict[str, str], cluster: Cluster) -> int:
    return int(cluster.completed()[job["JobId"]]["TimeLimit"])


def assert_retried(cluster: Cluster, cancelled: dict[str, str]) -> None:
    """The cancelled job was submitted again as a new Slurm job, with more memory and time, and completed."""
    records = cluster.completed()
    assert records[cancelled["JobId"]]["JobState"] == "CANCELLED"
    same = [job for job in cluster.jobs() if job["Comment"] == cancelled["Comment"]]
    again = [job for job in same if job["JobState"] == "COMPLETED"]
    assert len(again) == 1, same
    assert int(again[0]["JobId"]) > int(cancelled["JobId"])
    assert megabytes(again[0]) > megabytes(cancelled)
    assert minutes(again[0], cluster) > minutes(cancelled, cluster)


@pytest.mark.slurm
@pytest.mark.slow
def test_profile_places_groups_and_retries_jobs(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    for name in ("slurm", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "Snakefile").write_text(TOY)
    run = Run(folder, limit=150)
    cancelled = run.cancel_one(
        cluster,
        "train",
        lambda job: job["Comment"].endswith("_one") and (folder / "attempts-one.txt").exists(),
        seconds=90,
    )
    assert run.wait() == 0, run.text()
    assert_retried(cluster, cancelled)
    jobs = [job for job in cluster.jobs() if job["JobState"] == "COMPLETED"]
    assert all(cluster.completed()[job["JobId"]]["JobState"] == "COMPLETED" for job in jobs)

    train = of_rule(jobs, "train")
    assert len(train) == 2
    assert all(has_gpu(job) for job in train)
    devices = [line.split() for b in ("one", "two") for line in (folder / f"attempts-{b}.txt").open()]
    assert len(devices) == 3
    assert all(len(fields) == 2 for fields in devices), "no CUDA_VISIBLE_DEVICES in a training job"
    forecast = {job["Comment"].rpartition("_")[2]: has_gpu(job) for job in of_rule(jobs, "forecast")}
    assert forecast == {"one": False, "two": True}

    # Six small jobs in one Slurm job that asks for two processors, not six.
    (grouped,) = groups(jobs)
    assert (grouped["Comment"], grouped["NumCPUs"], has_gpu(grouped)) == ("rule_prepare_filter", "2", False)
    logs = {path.parent.parent.name for path in (folder / ".snakemake" / "slurm_logs").rglob("*.log")}
    assert {"rule_train", "rule_forecast"} <= logs


def test_profile_needs_no_accounting_and_retries_by_itself() -> None:
    profile = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())
    assert profile["executor"] == "slurm"
    assert profile["slurm-status-command"] == "squeue"
    assert profile["retries"] == 2
    assert profile["slurm-keep-successful-logs"] is True
    sizes = [profile["default-resources"], *profile["set-resources"].values()]
    grown = [value for size in sizes for name, value in size.items() if name in ("mem_mb", "runtime")]
    assert grown
    assert all("* attempt" in value for value in grown)
    assert {"gpu", "lane"} <= set(profile["set-resource-scopes"])
    small = {rule for rule, size in profile["set-resources"].items() if "lane" in size}
    assert small == set(profile["groups"])
    assert set(profile["groups"].values()) == set(profile["group-components"])


def test_rules_leave_retries_to_the_profile() -> None:
    # Snakemake would run the second attempt of a rule with its own `retries` inside the first one's allocation.
    rules = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    assert "retries:" not in rules


def test_rules_of_the_profile_exist() -> None:
    profile = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())
    rules = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    for name in {*profile["set-resources"], *profile["groups"]}:
        assert f"\nrule {name}:\n" in rules, f"slurm/config.yaml speaks of a rule {name} that does not exist"


def test_default_profile_says_nothing_about_executors_or_resources() -> None:
    profile = yaml.safe_load((ROOT / "profiles" / "default" / "config.yaml").read_text())
    assert profile == {"cores": "all", "rerun-incomplete": True}


@pytest.mark.slurm
@pytest.mark.slow
def test_whole_paper_at_smoke_scale(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "strangecast"
    copy_working_tree(folder)
    # The smoke scale with short training: what is tested here is where jobs run.
    settings = {key: value for key, value in SETTINGS.items() if key != "scale"}
    (folder / "config.local.yaml").write_text(yaml.safe_dump(settings))
    run = Run(folder, "--config", "scale=smoke", limit=900)
    logs = folder / "results" / "smoke" / "log" / "train"
    cancelled = run.cancel_one(cluster, "train", lambda job: any(logs.rglob("*.log")), seconds=600)
    assert run.wait() == 0, run.text()[-8000:]
    assert_retried(cluster, cancelled)

    results = folder / "results" / "smoke"
    for name in ("paper.pdf", "report.html", "leaderboard.csv", "checked.txt"):
        assert (results / name).stat().st_size > 0
    jobs = [job for job in cluster.jobs() if job["JobState"] == "COMPLETED"]
    records = cluster.completed()
    assert all(records[job["JobId"]]["JobState"] == "COMPLETED" for job in jobs)
    assert all(records[job["JobId"]]["Partition"] == job["Partition"] for job in jobs)

    plans = [json.loads(path.read_text()) for path in (results / "plan").rglob("*.json")]
    blocks = {comment_of(plan["folder"]): plan for plan in plans if plan.get("kind") == "block"}
    trained = [plan for plan in blocks.values() if plan["training"]]
    train = of_rule(jobs, "train")
    assert len(train) == len(trained) >= 2
    assert all(has_gpu(job) for job in train)
    assert {job["Comment"].split("_")[1] for job in groups(jobs)} == {"prepare", "score", "draw"}
    assert all(int(job["NumCPUs"]) <= 2 for job in groups(jobs))
    for job in jobs:
        if job not in train and has_gpu(job):
            assert asks_for_gpu(job, blocks), f"{job['Comment']} got a GPU that no YAML asks for"


def comment_of(folder: str) -> str:
    """How a block's folder runs/<data>/<emulator>/<training>/<block> shows in a Slurm comment."""
    return "_".join(folder.split("/")[1:])


def asks_for_gpu(job: dict[str, str], blocks: dict[str, dict]) -> bool:
    """Whether the emulator's YAML of a forecast job, or the analysis' one of an analyse job, says ``gpu: true``."""
    comment = job["Comment"]
    if comment.startswith("rule_forecast_"):
        return any(block in comment and plan["emulator"]["config"].get("gpu") for block, plan in blocks.items())
    if comment.startswith("rule_analyse_"):
        folder = ROOT / "src" / "strangecast" / "conf" / "analysis"
        asking = [p.stem for p in folder.glob("*.yaml") if (yaml.safe_load(p.read_text()) or {}).get("gpu")]
        return any(comment.endswith(f"_{name}") for name in asking)
    return False


def copy_working_tree(target: Path) -> None:
    """What a clone of the working tree would hold: tracked files and new ones that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
