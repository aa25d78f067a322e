"""Labels against plans: other settings and code are found at the file they concern and at all that follow."""

from __future__ import annotations

import pytest

from strangecast.core.errors import ResultsError
from strangecast.core.tables import read_parquet, write_parquet
from strangecast.data.filtering import filter_dataset
from strangecast.data.generate import generate_shard
from strangecast.data.splits import split_dataset
from strangecast.data.stale import refuse_to_replace, stale_dataset, stale_files

from .conftest import dataset_plan, make

HASHES = {"make": "m", "filter": "f", "split": "s"}
FILES = ["shard-0000.arrow", "shard-0001.arrow", "manifest.parquet", "splits.parquet"]


def hashed(**changes):
    plan = dataset_plan(initial_conditions=7, lyapunov=None)
    return plan | {"made_by": "generate", "hash": HASHES | changes}


@pytest.fixture
def done(tmp_path):
    """A folder with every file of ``hashed()``."""
    make(hashed(), tmp_path)
    return tmp_path


def test_what_the_plan_made_is_fresh(done):
    assert stale_dataset(hashed(), done) == []
    refuse_to_replace(hashed(), done)


@pytest.mark.parametrize(("step", "first"), [("make", 0), ("filter", 2), ("split", 3)])
def test_another_hash_makes_its_files_and_all_after_them_stale(done, step, first):
    assert list(stale_files(hashed(**{step: "other"}), done)) == FILES[first:]


def test_a_sentence_names_the_file_and_its_rule(done):
    said = stale_dataset(hashed(make="other"), done)
    assert [s.split(":")[0] for s in said] == [f"data/chaos-Lorenz/{f}" for f in FILES]
    assert [s.split("the rule ")[1].split()[0] for s in said] == ["generate", "generate", "filter", "split"]


def test_splits_of_an_old_manifest_stay_stale(done):
    plan = hashed(make="other")
    for shard in (0, 1):
        generate_shard(plan, done, shard)
    split_dataset(plan, done)
    assert list(stale_files(plan, done)) == FILES[2:]
    filter_dataset(plan, done)
    split_dataset(plan, done)
    assert stale_files(plan, done) == {}


def test_files_that_are_absent_damaged_or_unlabelled_are_stale(done):
    folder = done / "data/chaos-Lorenz"
    (folder / FILES[0]).unlink()
    (folder / FILES[1]).write_bytes(b"nothing of the kind")
    write_parquet(folder / FILES[2], read_parquet(folder / FILES[2]).replace_schema_metadata(None))
    assert list(stale_files(hashed(), done)) == FILES[:3]
    refuse_to_replace(hashed(make="other"), done)  # there is nothing left to lose


def test_shards_made_otherwise_are_not_replaced_unasked(done):
    refuse_to_replace(hashed(filter="other", split="other"), done)
    with pytest.raises(ResultsError, match=r"data/chaos-Lorenz holds data made by other settings.*--force"):
        refuse_to_replace(hashed(make="other"), done)
