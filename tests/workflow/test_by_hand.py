"""Every step by hand: the verbs take override strings, and say in one sentence what is wrong."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from strangecast import api
from strangecast.core.errors import ResultsError
from strangecast.data.store import Dataset
from tests.workflow.line import strangecast

TINY = (
    "dataset=lorenz63", "scale=smoke", "dataset.chaos.sampling.length=768", "dataset.lorenz63.sampling.length=768",
    "dataset.lorenz63.window.context=128", "dataset.lorenz63.window.horizon=128",
    "dataset.lorenz63.window.prefixes=[32,128]", "dataset.lorenz63.lyapunov.periods=20",
)  # fmt: skip
RUN = (*TINY, "emulator=mlp", "training=supervised", "training.updates=40", "training.validate_every=20")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the dataset made."""
    place = tmp_path_factory.mktemp("by_hand")
    strangecast(place, "generate", *TINY)
    return place


@pytest.mark.slow
def test_train_forecast_score(folder):
    out = strangecast(folder, "train", *RUN, "seed=3").stdout
    run = json.loads((folder / out.split()[-1] / "run.json").read_text())
    assert [m["seed"] for m in run["members"]] == [3]
    strangecast(folder, "train", *RUN, "seed=4")
    run = json.loads((folder / out.split()[-1] / "run.json").read_text())
    assert sorted(m["seed"] for m in run["members"]) == [3, 4]
    strangecast(folder, "windows", *TINY)
    strangecast(folder, "forecast", *RUN, "seed=3")
    scored = strangecast(folder, "score", *RUN, "seed=3").stdout
    assert scored.strip().endswith("scores.parquet")
    import pandas as pd

    scores = pd.read_parquet(folder / scored.split()[-1])
    assert set(scores["run_id"]) == {run["members"][0]["run_id"]}
    assert sorted(p.name for p in (folder / "results/smoke/plan").iterdir()) == ["suite"]
    assert set(scores["metric"]) >= {"mse", "smape", "valid_prediction_time"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "emulator=mpl"), "no emulator 'mpl'; did you mean 'mlp'"),
        (("train", *TINY, "emulator=mlp"), "mlp has to be trained; trainings that fit it: supervised"),
        (("train", *TINY, "emulator=persistence", "training=supervised"), "persistence has learns: none"),
        (("train", *TINY, "emulator=mlp", "training=supervised", "emulator.hiden=3"), "did you mean 'hidden'"),
        (("train", "emulator=mlp", "training=supervised", "scale=smoke"), "name a dataset"),
        (("generate", "dataset=chaos", "dataset.system=Lorentz"), "no system 'Lorentz'; did you mean 'Lorenz'"),
        (("generate", "dataset=chaos"), "is a recipe; name a system"),
        (("score", "nowhere.json"), "there is no plan file nowhere.json"),
        (("list", "emulaters"), "no config group 'emulater"),
        (("verify", "results/nowhere"), "nowhere"),
        (("leaderboard", "results/nowhere"), "does not exist"),
        (("train", *RUN, "--device", "cuda"), "cuda"),
        (("train", *RUN, "seed=abc"), "seed must be a whole number of at least 0, found abc"),
        (("train", *RUN, "seed=-1"), "seed must be a whole number of at least 0, found -1"),
        (("train", *RUN, "seed=0.5"), "seed must be a whole number of at least 0, found 0.5"),
        (("forecast", *RUN, "--suite", "chaso"), "no suite 'chaso'"),
        (("score", *RUN, "--suite", "chaso"), "no suite 'chaso'"),
    ],
)  # fmt: skip
def test_wrong_input_is_one_sentence_and_status_2(folder, arguments, sentence):
    done = strangecast(folder, *arguments, ok=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_list_and_show(tmp_path):
    assert "mlp" in strangecast(tmp_path, "list", "emulators").stdout
    assert "Lorenz" in strangecast(tmp_path, "list", "systems").stdout.split()
    shown = strangecast(tmp_path, "show", "emulator=mlp", "emulator.hidden=7").stdout
    assert "hidden: 7" in shown
    assert strangecast(tmp_path, "show", "config").stdout.startswith("# config.yaml")


@pytest.mark.slow
def test_a_cut_shard_is_named_and_nothing_else_is_lost(folder):
    shard = folder / "results/smoke/data/lorenz63/shard-0000.arrow"
    whole = shard.read_bytes()
    manifest = (shard.parent / "manifest.parquet").read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    try:
        done = strangecast(folder, "filter", *TINY, ok=False)
    finally:
        shard.write_bytes(whole)
    assert done.returncode == 2
    assert "shard-0000.arrow is cut short or damaged" in done.stderr
    assert (shard.parent / "manifest.parquet").read_bytes() == manifest


def with_length(length: int) -> tuple[str, ...]:
    """The tiny dataset with trajectories of another length."""
    return tuple(f"{t.split('=')[0]}={length}" if "length" in t else t for t in TINY)


def files(folder) -> dict[str, int]:
    """Times of the files of a folder."""
    return {f.name: f.stat().st_mtime_ns for f in folder.iterdir()}


def test_data_of_other_settings_are_replaced_only_by_force(folder):
    data = folder / "results/smoke/data/lorenz63"
    before = files(data)
    done = strangecast(folder, "generate", *with_length(640), ok=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "data/lorenz63 holds data made by other settings or code" in done.stderr
    assert files(data) == before
    strangecast(folder, "generate", *with_length(640), "--results", "other")
    assert {len(s) for s in Dataset.open(folder / "other/smoke/data/lorenz63").segments("train")} == {640}
    strangecast(folder, "generate", *TINY, "--results", "other", "--force")
    assert {len(s) for s in Dataset.open(folder / "other/smoke/data/lorenz63").segments("train")} == {768}


def test_python_makes_again_just_what_is_stale(tmp_path):
    data = api.generate(*TINY, results=tmp_path)
    first = files(data)
    assert api.generate(*TINY, results=tmp_path) == data
    assert files(data) == first
    api.generate(*TINY, "dataset.lorenz63.noise=0.1", results=tmp_path)
    assert [n for n, at in files(data).items() if at != first[n]] == ["splits.parquet"]
    assert Dataset.open(data).noise == 0.1


def test_python_never_trains_on_data_of_other_settings(tmp_path):
    data = api.generate(*TINY, results=tmp_path)
    before = files(data)
    run = (*with_length(640), "emulator=ridge")
    for _ in range(2):  # a refused call leaves nothing behind that makes the next one believe the data
        with pytest.raises(ResultsError, match="holds data made by other settings or code"):
            api.train(*run, results=tmp_path, device="cpu")
    assert files(data) == before
    api.train(*run, results=tmp_path, device="cpu", force=True)
    assert set(pq.read_table(data / "manifest.parquet")["length"].to_pylist()) == {640}
    made = files(data)
    api.train(*run, results=tmp_path, device="cpu")
    assert files(data) == made
