"""Own data: what is read, and one sentence for what is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from strangecast.core.errors import ConfigError, DataError
from strangecast.core.tables import read_labels
from strangecast.data.importing import import_dataset

from .conftest import make, own_plan


def test_npy_of_one_trajectory(tmp_path, smooth):
    np.save(tmp_path / "a.npy", smooth)
    dataset = make(own_plan(tmp_path / "a.npy", channels=["u", "v"]), tmp_path)
    np.testing.assert_array_equal(dataset.values("own-0"), smooth)
    assert [c.name for c in dataset.spec.channels] == ["u", "v"]
    assert (dataset.spec.dt, dataset.spec.system, dataset.spec.lyapunov) == (0.1, "own", None)
    np.testing.assert_array_equal(dataset.times("own-0"), np.arange(400) * 0.1)
    assert read_labels(dataset.folder / "shard-0000.arrow")["rule"] == "import"


def test_the_home_folder_may_be_written_short(tmp_path, smooth, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.save(tmp_path / "a.npy", smooth)
    np.testing.assert_array_equal(make(own_plan("~/a.npy"), tmp_path).values("own-0"), smooth)


def test_npy_of_several_in_single_precision(tmp_path, smooth):
    np.save(tmp_path / "a.npy", np.stack([smooth, -smooth]).astype(np.float32))
    dataset = make(own_plan(tmp_path / "a.npy"), tmp_path)
    np.testing.assert_allclose(dataset.values("own-1"), -smooth, atol=1e-6)
    assert dataset.values("own-1").dtype == np.float64
    assert dataset.spec.C == 2


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_with_times_and_trajectories(tmp_path, smooth, suffix):
    t = np.arange(400) * 0.25
    base = pd.DataFrame({"run": "b", "time": t + 7, "u": smooth[:, 0], "v": smooth[:, 1]})
    frame = pd.concat([base, base.assign(run="a", u=2 * base.u)])
    path = tmp_path / f"a{suffix}"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    dataset = make(own_plan(path, dt=None, channels=["v", "u"], time_column="time", trajectory_column="run"), tmp_path)
    np.testing.assert_allclose(dataset.values("own-1"), np.stack([smooth[:, 1], 2 * smooth[:, 0]], 1), atol=1e-12)
    assert dataset.spec.dt == pytest.approx(0.25)


def test_uneven_times_are_kept(tmp_path, smooth):
    t = np.cumsum(1 + 0.5 * np.sin(np.arange(400)))
    pd.DataFrame({"t": t, "u": smooth[:, 0]}).to_csv(tmp_path / "a.csv", index=False)
    dataset = make(own_plan(tmp_path / "a.csv", channels=["u"], time_column="t"), tmp_path)
    assert dataset.spec.dt is None
    np.testing.assert_allclose(dataset.times("own-0"), t, rtol=1e-12)


def _frame(smooth, **columns):
    return pd.DataFrame({"t": np.arange(400.0), "u": smooth[:, 0]} | columns)


@pytest.mark.parametrize(
    ("content", "source", "told"),
    [
        (lambda s: np.where(np.arange(400)[:, None] == 17, np.nan, s), {}, "row 17 of channel 'x0'"),
        (lambda s: s[:, 0], {}, r"shape \[400\]"),
        (lambda s: s[None, None], {}, r"\[T, C\] or \[N, T, C\]"),
        (lambda s: s[:31], {}, "31 samples; one window needs context \\+ horizon = 32"),
        (lambda s: s, {"channels": ["a"]}, "2 channels, source.channels names 1"),
        (lambda s: s.astype(complex), {}, "complex"),
        (lambda s: np.array([{"a": 1}], object), {}, "no plain .npy array"),
    ],
)
def test_npy_that_cannot_be_used(tmp_path, smooth, content, source, told):
    np.save(tmp_path / "a.npy", content(smooth), allow_pickle=True)
    with pytest.raises(DataError, match=told):
        import_dataset(own_plan(tmp_path / "a.npy", **source), tmp_path)


@pytest.mark.parametrize(
    ("columns", "source", "told"),
    [
        ({}, {"channels": ["w"]}, "no column 'w'"),
        ({}, {"channels": ["u"], "time_column": "time"}, "no column 'time'"),
        ({"u": "a"}, {"channels": ["u"]}, "numbers are needed"),
        ({"t": 0.0}, {"channels": ["u"], "time_column": "t"}, "times must increase"),
    ],
)
def test_csv_that_cannot_be_used(tmp_path, smooth, columns, source, told):
    _frame(smooth, **columns).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match=told):
        import_dataset(own_plan(tmp_path / "a.csv", **source), tmp_path)


def test_missing_or_foreign_files(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        import_dataset(own_plan(tmp_path / "b.npy"), tmp_path)
    with pytest.raises(DataError, match=r"not '.mat'"):
        import_dataset(own_plan(tmp_path / "b.mat"), tmp_path)
    for name in ("a.npy", "a.parquet"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(DataError, match=name):
            import_dataset(own_plan(tmp_path / name), tmp_path)


def test_an_archive_under_the_name_of_an_array(tmp_path, smooth):
    with open(tmp_path / "a.npy", "wb") as f:
        np.savez(f, u=smooth)
    with pytest.raises(DataError, match=r"a\.npy is an archive of several arrays"):
        import_dataset(own_plan(tmp_path / "a.npy"), tmp_path)


def test_sampling_interval_must_be_known(tmp_path, smooth):
    np.save(tmp_path / "a.npy", smooth)
    with pytest.raises(ConfigError, match=r"source.dt"):
        import_dataset(own_plan(tmp_path / "a.npy", dt=None), tmp_path)
    with pytest.raises(ConfigError, match="time_column"):
        import_dataset(own_plan(tmp_path / "a.npy", time_column="t"), tmp_path)
    with pytest.raises(ConfigError, match="'channels'"):
        import_dataset(own_plan(tmp_path / "a.npy", chanels=["a"]), tmp_path)
