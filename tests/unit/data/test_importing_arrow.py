"""Arrow and Parquet: tables and GluonTS' layout, and one sentence for what cannot be used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from strangecast.core.errors import ConfigError, DataError
from strangecast.data.exporting import export_dataset
from strangecast.data.importing import import_dataset

from .conftest import make, own_plan

SUFFIXES = (".arrow", ".feather", ".parquet")


def write(table, path, stream=False):
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return path
    kind = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as sink, kind(sink, table.schema) as writer:
        writer.write_table(table)
    return path


def records(*targets, **columns):
    """A table in GluonTS' layout, one row per target."""
    return pa.table({"start": ["2000-01-01"] * len(targets), "target": list(targets)} | columns)


def refused(path, told, kind=DataError, **source):
    with pytest.raises(kind, match=told) as caught:
        import_dataset(own_plan(path, **source), path.parent)
    assert "\n" not in str(caught.value)
    assert not (path.parent / "data").exists()


# Tables


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_with_a_row_per_sample(tmp_path, smooth, suffix):
    t = np.arange(400) * 0.25
    base = pd.DataFrame({"run": "b", "time": t, "u": smooth[:, 0], "v": smooth[:, 1].astype(np.float32)})
    table = pa.Table.from_pandas(pd.concat([base, base.assign(run="a", u=2 * base.u)]))
    path = write(table, tmp_path / f"a{suffix}")
    plan = own_plan(path, dt=None, channels=["v", "u"], time_column="time", trajectory_column="run")
    dataset = make(plan, tmp_path)
    np.testing.assert_allclose(dataset.values("own-0"), smooth[:, ::-1], atol=1e-7)
    np.testing.assert_array_equal(dataset.values("own-1")[:, 1], 2 * smooth[:, 0])
    assert dataset.spec.dt == pytest.approx(0.25)


def test_feather_files_of_other_programs(tmp_path, smooth):
    frame = pd.DataFrame(smooth, columns=["u", "v"])
    for compression in ("uncompressed", "lz4", "zstd"):
        pa.feather.write_feather(frame, str(tmp_path / "a.feather"), compression=compression)
        dataset = make(own_plan(tmp_path / "a.feather", channels=["u", "v"]), tmp_path)
        np.testing.assert_array_equal(dataset.values("own-0"), smooth)


def test_streams_are_read_too(tmp_path, smooth):
    path = write(pa.table({"u": smooth[:, 0]}), tmp_path / "a.arrow", stream=True)
    np.testing.assert_array_equal(make(own_plan(path, channels=["u"]), tmp_path).values("own-0"), smooth[:, :1])


@pytest.mark.parametrize(
    ("columns", "source", "told"),
    [
        ({"u": [1.0] * 40}, {"channels": ["w"]}, "no column 'w'"),
        ({"u": ["a"] * 40}, {"channels": ["u"]}, "column 'u' holds .*, numbers are needed"),
        ({"u": [1.0] * 39 + [None]}, {"channels": ["u"]}, "missing or infinite, the first at row 39"),
        ({"u": [1.0] * 39 + [np.inf]}, {"channels": ["u"]}, "missing or infinite, the first at row 39"),
        ({"u": [1.0] * 31}, {"channels": ["u"]}, "31 samples; one window needs context \\+ horizon = 32"),
        ({"u": [[1.0]] * 40}, {"channels": ["u"]}, "column 'u' holds object"),
    ],
)
@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
def test_tables_that_cannot_be_used(tmp_path, columns, source, told, suffix):
    refused(write(pa.table(columns), tmp_path / f"a{suffix}"), told, **source)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_cut_short_or_of_another_kind(tmp_path, smooth, suffix):
    path = write(pa.table({"u": smooth[:, 0], "v": smooth[:, 1]}), tmp_path / f"a{suffix}")
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:20], b"", b"nothing of the kind"):
        path.write_bytes(content)
        refused(path, f"a{suffix} cannot be read as {suffix[1:]}", channels=["u", "v"])


def test_lists_that_point_outside_the_file_are_found(tmp_path):
    path = write(records([1.0] * 40, [2.0] * 40), tmp_path / "a.arrow")
    content = path.read_bytes()
    offsets = np.array([0, 40, 80], np.int32).tobytes()
    assert content.count(offsets) == 1
    path.write_bytes(content.replace(offsets, np.array([0, 40, 1 << 30], np.int32).tobytes()))
    refused(path, "cannot be read as arrow", channels=["u"])


# GluonTS' layout


def test_what_was_exported_comes_back_to_the_last_bit(made, tmp_path):
    dataset = made[2]
    for compression in ("none", "lz4"):
        export_dataset(dataset, tmp_path / compression, "gluonts", ["train"], compression)
        source = {"channels": ["x", "y", "z"], "dt": dataset.spec.dt}
        found = make(own_plan(tmp_path / compression / "train" / "Lorenz", **source), tmp_path)
        assert len({s.trajectory_id for s in found.segments("train")}) == 3
        for i, segment in enumerate(dataset.segments("train")):
            np.testing.assert_array_equal(found.values(f"own-{i}"), dataset.values(segment.trajectory_id))


def test_a_flipped_byte_of_an_exported_file_is_found(made, tmp_path):
    export_dataset(made[2], tmp_path, "gluonts", ["test"])
    path = tmp_path / "test" / "Lorenz" / "1_T-320.arrow"
    content = bytearray(path.read_bytes())
    values = np.ascontiguousarray(made[2].values(made[2].segments("test")[1].trajectory_id).T)
    content[bytes(content).index(values.tobytes()[:64]) + 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"1_T-320\.arrow is damaged: its values do not have the digest"):
        import_dataset(own_plan(tmp_path / "test", channels=["x", "y", "z"]), tmp_path)


