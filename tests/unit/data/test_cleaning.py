"""What of a dataset has to go, in which order, and what an interruption leaves."""

from __future__ import annotations

import pytest

from strangecast.core.errors import DataError, ResultsError
from strangecast.data.cleaning import remove, to_clean
from strangecast.data.inspection import examine
from tests.unit.simulated import Attempt, SimulatedDataset

SYSTEMS = ["Lorenz", "Lorenz", "Rossler", "Thomas", "Chua", "Chua", "Halvorsen"]


@pytest.fixture
def made(tmp_path):
    attempts = [
        Attempt(
            s,
            ic_index=i,
            split="test" if s == "Halvorsen" else "train",
            failed=("stationarity",) if s == "Thomas" else (),
        )
        for i, s in enumerate(SYSTEMS)
    ]
    return SimulatedDataset(tmp_path, "many", attempts, shard_size=3).write()


def names(cleaning) -> list[str]:
    return [f.name for f in cleaning.files]


def test_a_whole_dataset_goes_from_the_most_derived_file_to_the_shards(made):
    cleaning = to_clean(made.plan, made.root)
    assert names(cleaning) == [
        "splits.parquet", "manifest.parquet", "shard-0000.arrow", "shard-0001.arrow", "shard-0002.arrow",
    ]  # fmt: skip
    assert list(cleaning.files.values()) == ["split", "filter", "generate", "generate", "generate"]
    assert cleaning.trajectories == 7
    assert cleaning.neighbours == ()
    assert cleaning.size == sum(f.stat().st_size for f in cleaning.files)


def test_of_a_system_only_its_shards_go(made):
    cleaning = to_clean(made.plan, made.root, "Chua")
    assert names(cleaning) == ["splits.parquet", "manifest.parquet", "shard-0001.arrow"]
    assert cleaning.trajectories == 2
    assert cleaning.neighbours == ("Thomas",)
    # A rejected system is in no split, and in a shard all the same.
    assert names(to_clean(made.plan, made.root, "Thomas"))[2:] == ["shard-0001.arrow"]


def test_of_a_split_only_its_shards_go(made):
    cleaning = to_clean(made.plan, made.root, split="test")
    assert names(cleaning)[2:] == ["shard-0002.arrow"]
    assert to_clean(made.plan, made.root, "Rossler", "train").trajectories == 1
    with pytest.raises(DataError, match="no trajectory of Rossler in split 'test'"):
        to_clean(made.plan, made.root, "Rossler", "test")


def test_names_that_do_not_exist_are_refused(made, tmp_path):
    with pytest.raises(DataError, match="no system 'Lorentz'; did you mean 'Lorenz'"):
        to_clean(made.plan, made.root, "Lorentz")
    with pytest.raises(DataError, match="no split 'tset'; did you mean 'test'"):
        to_clean(made.plan, made.root, split="tset")
    with pytest.raises(DataError, match="there is nothing to clean"):
        to_clean(made.plan | {"folder": "data/none"}, made.root)


def test_without_a_table_only_the_whole_can_go(made):
    (made.folder / "manifest.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(ResultsError, match="clean the whole dataset"):
        to_clean(made.plan, made.root, "Chua")
    assert len(to_clean(made.plan, made.root).files) == 5
    (made.folder / "manifest.parquet").unlink()
    assert names(to_clean(made.plan, made.root))[:2] == ["splits.parquet", "shard-0000.arrow"]


def test_an_interruption_leaves_files_whose_sources_are_there(made):
    files = list(to_clean(made.plan, made.root, "Chua").files)
    for done in range(len(files) + 1):
        remove(files[:done])
        left = {f.name for f in made.folder.iterdir()}
        if "splits.parquet" in left:
            assert "manifest.parquet" in left
        if "manifest.parquet" in left:
            assert set(made.plan["shards"]) <= left
        assert examine(made.plan, made.root).problems == []
    assert {f.name for f in made.folder.iterdir()} == {"shard-0000.arrow", "shard-0002.arrow"}


def test_what_cannot_be_removed_is_named(made, monkeypatch):
    from pathlib import Path

    def refuse(self, missing_ok=False):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ResultsError, match=r"cannot remove .*splits\.parquet: Permission denied"):
        remove(to_clean(made.plan, made.root).files)


def test_recorded_data_are_made_again_by_import(made):
    plan = made.plan | {"made_by": "import"}
    assert set(to_clean(plan, made.root).files.values()) == {"split", "filter", "import"}
