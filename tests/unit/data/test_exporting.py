"""Exports: other programs read what was stored; equal data give equal bytes; nothing foreign is overwritten."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from strangecast.cli import export as verb
from strangecast.cli.main import main
from strangecast.core.errors import ConfigError, DataError, ResultsError
from strangecast.core.hashing import file_digest
from strangecast.core.spec import Channel, Spec
from strangecast.data import trajectories
from strangecast.data.exporting import COLUMNS, FORMATS, export_dataset
from strangecast.data.exports.arrow_file import COMPRESSIONS
from strangecast.data.filtering import filter_dataset
from strangecast.data.parts import PARTS
from strangecast.data.splits import split_dataset
from strangecast.data.store import Dataset

from .conftest import dataset_plan, make, own_plan

of_each_format = pytest.mark.parametrize("format", FORMATS)


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def manifest(folder: Path, split: str, system: str = "Lorenz") -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "manifests" / split / f"{system}.csv").open()))


# What is read back


def test_gluonts_reads_the_samples_and_cuts_windows(made, tmp_path):
    from gluonts.dataset.common import FileDataset
    from gluonts.itertools import Cyclic
    from gluonts.transform import ExpectedNumInstanceSampler, InstanceSplitter

    dataset = made[2]
    export_dataset(dataset, tmp_path, "gluonts")
    assert sorted(p.name for p in (tmp_path / "train" / "Lorenz").iterdir()) == [f"{i}_T-320.arrow" for i in range(3)]
    read = FileDataset(tmp_path / "train", freq="h", one_dim_target=False)
    found = {e["target"].tobytes() for e in read}
    wanted = {dataset.values(s.trajectory_id).T.astype(np.float32).tobytes() for s in dataset.segments("train")}
    assert found == wanted
    assert all(e["start"] == pd.Period("2000-01-01 00:00", "h") for e in read)
    splitter = InstanceSplitter(
        "target", "is_pad", "start", "forecast_start",
        ExpectedNumInstanceSampler(num_instances=2.0, min_past=64, min_future=32), past_length=64, future_length=32,
    )  # fmt: skip
    windows = []
    for entry in splitter(Cyclic(read), is_train=True):
        windows.append(entry)
        if len(windows) == 20:
            break
    series = np.stack([dataset.values(s.trajectory_id) for s in dataset.segments("train")]).astype(np.float32)
    for window in windows:
        joined = np.concatenate([window["past_target"], window["future_target"]])
        assert joined.shape == (96, 3)
        at = [(k, t) for k in range(3) for t in range(225) if np.array_equal(series[k, t : t + 96], joined)]
        assert len(at) == 1


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_arrow_files_hold_what_gluonts_writes(made, tmp_path, compression):
    from gluonts.dataset.arrow import ArrowFile, ArrowWriter

    dataset = made[2]
    export_dataset(dataset, tmp_path / "ours", "gluonts", compression=compression)
    path = tmp_path / "ours" / "train" / "Lorenz" / "0_T-320.arrow"
    values = dataset.values(dataset.segments("train")[0].trajectory_id)
    writer = ArrowWriter(compression=None if compression == "none" else compression)
    writer.write_to_file([{"start": "2000-01-01 00:00", "target": values.T}], tmp_path / "theirs.arrow")
    ours, theirs = (pa.ipc.open_file(p).read_all() for p in (path, tmp_path / "theirs.arrow"))
    assert {f.name: f.type for f in ours.schema} == {f.name: f.type for f in theirs.schema}
    assert ours.select(theirs.column_names).to_pydict() == theirs.to_pydict()
    about = ArrowFile(path).metadata()
    assert about["trajectory_id"] == dataset.segments("train")[0].trajectory_id
    assert about["channels"] == '["x", "y", "z"]'
    assert float(about["dt"]) == dataset.spec.dt
    assert float(about["lyapunov"]) == dataset.spec.lyapunov


def test_compressed_files_are_smaller(made, tmp_path):
    for compression in COMPRESSIONS:
        export_dataset(made[2], tmp_path / compression, "gluonts", ["test"], compression)
    sizes = [(tmp_path / c / "test/Lorenz/0_T-320.arrow").stat().st_size for c in COMPRESSIONS]
    assert sizes[2] < sizes[0]


def test_numpy_files_are_the_stored_values(made, tmp_path):
    dataset = made[2]
    export_dataset(dataset, tmp_path, "numpy")
    for split in PARTS:
        for row, segment in zip(manifest(tmp_path, split), dataset.segments(split), strict=True):
            found = np.load(tmp_path / row["file"], allow_pickle=False)
            np.testing.assert_array_equal(found, dataset.values(segment.trajectory_id))
            assert row["trajectory_id"] == segment.trajectory_id
    assert not list(tmp_path.rglob("*times*"))


def test_univariate_records_have_one_channel_each(made, tmp_path):
    from gluonts.dataset.common import FileDataset

    dataset = made[2]
    export_dataset(dataset, tmp_path, "univariate", ["validation"])
    read = {e["item_id"]: e["target"] for e in FileDataset(tmp_path / "validation", freq="h", one_dim_target=True)}
    segments = dataset.segments("validation")
    assert len(read) == len(segments) * 3 == 6
    for segment in segments:
        for c, channel in enumerate("xyz"):
            wanted = dataset.values(segment.trajectory_id)[:, c].astype(np.float32)
            np.testing.assert_array_equal(read[f"{segment.trajectory_id}:{channel}"], wanted)


def test_pieces_of_one_trajectory_and_uneven_times(tmp_path, smooth):
    t = np.cumsum(1 + 0.5 * np.sin(np.arange(400)))
    pd.DataFrame({"t": t, "u": smooth[:, 0]}).to_csv(tmp_path / "a.csv", index=False)
    dataset = make(own_plan(tmp_path / "a.csv", channels=["u"], time_column="t"), tmp_path)
    export_dataset(dataset, tmp_path / "out", "numpy")
    (row,) = manifest(tmp_path / "out", "test", "own")
    (segment,) = dataset.segments("test")
    assert (int(row["start"]), int(row["stop"])) == (segment.start, segment.stop)
    assert row["dt"] == ""
    np.testing.assert_array_equal(
        np.load(tmp_path / "out/test/own/0.npy"), dataset.values("own-0")[segment.start : segment.stop]
    )
    times = np.load(tmp_path / "out/test/own/0_times.npy")
    np.testing.assert_array_equal(times, dataset.times("own-0")[segment.start : segment.stop])
    for format in ("gluonts", "univariate"):
        with pytest.raises(DataError, match="own-0 is sampled unevenly"):
            export_dataset(dataset, tmp_path / format, format)


def test_every_system_of_a_store_has_its_folder_and_interval(tmp_path):
    specs = {n: Spec(tuple(Channel(c) for c in cs), system=n) for n, cs in {"A": "xyz", "B": "uvwq"}.items()}
    rng = np.random.default_rng(0)
    rows = [
        trajectories.row(
            f"{n}-p0-i{i}",
            n,
            rng.standard_normal((100, s.C)),
            dt=dt,
            ic_index=i,
            lyapunov=lyapunov,
            solver="x: finished",
        )
        for (n, s), dt, lyapunov in zip(specs.items(), (0.1, 0.3), (0.5, None), strict=True)
        for i in range(3)
    ]
    plan = dataset_plan(
        "both", system=None, systems={"list": ["A", "B"]}, validity={}, sampling={"length": 100},
        split={"by": "system", "test": ["B"]}, window={"context": 16, "horizon": 16, "count": 2},
    )  # fmt: skip
    plan["shards"] = ["shard-0000.arrow"]
    trajectories.write_shard(tmp_path / "data/both/shard-0000.arrow", rows, Spec.common(specs.values()), systems=specs)
    filter_dataset(plan, tmp_path)
    split_dataset(plan, tmp_path)
    dataset = Dataset.open(tmp_path / "data/both")
    export_dataset(dataset, tmp_path / "out", "numpy")
    for split, system, channels, dt, lyapunov in (
        ("train", "A", "x y z", "0.1", "0.5"),
        ("test", "B", "u v w q", "0.3", ""),
    ):
        found = manifest(tmp_path / "out", split, system)
        assert [r["file"] for r in found] == [f"{split}/{system}/{i}.npy" for i in range(3)]
        assert {(r["channels"], r["dt"], r["lyapunov"]) for r in found} == {(channels, dt, lyapunov)}
        for r in found:
            np.testing.assert_array_equal(np.load(tmp_path / "out" / r["file"]), dataset.values(r["trajectory_id"]))


# Equal bytes, manifests, second exports


@of_each_format
def test_equal_data_give_equal_bytes(made, tmp_path, format):
    rows = export_dataset(made[2], tmp_path / "a", format)
    first = files(tmp_path / "a")
    export_dataset(Dataset.open(made[2].folder), tmp_path / "b", format)
    export_dataset(made[2], tmp_path / "a", format)
    assert files(tmp_path / "b") == files(tmp_path / "a") == first
    assert len(rows) == 7
    assert len(first) == 7 + 3 + 1
    assert first["README.md"].decode().startswith(f"<!-- strangecast export, format {format} -->\n")


def test_a_manifest_says_where_samples_come_from(made, tmp_path):
    rows = export_dataset(made[2], tmp_path, "gluonts")
    written = [row for split in PARTS for row in manifest(tmp_path, split)]
    assert tuple(written[0]) == COLUMNS
    assert [r["file"] for r in written] == [r["file"] for r in rows]
    for row in written:
        assert file_digest(tmp_path / row["file"]) == row["sha256"]
        assert row["trajectory_id"] == f"Lorenz-p{row['parameter_index']}-i{row['ic_index']}"
        assert (row["start"], row["stop"], row["channels"], row["dataset"]) == ("0", "320", "x y z", "chaos-Lorenz")
        assert float(row["dt"]) == made[2].spec.dt
    assert len({r["trajectory_id"] for r in written}) == 7


def test_a_second_export_replaces_its_own_files_alone(made, tmp_path, smooth):
    export_dataset(made[2], tmp_path, "numpy")
    before = files(tmp_path)
    folder = tmp_path / "train" / "Lorenz"
    (folder / "9.npy").write_bytes(b"left by an export that was cut short")
    (folder / "notes.txt").write_text("mine")
    (folder / ".3.npy.0123456789ab.tmp").write_bytes(b"half a file")
    export_dataset(made[2], tmp_path, "numpy", ["train"])
    assert files(tmp_path) == before | {"train/Lorenz/notes.txt": b"mine"}
    np.save(tmp_path / "own.npy", smooth)
    export_dataset(make(own_plan(tmp_path / "own.npy"), tmp_path), tmp_path, "numpy", ["train"])
    assert set(files(tmp_path / "train")) == {f"Lorenz/{i}.npy" for i in range(3)} | {"Lorenz/notes.txt", "own/0.npy"}


def test_other_datasets_and_formats_are_not_overwritten(made, tmp_path):
    export_dataset(made[2], tmp_path, "gluonts")
    before = files(tmp_path)
    with pytest.raises(ResultsError, match="an export of format gluonts; choose another folder"):
        export_dataset(made[2], tmp_path, "univariate")
    shutil.copytree(made[2].folder, tmp_path / "copy" / "other")
    with pytest.raises(ResultsError, match="train samples of Lorenz from dataset 'chaos-Lorenz'"):
        export_dataset(Dataset.open(tmp_path / "copy" / "other"), tmp_path, "gluonts")
    shutil.rmtree(tmp_path / "copy")
    assert files(tmp_path) == before
    (tmp_path / "README.md").write_text("# My project\n")
    with pytest.raises(ResultsError, match=r"a README\.md of something else"):
        export_dataset(made[2], tmp_path, "gluonts")


def test_what_cannot_be_exported(made, tmp_path):
    dataset = made[2]
    with pytest.raises(ConfigError, match="no export format 'numpi'; did you mean 'numpy'"):
        export_dataset(dataset, tmp_path, "numpi")
    with pytest.raises(DataError, match="no split 'training'"):
        export_dataset(dataset, tmp_path, "numpy", ["training"])
    with pytest.raises(ConfigError, match="no compression 'gzip'"):
        export_dataset(dataset, tmp_path, "gluonts", compression="gzip")
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="file is a file; name a folder"):
        export_dataset(dataset, tmp_path / "file", "numpy")
    with pytest.raises(ConfigError, match="numpy files are not compressed"):
        export_dataset(dataset, tmp_path / "n", "numpy", compression="lz4")


def test_a_split_without_samples_is_named(tmp_path, smooth):
    np.save(tmp_path / "a.npy", smooth)
    plan = own_plan(tmp_path / "a.npy")
    plan["config"]["split"] = {"by": "time", "train": 0.7, "validation": 0.0, "test": 0.3}
    dataset = make(plan, tmp_path)
    with pytest.raises(DataError, match="no validation samples to export"):
        export_dataset(dataset, tmp_path / "out", "numpy", ["validation"])
    assert len(export_dataset(dataset, tmp_path / "out", "numpy")) == 2


def test_a_damaged_shard_is_not_exported(made, tmp_path):
    folder = tmp_path / made[2].folder.name
    shutil.copytree(made[2].folder, folder)
    shard = folder / "shard-0000.arrow"
    content = bytearray(shard.read_bytes())
    values = made[2].values(made[2].segments("train")[1].trajectory_id).tobytes()
    content[bytes(content).index(values[:64]) + 5] ^= 1
    shard.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        export_dataset(Dataset.open(folder), tmp_path / "out", "gluonts", ["train"])
    assert [p.name for p in (tmp_path / "out/train/Lorenz").iterdir()] == ["0_T-320.arrow"]


# Command line


def test_the_command_offers_what_the_function_can():
    assert tuple(FORMATS) == verb.FORMATS
    assert verb.SPLITS == PARTS
    assert verb.COMPRESSIONS == COMPRESSIONS


def test_export_by_command(made, tmp_path, capsys):
    results = tmp_path / "results"
    shutil.copytree(made[0] / "data" / "chaos-Lorenz", results / "smoke" / "data" / "chaos-Lorenz")
    asked = ["dataset=chaos", "dataset.system=Lorenz", "scale=smoke", "--results", str(results)]
    where = ["--to", str(tmp_path / "out"), "--format", "numpy", "--split", "train", "--split", "test"]
    assert main(["export", *asked, *where]) == 0
    assert "wrote 5 samples" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["README.md", "manifests", "test", "train"]


def test_what_is_not_made_or_not_clear_is_said(tmp_path, capsys):
    rest = ["scale=smoke", "--results", str(tmp_path), "--to", str(tmp_path / "out")]
    assert main(["export", "corpus=chaos", *rest]) == 2
    assert "chaos-Lorenz is not made yet; make it first" in capsys.readouterr().err
    assert main(["export", "corpus=chaos", "dataset=lorenz63", *rest]) == 2
    assert "a dataset or a corpus, not both" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
