"""A newcomer follows docs/add_an_emulator.md and docs/tutorial.md to the letter, in a clone of their own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.pages import REPOSITORY, blocks, clone, recipe_files
from tests.workflow.line import TINY, counted, environment

pytestmark = pytest.mark.slow
EMULATOR, TUTORIAL = REPOSITORY / "docs" / "add_an_emulator.md", REPOSITORY / "docs" / "tutorial.md"
LEADERBOARD = "results/smoke/leaderboard.csv"
# One system and trainings of seconds; everything else as it is delivered.
SETTINGS = {"device": "cpu", "seeds": 1, "overrides": [*TINY, "corpus.chaos.systems=[Lorenz]"]}
BY_HAND = ("training.updates=40", "training.validate_every=20")


def run(folder: Path, line: str, *more: str) -> str:
    """Run one line of the docs in a clone and return what it printed."""
    words = [*shlex.split(line), *more]
    words[:1] = [sys.executable, "-m", words[0]]
    done = subprocess.run(
        words, cwd=folder, env=environment(PYTHONPATH=str(folder / "src")), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout[-5000:]}"
    return done.stdout


def lines(page: Path, program: str) -> list[str]:
    """Lines of the shell blocks of a page that call a program."""
    found = [line for b in blocks(page, "sh") for line in b.text.splitlines()]
    return [line for line in found if line.split()[:1] == [program]]


def write_recipes(folder: Path, page: Path, wanted: str) -> list[str]:
    """Write the files of a page whose path contains a word."""
    files = {path: text for path, text in recipe_files(page).items() if wanted in path}
    for path, text in files.items():
        assert not (folder / path).exists(), path
        (folder / path).write_text(text, encoding="utf-8")
    return list(files)


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory) -> Path:
    """A clone in which the workflow has run up to the leaderboard."""
    folder = clone(tmp_path_factory.mktemp("newcomer") / "strangecast")
    (folder / "config.local.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    run(folder, f"snakemake {LEADERBOARD} --config scale=smoke")
    return folder


def test_a_new_emulator_is_one_file_and_one_yaml_and_gets_its_row(newcomer):
    before = weights(newcomer)
    assert write_recipes(newcomer, EMULATOR, "quadratic") == [
        "src/strangecast/emulators/quadratic.py", "src/strangecast/conf/emulator/quadratic.yaml",
    ]  # fmt: skip

    by_hand = [line for line in lines(EMULATOR, "strangecast") if "leaderboard" not in line]
    assert [line.split()[1] for line in by_hand] == ["show", "generate", "windows", "train", "forecast", "score"]
    for line in by_hand:
        run(newcomer, line, *(BY_HAND if "training=" in line else ()))

    (entry,) = [b.text for b in blocks(EMULATOR, "yaml") if "quadratic" in b.text and b.file is None]
    study = newcomer / "src/strangecast/conf/study/crossover.yaml"
    text = study.read_text(encoding="utf-8")
    assert text.count("\nruns:\n") == 1
    study.write_text(text.replace("\nruns:\n", f"\nruns:\n{entry}"), encoding="utf-8")

    dry, real = [line for line in lines(EMULATOR, "snakemake")]
    assert "-n" in dry.split()
    jobs = counted(run(newcomer, dry))
    assert jobs["train"] == jobs["forecast"] == jobs["score"] == 1
    assert not set(jobs) & {"generate", "filter", "split", "windows"}
    run(newcomer, real)
    after = weights(newcomer)
    assert all(after[file] == content for file, content in before.items())

    board = pd.read_csv(newcomer / LEADERBOARD)
    assert "quadratic" in set(board["emulator"])
    (line,) = [line for line in lines(EMULATOR, "strangecast") if "leaderboard" in line]
    assert "Quadratic stepper" in run(newcomer, line)


def weights(folder: Path) -> dict[str, bytes]:
    """Content of every weights file of the study."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.glob("results/smoke/runs/chaos/**/*.safetensors")
    }


def test_the_contract_tests_find_the_new_emulator(newcomer):
    if not (newcomer / "src/strangecast/emulators/quadratic.py").exists():
        write_recipes(newcomer, EMULATOR, "quadratic")
    (line,) = lines(EMULATOR, "pytest")
    printed = run(newcomer, line, "-q", "-p", "no:cacheprovider")
    assert " passed" in printed


def test_a_new_metric_is_one_function_and_one_yaml(newcomer):
    files = write_recipes(newcomer, TUTORIAL, "greatest_error")
    assert len(files) == 2
    (line,) = [line for line in lines(TUTORIAL, "snakemake") if "greatest_error" in line]
    words = shlex.split(line)
    (given,) = [w for w in words if w.startswith("overrides=")]
    overrides = SETTINGS["overrides"] + json.loads(given.partition("=")[2])
    line = (
        shlex.join([w for w in words if w not in (given, "seeds=3")])
        + f" {shlex.quote(f'overrides={json.dumps(overrides)}')}"
    )
    jobs = counted(run(newcomer, line, "seeds=1", "-n", "--quiet", "rules"))
    assert jobs["score"] >= 4
    assert not set(jobs) & {"train", "forecast", "generate"}
    run(newcomer, line, "seeds=1")
    assert "greatest_error" in pd.read_csv(newcomer / LEADERBOARD).columns


def test_the_page_needs_nothing_of_this_machine():
    text = EMULATOR.read_text(encoding="utf-8") + TUTORIAL.read_text(encoding="utf-8")
    assert str(REPOSITORY) not in text
    assert os.path.expanduser("~") not in text
