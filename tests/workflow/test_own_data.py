"""A user with recordings follows docs/own_data.md to the letter, in a clone of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.pages import REPOSITORY, blocks, clone, recipe_files
from tests.workflow.line import environment
from tests.workflow.test_newcomer import lines, run

pytestmark = pytest.mark.slow
PAGE = REPOSITORY / "docs" / "own_data.md"
DATASETS = "src/strangecast/conf/dataset"


@pytest.fixture(scope="module")
def user(tmp_path_factory) -> Path:
    """A clone with the recordings and the YAML files of the page."""
    folder = clone(tmp_path_factory.mktemp("own") / "strangecast")
    for path, text in recipe_files(PAGE).items():
        assert not (folder / path).exists(), path
        (folder / path).write_text(text, encoding="utf-8")
    python(folder, blocks(PAGE, "python")[0].text)
    assert (folder / "pendulum.csv").exists()
    assert np.load(folder / "pendulum.npy").shape == (3, 6000, 4)
    return folder


def python(folder: Path, code: str) -> str:
    """Run a snippet of the page in a clone."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(PYTHONPATH=str(folder / "src")), text=True,
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def chain(dataset: str) -> list[str]:
    """The page's five commands, for one of its two datasets."""
    five = [line for line in lines(PAGE, "strangecast") if "dataset=pendulum" in line]
    assert [line.split()[1] for line in five] == ["import", "windows", "train", "forecast", "score"]
    return [line.replace("dataset=pendulum", f"dataset={dataset}") for line in five]


def test_a_table_is_imported_learned_forecast_and_scored(user):
    for line in chain("pendulum"):
        run(user, line)
    printed = python(user, blocks(PAGE, "python")[1].text)
    for metric in ("mse", "nrmse", "smape"):
        assert metric in printed
    assert "valid_prediction_time" not in printed
    scores = pd.concat(map(pd.read_parquet, (user / "results/smoke/runs/pendulum").rglob("scores.parquet")))
    first = scores[(scores["metric"] == "nrmse") & (scores["horizon"] == 32)]["value"]
    assert len(first) == 8
    assert first.median() < 0.5  # ridge on delays follows a pendulum for a while


@pytest.mark.parametrize("dataset", ["pendula", "pendula_hdf5"])
def test_an_array_of_trajectories_is_split_by_trajectory(user, dataset):
    run(user, chain(dataset)[0])
    splits = pd.read_parquet(user / f"results/smoke/data/{dataset}/splits.parquet")
    assert splits["split"].astype(str).tolist() == ["train", "validation", "test"]


def test_what_is_exported_is_imported_again(user):
    run(user, chain("pendula")[0])
    run(user, "strangecast export dataset=pendula scale=smoke --to exported --format gluonts")
    variant(user, "again", "pendula", **{"pendulum.npy": "exported"})
    run(user, chain("again")[0])
    folders = [user / "results/smoke/data" / name for name in ("again", "pendula")]
    again, first = (sorted(pd.read_parquet(f / "manifest.parquet")["sha256"]) for f in folders)
    assert again == first


def test_own_data_get_a_leaderboard(user):
    (line,) = lines(PAGE, "snakemake")
    tiny = '["training.supervised.updates=40","training.supervised.validate_every=20"]'
    run(user, line, f"overrides={tiny}", "seeds=1", "device=cpu")
    board = pd.read_csv(user / "results/smoke/leaderboard.csv")
    assert set(board["emulator"]) == {"persistence", "climatology", "ridge", "mlp"}
    assert set(board["suite"]) == {"pendula"}


# Wrong inputs: one sentence, exit status 2


def refused(folder: Path, dataset: str) -> str:
    """What ``strangecast import`` says of a dataset it must refuse."""
    done = subprocess.run(
        [sys.executable, "-m", "strangecast", "import", f"dataset={dataset}", "scale=smoke"],
        cwd=folder, env=environment(PYTHONPATH=str(folder / "src")), text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / f"results/smoke/data/{dataset}").exists()
    return done.stderr


def variant(user: Path, name: str, base: str, **replaced: str) -> None:
    """A dataset YAML of the page under another name with some texts replaced."""
    text = (user / DATASETS / f"{base}.yaml").read_text(encoding="utf-8")
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    (user / DATASETS / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_a_missing_value_is_named_with_its_place(user):
    array = np.load(user / "pendulum.npy")
    array[1, 2345, 2] = np.nan
    np.save(user / "holes.npy", array)
    variant(user, "holes", "pendula", **{"pendulum.npy": "holes.npy"})
    said = refused(user, "holes")
    for word in ("holes.npy", "trajectory 1", "2345", "rate_a"):
        assert word in said


def test_a_missing_column_is_named_with_the_nearest_one(user):
    variant(user, "column", "pendulum", rate_b="rate_c")
    assert "no column 'rate_c'" in refused(user, "column")
    assert "'rate_b'" in refused(user, "column")


def test_a_short_trajectory_is_told_how_long_it_must_be(user):
    pd.read_csv(user / "pendulum.csv").iloc[:200].to_csv(user / "short.csv", index=False)
    variant(user, "short", "pendulum", **{"pendulum.csv": "short.csv"})
    said = refused(user, "short")
    assert "200 samples" in said
    assert "256" in said


def test_times_that_go_back_and_text_and_missing_files_are_refused(user):
    frame = pd.read_csv(user / "pendulum.csv")
    frame.loc[[10, 11], "time"] = frame.loc[[11, 10], "time"].to_numpy()
    frame.to_csv(user / "back.csv", index=False)
    variant(user, "back", "pendulum", **{"pendulum.csv": "back.csv"})
    assert "times must increase" in refused(user, "back")

    frame["sin_a"] = "high"
    frame.to_csv(user / "text.csv", index=False)
    variant(user, "text", "pendulum", **{"pendulum.csv": "text.csv"})
    assert "'sin_a'" in refused(user, "text")

    variant(user, "absent", "pendulum", **{"pendulum.csv": "absent.csv"})
    assert "absent.csv does not exist" in refused(user, "absent")


def test_undeclared_channels_are_asked_for(user):
    variant(user, "undeclared", "pendulum", **{"  channels: [sin_a, sin_b, rate_a, rate_b]\n": ""})
    assert "channels" in refused(user, "undeclared")


def test_the_page_needs_nothing_of_this_machine():
    assert os.path.expanduser("~") not in PAGE.read_text(encoding="utf-8")
