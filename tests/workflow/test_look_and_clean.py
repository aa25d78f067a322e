"""Looking at data and removing them by hand: ``strangecast inspect`` and ``strangecast clean``."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from strangecast.cli.main import main
from tests.unit.simulated import three_datasets

PNG = b"\x89PNG"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with three datasets under ``results/smoke``; their plans are those of no configuration here."""
    monkeypatch.chdir(tmp_path)
    three_datasets(tmp_path / "results" / "smoke")
    return tmp_path


def said(capsys, *words: str, status: int = 0) -> str:
    """What a command printed."""
    assert main(list(words)) == status
    out, err = capsys.readouterr()
    if status == 2:
        assert len(err.strip().splitlines()) == 1
        return err
    assert "Traceback" not in err
    return out


def pictures(text: str) -> list[Path]:
    return [Path(line.split("picture")[1].strip()) for line in text.splitlines() if line.strip().startswith("picture")]


# inspect


def test_a_dataset_is_reported_and_drawn(folder, capsys):
    text = said(capsys, "inspect", "dysts_all", "scale=smoke")
    assert "4 whole" in text
    assert (
        "6: Lorenz (flow), ArnoldBeltramiChildress (flow), ForcedVanDerPol (flow, driven), Chua (flow, not smooth)"
        in text
    )
    assert "4 of 7 accepted; rejected by boundedness 2, stationarity 1, integration 1" in text
    assert "240 samples, 1 to 3 channels, 20 per period" in text
    assert "stale" in text  # the configuration here would make it otherwise
    (picture,) = pictures(text)
    assert picture == Path("figures/inspect/dysts_all.png")
    assert picture.read_bytes().startswith(PNG)


def test_a_system_is_looked_for_in_every_dataset(folder, capsys):
    text = said(capsys, "inspect", "Lorenz")
    assert text.count("(results/smoke/data/") == 2  # a parent of a skew product is another system
    assert [p.name for p in pictures(text)] == ["dysts_all-Lorenz.png", "dysts_perturbed-Lorenz.png"]
    assert all(p.read_bytes().startswith(PNG) for p in pictures(text))
    one = said(capsys, "inspect", "dataset=dysts_perturbed", "system=Lorenz", "scale=smoke", "--out", "a/b.png")
    assert "2 of 5 accepted" in one
    assert pictures(one) == [Path("a/b.png")]
    assert "trajectories" not in one


def test_faults_are_named_and_give_status_1(folder, capsys):
    shard = folder / "results/smoke/data/skew/shard-0000.arrow"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    text = said(capsys, "inspect", "skew", "scale=smoke", status=1)
    assert "damaged: shard-0000.arrow" in text
    assert "FAULT" in text
    assert not pictures(text)


