"""The whole line at tiny size: built once, then edited, damaged, copied and killed.

One folder is built from nothing; each test works on its own copy (times preserved, as ``cp -a`` would).
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.pages import clone
from tests.workflow.browser import dom
from tests.workflow.line import SETTINGS, command, environment, planned, snakemake, source, strangecast

pytestmark = pytest.mark.slow
ROOT = Path("results/smoke")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A clone in which ``snakemake all`` has run."""
    folder = clone(tmp_path_factory.mktemp("built") / "strangecast")
    snakemake(folder)
    return folder


@pytest.fixture
def copy(built, tmp_path):
    """A copy of the built folder with its times and Snakemake's memory."""
    folder = tmp_path / "copy"
    shutil.copytree(built, folder, symlinks=True)
    return folder


def bits(folder: Path, *patterns: str) -> dict[str, bytes]:
    """Bytes of the files that must not depend on when and where they were made."""
    patterns = patterns or ("runs/**/weights.safetensors", "runs/**/scores.parquet", "runs/**/history.parquet")
    root = folder / ROOT
    return {p.relative_to(root).as_posix(): p.read_bytes() for pattern in patterns for p in sorted(root.glob(pattern))}


def mlp_plan(folder: Path) -> Path:
    """Plan file of the first block of the MLP."""
    return sorted((folder / ROOT / "plan" / "block").glob("chaos/mlp/supervised/*.json"))[0]


# Everything is there


def test_all_makes_everything(built):
    root = built / ROOT
    for name in ("claims.csv", "leaderboard.csv", "report.html", "paper.pdf", "checked.txt"):
        assert (root / name).stat().st_size > 30, name
    figures = list((built / "figures" / "smoke").rglob("*.pdf"))
    assert len(figures) >= 3
    assert all(f.with_suffix(".png").exists() for f in figures)
    for table in (root / "crossover" / "tables").glob("*.csv"):
        assert table.with_suffix(".md").exists()
        assert table.with_suffix(".tex").exists()


def test_every_planned_run_is_in_every_table(built):
    runs = pd.read_parquet(built / ROOT / "crossover" / "runs.parquet")
    plan = json.loads((built / ROOT / "plan" / "study" / "crossover.json").read_text())
    assert set(runs["run_id"]) == {r["run_id"] for r in plan["runs"]}
    scores = pd.read_parquet(built / ROOT / "crossover" / "scores.parquet")
    assert set(scores["run_id"]) == set(runs.loc[runs["status"] == "done", "run_id"])


def test_second_run_has_nothing_to_do(built):
    assert "Nothing to be done" in snakemake(built)


def test_figures_target_in_both_spellings(built):
    for target in ("figures/", "figures"):
        assert "Nothing to be done" in snakemake(built, target)


def test_the_report_opens_and_shows_every_figure(built, tmp_path):
    """A copy of the report that writes into its title what its own scripts found."""
    report = (built / ROOT / "report.html").read_text(encoding="utf-8")
    script = """<script>window.addEventListener("load", () => setTimeout(() => {
        const names = Object.keys(results);
        const shown = names.filter(n => n.endsWith(".png") && results[n].caption.length > 20);
        document.title = `figures ${shown.length} tables ${names.filter(n => n.endsWith(".md")).length}`;
    }, 1000));</script>"""
    page = tmp_path / "report.html"
    page.write_text(report.replace("</body>", f"{script}</body>"), encoding="utf-8")
    figures = len(list((built / "figures" / "smoke").rglob("*.png")))
    tables = len(list((built / ROOT / "crossover" / "tables").glob("*.md")))
    title = re.search(r"<title>(.*?)</title>", dom(page))[1]
    assert title == f"figures {figures} tables {tables}"


def test_one_figure_alone(copy):
    figure = sorted((copy / "figures" / "smoke").rglob("*.pdf"))[0].relative_to(copy)
    before = (copy / figure).read_bytes()
    assert planned(copy, str(figure), options=("-f",)) == {"figure": 1}
    snakemake(copy, str(figure), options=("-f",))
    assert (copy / figure).read_bytes() == before


def test_a_deleted_figure_is_redrawn_alone(copy):
    figure = sorted((copy / "figures" / "smoke").rglob("*.pdf"))[0]
    figure.unlink()
    assert planned(copy, "figures/") == {"figure": 1}


# Exact reruns


def test_a_new_seed_trains_only_that_seed(copy):
    before = run_members(copy)
    snakemake(copy, settings={"seeds": 3})
    after = run_members(copy)
    assert all(after[k] == before[k] for k in before)
    new = set(after) - set(before)
    assert {seed for _, _, seed in new} == {2}
    logs = [p.read_text() for p in (copy / ROOT / "log" / "train" / "chaos" / "mlp").rglob("*.log")]
    counts = [re.search(r"training (\d+) of (\d+) members", text) for text in logs]
    assert len(counts) >= 2
    assert all(3 * int(c[1]) == int(c[2]) for c in counts)  # one seed of three