def test_univariate_exports_are_trajectories_of_one_channel(made, tmp_path):
    export_dataset(made[2], tmp_path, "univariate", ["validation"])
    found = make(own_plan(tmp_path / "validation", channels=["x"]), tmp_path)
    values = made[2].values(made[2].segments("validation")[0].trajectory_id)
    for i in range(3):
        np.testing.assert_array_equal(found.values(f"own-{i}"), values[:, i : i + 1])


@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize("stream", [True, False])
def test_files_that_gluonts_wrote(tmp_path, smooth, flatten, stream):
    from gluonts.dataset.arrow import ArrowWriter

    entries = [{"start": "2000-01-01 00:00", "target": np.ascontiguousarray(k * smooth.T)} for k in (1, 2)]
    ArrowWriter(stream=stream, flatten_arrays=flatten).write_to_file(entries, tmp_path / "a.arrow")
    dataset = make(own_plan(tmp_path / "a.arrow", channels=["u", "v"]), tmp_path)
    np.testing.assert_array_equal(dataset.values("own-0"), smooth)
    np.testing.assert_array_equal(dataset.values("own-1"), 2 * smooth)


def test_parquet_that_gluonts_wrote(tmp_path, smooth):
    from gluonts.dataset.arrow import ParquetWriter

    entries = [{"start": "2000-01-01 00:00", "target": smooth.T}]
    ParquetWriter().write_to_file(entries, tmp_path / "a.parquet")
    dataset = make(own_plan(tmp_path / "a.parquet", channels=["u", "v"]), tmp_path)
    np.testing.assert_array_equal(dataset.values("own-0"), smooth)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    folder = tmp_path / "runs"
    (folder / "b").mkdir(parents=True)
    for name, value in {"run10": 3.0, "run2": 2.0, "b/run1": 1.0}.items():
        series = value + 0.1 * np.sin(np.arange(200))
        write(records(series.tolist()), folder / f"{name}.arrow")
    (folder / "notes.txt").write_text("nothing to read")
    (folder / ".hidden.arrow").write_bytes(b"nothing to read")
    dataset = make(own_plan(folder, length_window=(8, 8), channels=["u"]), tmp_path)
    assert [round(dataset.values(f"own-{i}").mean()) for i in range(3)] == [1, 2, 3]


GOOD = [1.0, 2.0] * 20


@pytest.mark.parametrize(
    ("table", "source", "told"),
    [
        (records(GOOD, None), {"channels": ["u"]}, "row 1 has no target"),
        (records([*GOOD, None]), {"channels": ["u"]}, "the first at row 40 of channel 'u'"),
        (records([*GOOD, float("nan")]), {"channels": ["u"]}, "the first at row 40 of channel 'u'"),
        (records(GOOD, [GOOD, GOOD][0][:31]), {"channels": ["u"]}, "trajectory 1 has 31 samples"),
        (records([GOOD, GOOD[1:]]), {"channels": ["u", "v"]}, r"have the lengths \[40, 39\]"),
        (records([[GOOD]]), {"channels": ["u"]}, "the target holds list"),
        (records(["a", "b"]), {"channels": ["u"]}, "the target holds string, real numbers are needed"),
        (records([GOOD, GOOD]), {"channels": ["u"]}, r"row 0, has 2 channels, source.channels names 1: \['u'\]"),
        (records(GOOD, **{"target._np_shape": [[3, 20]]}), {"channels": ["u"]}, r"shape \[3, 20\] but 40 values"),
        (records(GOOD, **{"target._np_shape": [[2, 2, 10]]}), {"channels": ["u"]}, r"\[T\] or \[C, T\] is needed"),
        (records(GOOD, **{"target._np_shape": [[-1, -40]]}), {"channels": ["u"]}, r"shape \[-1, -40\] but 40 values"),
        (records(GOOD).slice(0, 0), {"channels": ["u"]}, "has no rows"),
    ],
)
def test_targets_that_cannot_be_used(tmp_path, table, source, told):
    refused(write(table, tmp_path / "a.arrow"), told, **source)


def test_settings_that_do_not_fit(tmp_path, smooth):
    path = write(records(GOOD), tmp_path / "a.arrow")
    refused(path, "a row per trajectory; time_column", ConfigError, channels=["u"], time_column="t")
    refused(path, "source.key is the path to an array inside an HDF5 file", ConfigError, channels=["u"], key="a")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", r"a folder without \.arrow or \.feather files")
    refused(tmp_path / "absent", "absent does not exist")
    (tmp_path / "plain").write_text("")
    refused(tmp_path / "plain", "its name ends in none of")


def test_a_bad_file_of_a_folder_is_named(tmp_path):
    for i, series in enumerate((GOOD, [*GOOD, float("inf")])):
        (tmp_path / "runs").mkdir(exist_ok=True)
        write(records(series), tmp_path / "runs" / f"run{i}.arrow")
    refused(tmp_path / "runs", r"run1\.arrow: 1 values are missing or infinite", channels=["u"])
    write(records([GOOD, GOOD]), tmp_path / "runs" / "run1.arrow")
    refused(tmp_path / "runs", r"run1\.arrow, row 0, has 2 channels", channels=["u"])