def test_without_results_a_system_is_simulated(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = said(
        capsys, "inspect", "Lorenz", "dataset.dysts_all.sampling.length=1100", "dataset.dysts_all.lyapunov=null"
    )
    assert "Lorenz (flow), simulated on the spot as dataset 'dysts_all' would at scale smoke" in text
    assert text.count("[1100, 3]") == 2
    assert pictures(text)[0].read_bytes().startswith(PNG)
    assert not (tmp_path / "results" / "smoke" / "data").exists()
    named = said(capsys, "inspect", "dataset=chaos-Lorenz", "dataset.chaos.lyapunov=null")
    assert "as dataset 'chaos-Lorenz' would" in named
    assert pictures(named) == [Path("figures/inspect/Lorenz.png")]


def test_augmentations_are_drawn_for_one_and_for_two(folder, capsys):
    one = said(capsys, "inspect", "--augment", "Lorenz")
    assert "projected skew" not in one
    assert "name a second system" in one
    two = said(capsys, "inspect", "--augment", "Lorenz", "Rossler")
    assert "projected skew product: Lorenz and Rossler, [240, 3] to [240, 3]" in two
    assert "delay embedding: Lorenz, [220, 3] to [220, 3]" in two
    assert pictures(two) == [Path("figures/inspect/augmented-Lorenz-Rossler.png")]
    assert pictures(two)[0].read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("inspect", "Lorentz"), "no system or dataset 'Lorentz'; did you mean 'Lorenz'"),
        (("inspect", "dataset=dysts_al"), "no dataset 'dysts_al'; did you mean 'dysts_all'"),
        (("inspect", "dataset=skew", "system=Lorenz", "scale=smoke"), "no system 'Lorenz'"),
        (("inspect", "dysts_all", "scale=full"), "is not made yet: run `strangecast generate dataset=dysts_all`"),
        (("inspect", "Lorenz", "Rossler", "Chua"), "one dataset and one system can be named, 'Rossler' is another"),
        (("inspect", "Lorenz", "sistem=x"), "no key 'sistem'; did you mean 'system'"),
        (("inspect", "Lorenz", "scale=huge"), "no scale 'huge'"),
        (("inspect", "Lorenz", "split=test"), "leave split= out"),
        (("inspect", "--augment", "Lorenz", "Rossler", "Chua"), "name one system or two"),
        (("inspect", "--augment", "Lorentz"), "did you mean 'Lorenz'"),
        (("clean", "Lorenz"), "say what to clean as dataset=NAME"),
        (("clean", "system=Lorenz"), "say what to clean as dataset=NAME"),
        (("clean", "dataset=nowhere", "--yes"), "no dataset 'nowhere'"),
        (("clean", "dataset=dysts_all", "system=Lorentz", "--yes"), "no system 'Lorentz'; did you mean 'Lorenz'"),
        (("clean", "dataset=dysts_all", "split=tset", "--yes"), "no split 'tset'; did you mean 'test'"),
        (("clean", "dataset=dysts_all", "scale=full", "--yes"), "there is nothing to clean"),
    ],
)
def test_wrong_input_is_one_sentence_and_status_2(folder, capsys, words, sentence):
    before = sorted(p for p in folder.rglob("*") if p.is_file())
    assert sentence in said(capsys, *words, status=2)
    after = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != ".cache.json")
    assert after == before


# clean


def test_cleaning_says_what_goes_and_what_makes_it_again(folder, capsys):
    data = folder / "results/smoke/data/dysts_all"
    text = said(capsys, "clean", "dataset=dysts_all", "system=Chua", "--yes")
    assert "splits.parquet           made again by rule split" in text
    assert "shard-0001.arrow         made again by rule generate" in text
    assert "the same shards hold trajectories of HyperRossler, MackeyGlass" in text
    assert "strangecast generate dataset=dysts_all scale=smoke" in text
    assert "snakemake results/smoke/data/dysts_all/splits.parquet" in text
    assert [p.name for p in data.iterdir()] == ["shard-0000.arrow"]
    assert "1 whole" in said(capsys, "inspect", "dysts_all", "scale=smoke")


def test_cleaning_asks_first(folder, capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    data = folder / "results/smoke/data/skew"
    held = sorted(data.iterdir())
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert "say --yes" in said(capsys, "clean", "dataset=skew", status=2)
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert "nothing was removed" in said(capsys, "clean", "dataset=skew", status=1)
    assert sorted(data.iterdir()) == held
    monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
    assert "removed 3 files" in said(capsys, "clean", "dataset=skew")
    assert list(data.iterdir()) == []


def test_a_dataset_that_no_configuration_knows_is_cleaned_by_its_plan(folder, capsys):
    results = folder / "results" / "smoke"
    (results / "data" / "skew").rename(results / "data" / "old")
    plan = (results / "plan/dataset/skew.json").read_text().replace('"skew"', '"old"').replace("data/skew", "data/old")
    (results / "plan/dataset/old.json").write_text(plan)
    assert "removed 3 files" in said(capsys, "clean", "dataset=old", "--yes")


# generate


def test_generate_tells_a_terminal_when_it_will_be_done(tmp_path, monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.chdir(tmp_path)
    tiny = ("dataset=lorenz63", "scale=smoke", "dataset.lorenz63.sampling.length=768", "dataset.lorenz63.shard_size=3",
            "dataset.lorenz63.window.context=128", "dataset.lorenz63.window.horizon=128",
            "dataset.lorenz63.window.prefixes=[32,128]", "dataset.lorenz63.lyapunov.periods=20")  # fmt: skip
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(["generate", *tiny]) == 0
    shown = sys.stderr.getvalue()
    assert shown.rstrip().endswith("s")
    assert "6 of 6 trajectories, 100 %" in shown
    assert shown.count("\n") == 1
    out = capsys.readouterr().out
    assert out.count("generated results/smoke/data/lorenz63/shard-") == 2
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert main(["generate", *tiny, "--shard", "1"]) == 0
    assert sys.stderr.getvalue() == ""