def run_members(folder: Path) -> dict:
    """Per (dataset, block, seed): seconds and key, which a kept member carries over."""
    found = {}
    for file in (folder / ROOT / "runs").glob("*/*/*/*/run.json"):
        for m in json.loads(file.read_text())["members"]:
            found[m["dataset"], file.parent.name, m["seed"]] = (m["key"], m["train_seconds"])
    return found


def test_a_new_metric_scores_only_that_metric(copy):
    override = [*SETTINGS["overrides"], "study.crossover.metrics=[mse,nrmse,smape,valid_prediction_time,mae]"]
    jobs = planned(copy, settings={"overrides": override})
    assert "train" not in jobs
    assert "forecast" not in jobs
    assert jobs["score"] >= 4
    before = score_values(copy)
    snakemake(copy, "results/smoke/crossover/scores.parquet", settings={"overrides": override})
    after = score_values(copy)
    assert set(after) - set(before) == {"mae"}
    assert all(after[m] == before[m] for m in before)
    logs = [p.read_text() for p in (copy / ROOT / "log" / "score").rglob("*.log")]
    assert all("mae" in text and "kept" in text for text in logs)


def score_values(folder: Path) -> dict[str, list]:
    """Values by metric, in the file's order."""
    frame = pd.read_parquet(folder / ROOT / "crossover" / "scores.parquet").astype({"metric": str})
    return {m: list(part["value"].fillna(-1)) for m, part in frame.groupby("metric")}


def test_regenerating_identical_data_trains_nothing(copy):
    before = run_members(copy)
    snakemake(copy, options=("-R", "generate"))
    assert run_members(copy) == before


def test_reuse_false_trains_again_to_the_same_bits(copy):
    before, members = bits(copy), run_members(copy)
    snakemake(copy, "results/smoke/crossover/scores.parquet", settings={"reuse": False}, options=("-R", "train"))
    assert bits(copy) == before
    after = run_members(copy)
    assert {k: v[0] for k, v in after.items()} == {k: v[0] for k, v in members.items()}
    assert any(after[k][1] != members[k][1] for k in after)


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = file.read_text()
    assert old in text, f"{file} no longer holds {old!r}"
    file.write_text(text.replace(old, new, 1))


def append(file: Path, text: str) -> None:
    """Add a line to a source file."""
    file.write_text(file.read_text() + text)


def test_comments_rerun_nothing(copy):
    source = copy / "src" / "strangecast"
    for name in ("emulators/mlp.py", "training/loop.py", "metrics/mse.py", "core/streams.py", "paper/style.py"):
        append(source / name, "\n# a comment\n")
    append(source / "conf" / "emulator" / "mlp.yaml", "\n# a comment\n")
    assert planned(copy) == {}


@pytest.mark.parametrize(
    ("file", "present", "absent"),
    [
        ("emulators/mlp.py", {"train", "forecast", "score"}, {"generate", "filter", "split", "windows"}),
        ("metrics/smape.py", {"score", "compare"}, {"train", "forecast", "analyse"}),
        ("paper/figures/vpt_distribution.py", {"figure", "paper", "report"}, {"train", "forecast", "score", "compare", "table"}),
        ("evaluation/compare.py", {"compare", "claims"}, {"train", "forecast", "score"}),
    ],
)  # fmt: skip
def test_an_edit_reruns_exactly_what_it_can_change(copy, file, present, absent):
    append(copy / "src" / "strangecast" / file, "\nEDITED = True\n")
    jobs = planned(copy)
    assert present <= set(jobs)
    assert not absent & set(jobs)


def test_editing_one_emulator_retrains_only_it(copy):
    append(copy / "src" / "strangecast" / "emulators" / "ridge.py", "\nEDITED = True\n")
    blocks = len(list((copy / ROOT / "runs").glob("*/ridge/*/*")))
    assert planned(copy)["train"] == blocks


# Killed and resumed


