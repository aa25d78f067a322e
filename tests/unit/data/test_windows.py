"""Suites: origins inside segments, and what a window reads."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangecast.core.errors import ConfigError, DataError, ResultsError
from strangecast.core.hashing import file_digest
from strangecast.data.splits import split_dataset
from strangecast.data.windows import Windows, build_windows, origins

from .conftest import dataset_plan, make, own_plan, suite_plan


@pytest.fixture(scope="module")
def suite(made):
    root, plan, dataset = made
    build_windows(suite_plan(plan), root)
    return Windows.open(root, "suites/chaos"), dataset


@given(st.integers(0, 500), st.integers(1, 2000), st.integers(1, 300), st.integers(1, 300), st.integers(1, 9))
def test_origins_stay_inside(start, length, context, horizon, count):
    found = origins(start, start + length, context, horizon, count)
    if length < context + horizon:
        assert len(found) == 0
        return
    assert found[0] == start + context
    assert (found + horizon <= start + length).all()
    assert (np.diff(found) > 0).all()
    assert len(found) == min(count, length - context - horizon + 1)
    if count > 1:
        assert found[-1] == start + length - horizon


def test_rows(suite):
    windows, dataset = suite
    table = windows.table
    assert len(windows) == 6
    assert table.origin.tolist() == [64, 144, 224] * 2
    assert table.window.tolist() == [0, 1, 2] * 2
    assert set(table.trajectory_id) == {s.trajectory_id for s in dataset.segments("test")}
    np.testing.assert_array_equal(table.climate_std[0], dataset.climate[1])
    assert table.lyapunov[0] == dataset.spec.lyapunov == windows.spec("chaos-Lorenz").lyapunov


def test_context_and_truth_join_at_the_origin(suite):
    windows, dataset = suite
    rows = np.array([4, 1])
    past, past_times = windows.context(rows, 10)
    future, times = windows.truth(rows)
    assert past.shape == (2, 10, 3)
    assert future.shape == (2, 96, 3)
    name, origin = windows.table.trajectory_id[4], windows.table.origin[4]
    np.testing.assert_array_equal(np.concatenate([past[0], future[0]]), dataset.values(name)[origin - 10 : origin + 96])
    np.testing.assert_array_equal(
        np.concatenate([past_times[0], times[0]]), dataset.times(name)[origin - 10 : origin + 96]
    )
    np.testing.assert_array_equal(windows.state(rows), future[:, 0])
    assert windows.parameters(rows).shape == (2, 3)


def test_more_context_than_there_is(suite):
    with pytest.raises(DataError, match="1 to 64"):
        suite[0].context(np.array([0]), 65)


def test_several_datasets(made, tmp_path, smooth):
    root, plan, dataset = made
    np.save(tmp_path / "a.npy", smooth)
    own = own_plan(tmp_path / "a.npy")
    make(own, root)
    both = suite_plan(plan, own, name="both")
    build_windows(both, root)
    windows = Windows.open(root, "suites/both")
    assert list(windows.datasets) == ["chaos-Lorenz", "own"]
    assert windows.rows("own").tolist() == [6, 7]
    assert windows.truth(windows.rows("own"))[0].shape == (2, 16, 2)
    with pytest.raises(DataError, match="different horizons"):
        windows.truth(np.arange(8))
    with pytest.raises(DataError, match="different channels"):
        windows.context(np.arange(8), 4)
    # a dataset's own digest does not notice the other dataset, nor the suite's name
    build_windows(suite_plan(plan), root)
    assert windows.contents["chaos-Lorenz"] == Windows.open(root, "suites/chaos").contents["chaos-Lorenz"]
    assert windows.content != Windows.open(root, "suites/chaos").content
    assert windows.datasets["chaos-Lorenz"].content == dataset.content


def test_equal_inputs_equal_bytes(made, tmp_path):
    root, plan, _ = made
    build_windows(suite_plan(plan), root)
    first = file_digest(root / "suites/chaos/windows.parquet")
    build_windows(suite_plan(plan), root)
    assert file_digest(root / "suites/chaos/windows.parquet") == first


def test_too_short_a_segment_says_how_long_it_must_be(made):
    root, plan, _ = made
    long = suite_plan(plan, name="long")
    long["datasets"]["chaos-Lorenz"]["window"] = {"context": 200, "horizon": 121, "count": 1}
    with pytest.raises(DataError, match=r"200 \+ 121 = 321 samples, the longest holds 320"):
        build_windows(long, root)
    long["datasets"]["chaos-Lorenz"]["window"] = {"context": 64, "horizon": 64, "count": 1, "prefixes": [65]}
    with pytest.raises(ConfigError, match="prefix 65"):
        build_windows(long, root)


def test_windows_of_other_data_are_refused(tmp_path):
    plan = dataset_plan(initial_conditions=7, shard_size=7, lyapunov=None)
    make(plan, tmp_path)
    build_windows(suite_plan(plan), tmp_path)
    changed = copy.deepcopy(plan)
    changed["config"]["sampling"]["transient_periods"] = 5
    make(changed, tmp_path)
    with pytest.raises(ResultsError, match="run `windows` again"):
        Windows.open(tmp_path, "suites/chaos")


def test_no_test_window_reads_training_samples_when_split_in_time(made, tmp_path, smooth):
    np.save(tmp_path / "a.npy", smooth)
    plan = own_plan(tmp_path / "a.npy")
    dataset = make(plan, tmp_path)
    split_dataset(plan, tmp_path)
    build_windows(suite_plan(plan), tmp_path)
    first = Windows.open(tmp_path, "suites/chaos").table.origin.min() - 16
    assert first >= dataset.segments("validation")[0].stop + 32
