"""Batches of one member that learns from many systems of different shape."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from strangecast.core.errors import DataError
from strangecast.core.streams import key64
from strangecast.data.pooled_batches import PooledData
from tests.unit.training.world import make_dataset

KEY = np.array([key64("run")], np.uint64)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    root = tmp_path_factory.mktemp("pool")
    return [
        make_dataset(root, "a"),
        make_dataset(root, "long", T=400),
        make_dataset(root, "wide", C=3),
        make_dataset(root, "slow", dt=0.5),
    ]


def origin(dataset, window):
    """(trajectory, start) of a window [T + H, C] in the training split."""
    for s in dataset.segments("train"):
        values = dataset.values(s.trajectory_id)
        for start in range(len(values) - len(window) + 1):
            if np.array_equal(values[start : start + len(window)], window):
                return s.trajectory_id, start
    return None


def windows(batch):
    return torch.cat([batch.context.values, batch.target], 2)[0].numpy()


def test_a_batch_is_homogeneous_and_made_of_consecutive_training_samples(datasets):
    data = PooledData(datasets, 5, 3, dtype=torch.float64)
    seen = Counter()
    for n in range(20):
        batch = data.batch(n, KEY, 16)
        C = batch.target.shape[3]
        assert batch.target.shape == (1, 16, 3, C)
        assert batch.context.values.shape == (1, 16, 5, C)
        for window in windows(batch):
            (found,) = [d.name for d in datasets if d.spec.C == C and origin(d, window)]
            seen[found] += 1
    assert set(seen) == {"a", "long", "wide", "slow"}


def test_every_system_is_equally_likely_however_long_its_trajectories(datasets):
    data = PooledData(datasets, 5, 3, dtype=torch.float64)
    seen = Counter()
    for n in range(150):
        batch = data.batch(n, KEY, 8)
        first = batch.context.values[0, :, 0]
        if first.shape[1] == 3:
            seen["wide"] += 8
            continue
        for window in windows(batch):
            seen[next(d.name for d in datasets if d.spec.C == 2 and origin(d, window))] += 1
    share = {name: n / sum(seen.values()) for name, n in seen.items()}
    # 150 choices of a bucket, 1200 of a system: three standard deviations
    assert share["wide"] == pytest.approx(0.25, abs=0.11)
    assert share["long"] == pytest.approx(share["a"], abs=0.06)


def test_a_batch_is_a_pure_function_of_key_and_update(datasets):
    one, two = PooledData(datasets, 5, 3), PooledData(datasets, 5, 3)
    assert torch.equal(one.batch(7, KEY, 8).target, two.batch(7, KEY, 8).target)
    assert not torch.equal(one.batch(7, KEY, 8).times, one.batch(8, KEY, 8).times)
    padded = one.batch(7, np.repeat(KEY, 2), 8)
    assert padded.target.shape[0] == 2
    assert torch.equal(padded.target[1], one.batch(7, KEY, 8).target[0])
    with pytest.raises(DataError, match="one at a time"):
        one.batch(7, np.array([1, 2], np.uint64), 8)


def test_times_are_those_of_each_system(datasets):
    batch = PooledData([datasets[3]], 5, 3).batch(0, KEY, 4)
    torch.testing.assert_close(batch.times.diff(), torch.full((1, 4, 2), 0.5, dtype=torch.float64))


def test_validation_spans_systems_and_shapes(datasets):
    data = PooledData(datasets, 5, 3)
    batches = data.validation(8)
    assert sorted(b.target.shape[3] for b in batches) == [2, 3]
    assert sum(b.target.shape[1] for b in batches) == 8
    assert data.systems("validation") == ["a", "long", "slow", "wide"]
    assert all(torch.equal(a.target, b.target) for a, b in zip(batches, data.validation(8), strict=True))


def test_too_short_segments_are_left_out_or_refused(datasets):
    assert set(PooledData(datasets, 100, 50).systems()) == {"long"}
    with pytest.raises(DataError, match=r"no training segment holds context \+ horizon = 300 \+ 200"):
        PooledData(datasets, 300, 200)