def train_process(folder: Path, **more: str) -> subprocess.Popen:
    """Train the first MLP block in a process of its own."""
    arguments = [
        sys.executable,
        "-m",
        "strangecast",
        "train",
        str(mlp_plan(folder)),
        "--device",
        "cpu",
        "--checkpoint-seconds",
        "0",
    ]
    return subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment(**source(folder), **more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def forget_block(folder: Path) -> Path:
    """Remove what the first MLP block made."""
    block = folder / ROOT / json.loads(mlp_plan(folder).read_text())["folder"]
    shutil.rmtree(block)
    return block


def test_training_killed_at_random_moments_ends_with_the_same_bits(copy):
    block = forget_block(copy)
    start = time.monotonic()
    assert train_process(copy).wait() == 0
    whole = time.monotonic() - start
    expected = (block / "weights.safetensors").read_bytes(), (block / "history.parquet").read_bytes()
    forget_block(copy)
    moments = random.Random(20)
    kills = 0
    while kills < 20:
        process = train_process(copy)
        try:
            process.wait(timeout=moments.uniform(0.3, 1.0) * whole)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        else:
            assert (block / "weights.safetensors").read_bytes() == expected[0]
            forget_block(copy)
        kills += 1
    assert train_process(copy).wait() == 0
    assert ((block / "weights.safetensors").read_bytes(), (block / "history.parquet").read_bytes()) == expected
    assert not (block / "resume").exists()


@pytest.mark.parametrize("moment", ["before_rename", "after_rename"])
@pytest.mark.parametrize("file", ["weights.safetensors", "history.parquet", "run.json", "state.safetensors"])
def test_training_killed_around_a_rename(copy, built, moment, file):
    forget_block(copy)
    assert train_process(copy, STRANGECAST_FAULT=f"{moment}:{file}").wait() == -signal.SIGKILL
    assert train_process(copy).wait() == 0
    assert bits(copy, "runs/**/weights.safetensors") == bits(built, "runs/**/weights.safetensors")


def test_snakemake_killed_at_random_moments_ends_with_the_same_bits(copy, built):
    for part in ("runs", "crossover"):
        shutil.rmtree(copy / ROOT / part)
    moments = random.Random(7)
    target = "results/smoke/crossover/scores.parquet"
    for _ in range(5):
        process = subprocess.Popen(
            command(copy, target), env=environment(**source(copy)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(timeout=moments.uniform(3, 12))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        strangecast(copy, "unlock")
    snakemake(copy, target)
    assert bits(copy) == bits(built)
    assert "Nothing to be done" in snakemake(copy, target)


# Damaged and copied


def flip(file: Path) -> None:
    """Change one byte in the middle of a file."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        ("data/*/shard-0000.arrow", "generate"),
        ("data/*/splits.parquet", "split"),
        ("runs/*/mlp/*/*/weights.safetensors", "train"),
        ("runs/*/mlp/*/*/*/forecasts.arrow", "forecast"),
        ("crossover/scores.parquet", "compare"),
    ],
)
def test_verify_names_a_flipped_byte_and_its_rule(copy, pattern, rule):
    assert "every file is whole" in strangecast(copy, "verify", str(ROOT)).stdout
    file = sorted((copy / ROOT).glob(pattern))[0]
    flip(file)
    done = strangecast(copy, "verify", str(ROOT), ok=False)
    assert done.returncode == 1
    line = next(text for text in done.stdout.splitlines() if file.name in text)
    assert line.endswith(f"made by rule {rule}")
    assert str(file.relative_to(copy / ROOT)) in line


def test_adopt_takes_results_copied_without_times(built, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copytree(
        built, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("results", "figures", ".snakemake")
    )
    for part in ("results", "figures"):
        subprocess.run(["cp", "-r", str(built / part), str(folder / part)], check=True)
    assert "adopted" in strangecast(folder, "adopt", str(ROOT)).stdout
    assert "Nothing to be done" in snakemake(folder)


def test_adopt_refuses_damaged_results(copy):
    flip(sorted((copy / ROOT).glob("runs/*/mlp/*/*/weights.safetensors"))[0])
    done = strangecast(copy, "adopt", str(ROOT), ok=False)
    assert done.returncode == 2
    assert "nothing was adopted" in done.stderr


def test_stale_results_are_found_without_snakemakes_memory(copy):
    shutil.rmtree(copy / ".snakemake")
    settings = {"overrides": [*SETTINGS["overrides"], "emulator.mlp.hidden=24"]}
    snakemake(copy, options=("--touch",), settings=settings)
    plans = str(ROOT / "plan" / "study" / "crossover.json")
    done = strangecast(copy, "check", plans, ok=False)
    assert done.returncode == 1
    assert "train" in done.stdout


def test_where_names_file_and_member(copy):
    (copy / "config.yaml").write_text(json.dumps(SETTINGS | {"studies": ["crossover"]}))
    done = strangecast(copy, "where", "Lorenz", "mlp", "seed=1", "rollout_steps=4")
    assert len(done.stdout.splitlines()) == 1
    folder = done.stdout.split("  ")[0]
    member = int(done.stdout.split("member ")[1].split()[0])
    run = json.loads((copy / folder / "run.json").read_text())["members"][member]
    assert (run["dataset"], run["seed"]) == ("chaos-Lorenz", 1)


def test_scores_do_not_depend_on_who_computed_them(built, copy):
    """Bit-equal scores from another order, another number of workers and one job at a time."""
    for part in ("runs", "crossover"):
        shutil.rmtree(copy / ROOT / part)
    snakemake(copy, "results/smoke/crossover/scores.parquet", options=("--cores", "1", "--scheduler", "greedy"))
    assert bits(copy) == bits(built)


def test_schemas_have_the_format_version(built):
    for file in (built / ROOT).rglob("*.parquet"):
        assert pq.read_schema(file).metadata[b"strangecast.format"] == b"1", file
