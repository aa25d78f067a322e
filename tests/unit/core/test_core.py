"""Streams, digests, atomic files and tables."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from strangecast.core import atomic, hashing, streams, tables
from strangecast.core.errors import ResultsError, unknown
from strangecast.core.schemas import HISTORY, SPLITS
from strangecast.core.spec import Channel, Spec


def test_streams_depend_on_their_key_alone():
    first = streams.stream("ic", "Lorenz", 0, 3).standard_normal(4)
    streams.stream("something", "else").standard_normal(1000)
    np.testing.assert_array_equal(first, streams.stream("ic", "Lorenz", 0, 3).standard_normal(4))
    assert not np.array_equal(first, streams.stream("ic", "Lorenz", 0, 4).standard_normal(4))


def test_streams_keep_their_bits():
    # Recorded once: a change here changes every dataset and every run.
    assert streams.key64("ic", "Lorenz", 0, 3) == 0x162446B23FCB487D
    assert streams.stream("ic", "Lorenz", 0, 3).integers(1 << 62) == 867120227384931414
    assert streams.counter_bits(np.array([7], np.uint64), 3, 2).tolist() == [
        [12594722297300939132, 4270312243260898756]
    ]


def test_counter_draws_ignore_neighbours():
    keys = np.array([streams.key64(i) for i in range(5)], np.uint64)
    high = np.array([10, 1000, 7, 123456, 2])
    together = streams.counter_integers(keys, 42, 64, high)
    for s in range(5):
        np.testing.assert_array_equal(
            together[s], streams.counter_integers(keys[s : s + 1], 42, 64, high[s : s + 1])[0]
        )
    assert (together >= 0).all()
    assert (together < high[:, None]).all()


def test_counter_draws_are_uniform():
    keys = np.array([streams.key64("u")], np.uint64)
    draws = np.concatenate([streams.counter_integers(keys, n, 100, np.array([10]))[0] for n in range(1000)])
    expected = len(draws) / 10
    chi2 = ((np.bincount(draws, minlength=10) - expected) ** 2 / expected).sum()
    assert chi2 < 27.9  # 0.1 % point of chi-square with 9 degrees of freedom


def test_digest_is_canonical():
    assert hashing.digest({"a": 1, "b": (1, 2)}) == hashing.digest({"b": [1, 2], "a": 1})
    assert hashing.digest({"a": np.float64(0.1)}) == hashing.digest({"a": 0.1})
    assert hashing.digest({"a": 1}) != hashing.digest({"a": 1.0})
    with pytest.raises(TypeError, match="cannot digest"):
        hashing.digest(object())


def test_array_digest_sees_shape_and_type():
    x = np.arange(6.0)
    digests = {hashing.array_digest(a) for a in (x, x.reshape(2, 3), x.astype(np.float32), x + 1e-16, -x)}
    assert len(digests) == 5


def test_names_are_suggested():
    assert "did you mean 'mlp'" in unknown("emulator", "mpl", ["mlp", "ridge"])
    assert unknown("emulator", "zzz", []).endswith("(allowed: none)")


def test_atomic_write_is_whole_or_absent(tmp_path):
    target = tmp_path / "deep" / "file.json"
    atomic.write_json(target, {"a": 1})
    with pytest.raises(RuntimeError), atomic.atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == '{\n "a": 1\n}\n'
    assert [p.name for p in target.parent.iterdir()] == ["file.json"]


def test_a_kill_between_write_and_rename_leaves_the_old_file(tmp_path):
    target = tmp_path / "file.txt"
    atomic.write_text(target, "old")
    code = f"from strangecast.core.atomic import write_text; write_text({str(target)!r}, 'new')"
    environment = os.environ | {"STRANGECAST_FAULT": "before_rename:file.txt"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == -9
    assert target.read_text() == "old"
    atomic.write_text(target, "new")
    assert target.read_text() == "new"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch, code):
    atomic.write_text(tmp_path / "file.txt", "old")

    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ResultsError, match=f"{os.strerror(code)}; files made earlier are intact"):
        atomic.write_text(tmp_path / "file.txt", "new")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def history(value=0.5):
    return pa.table(
        {
            "run_id": ["a"],
            "update": [1],
            "train_loss": [value],
            "validation_loss": [0.1],
            "learning_rate": [1e-3],
            "best": [True],
        }
    )


def test_tables_round_trip_with_labels(tmp_path):
    for name, write, read in (("t.parquet", tables.write_parquet, tables.read_parquet),
                              ("t.arrow", tables.write_arrow, tables.read_arrow)):  # fmt: skip
        write(tmp_path / name, history(), HISTORY, {"content": "abc"})
        assert read(tmp_path / name, HISTORY)["train_loss"].to_pylist() == [0.5]
        assert tables.read_labels(tmp_path / name)["content"] == "abc"


def test_equal_tables_are_equal_bytes(tmp_path):
    for name in ("a.parquet", "b.parquet"):
        tables.write_parquet(tmp_path / name, history(), HISTORY)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_wrong_columns_are_named(tmp_path):
    with pytest.raises(ResultsError, match=r"missing \['best'\], unknown \['bset'\]"):
        tables.write_parquet(tmp_path / "t.parquet", history().rename_columns(
            ["run_id", "update", "train_loss", "validation_loss", "learning_rate", "bset"]), HISTORY)  # fmt: skip


def test_damaged_missing_and_foreign_files(tmp_path):
    file = tmp_path / "t.arrow"
    tables.write_arrow(file, history(), HISTORY)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ResultsError, match="cut short or damaged"):
        tables.read_arrow(file)
    with pytest.raises(ResultsError, match="does not exist"):
        tables.read_parquet(tmp_path / "none.parquet", SPLITS)
    import pyarrow.parquet as pq

    pq.write_table(history(), tmp_path / "foreign.parquet")
    with pytest.raises(ResultsError, match="results format none, this version reads 1"):
        tables.read_parquet(tmp_path / "foreign.parquet")


def test_spec_round_trips():
    spec = Spec((Channel("x"), Channel("y", "m")), (), 0.1, ("rho",), (1, 512), 0.9, "Lorenz")
    assert Spec.from_json(spec.to_json()) == spec
    assert spec.C == 2
