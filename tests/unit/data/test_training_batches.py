"""Training batches: a pure function of (key, update), whoever trains beside."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from strangecast.core.errors import DataError
from strangecast.core.streams import key64
from strangecast.data.training_batches import TrainingData

from .conftest import dataset_plan, make, own_plan

KEYS = np.array([key64("a"), key64("b"), key64("c")], np.uint64)


@pytest.fixture(scope="module")
def pair(made, tmp_path_factory):
    """Two datasets of three channels."""
    root = tmp_path_factory.mktemp("other")
    plan = dataset_plan("r", system="Rossler", lyapunov=None)
    return made[2], make(plan, root)


def test_shapes_and_types(pair):
    data = TrainingData([pair[0], pair[1], pair[0]], context=5, horizon=3)
    batch = data.batch(0, KEYS, 7)
    assert batch.context.values.shape == (3, 7, 5, 3)
    assert batch.context.times.shape == (3, 7, 5)
    assert batch.target.shape == (3, 7, 3, 3)
    assert batch.times.shape == (3, 7, 3)
    assert batch.target.dtype == torch.float32
    assert batch.times.dtype == batch.context.times.dtype == torch.float64
    assert data.S == 3
    assert data.count().tolist() == [3 * (320 - 7)] * 3
    assert data.count("validation").tolist() == [2 * (320 - 7)] * 3


def test_a_batch_depends_on_key_and_update_alone(pair):
    together = TrainingData([pair[0], pair[1], pair[0]], 5, 3)
    alone = TrainingData([pair[1]], 5, 3)
    for n in (0, 3, 1000):
        a, b = together.batch(n, KEYS, 16), alone.batch(n, KEYS[1:2], 16)
        assert torch.equal(a.context.values[1], b.context.values[0])
        assert torch.equal(a.target[1], b.target[0])
        assert torch.equal(a.times[1], b.times[0])
    first, other = together.batch(3, KEYS, 16), together.batch(4, KEYS, 16)
    assert torch.equal(first.target, together.batch(3, KEYS, 16).target)
    assert not torch.equal(first.target, other.target)
    assert not torch.equal(first.target[0], first.target[2])


def test_windows_are_consecutive_samples_of_one_training_trajectory(pair):
    dataset = pair[0]
    data = TrainingData([dataset], 5, 3, dtype=torch.float64)
    batch = data.batch(1, KEYS[:1], 300)
    windows = torch.cat([batch.context.values, batch.target], dim=2)[0].numpy()
    known = [dataset.values(s.trajectory_id) for s in dataset.segments("train")]
    starts = {v[i].tobytes(): (k, i) for k, v in enumerate(known) for i in range(len(v))}
    seen = set()
    for window in windows:
        k, i = starts[window[0].tobytes()]
        np.testing.assert_array_equal(window, known[k][i : i + 8])
        seen.add(k)
    assert seen == {0, 1, 2}
    times = torch.cat([batch.context.times, batch.times], dim=2)[0].numpy()
    np.testing.assert_allclose(np.diff(times, axis=1), dataset.spec.dt, rtol=1e-9)


def test_every_window_is_drawn(pair):
    data = TrainingData([pair[0]], 150, 160)
    draws = torch.cat([data.batch(n, KEYS[:1], 64).target[0, :, 0] for n in range(20)])
    assert len(torch.unique(draws, dim=0)) == data.count()[0] == 33


def test_validation_is_fixed_and_of_the_validation_split(pair):
    data = TrainingData([pair[0], pair[1]], 5, 3, dtype=torch.float64)
    batch = data.validation(10)[0]
    assert batch.target.shape == (2, 10, 3, 3)
    assert torch.equal(batch.target, data.validation(10)[0].target)
    alone = TrainingData([pair[1]], 5, 3, dtype=torch.float64).validation(10)[0]
    assert torch.equal(batch.target[1], alone.target[0])
    segments = pair[0].segments("validation")
    np.testing.assert_array_equal(batch.context.values[0, 0], pair[0].values(segments[0].trajectory_id)[:5])
    np.testing.assert_array_equal(batch.target[0, -1], pair[0].values(segments[-1].trajectory_id)[-3:])
    assert data.validation(2000)[0].target.shape[1] == 2000


def test_noise_is_part_of_what_is_trained_on_only(pair):
    clean = TrainingData([pair[0]], 5, 3, dtype=torch.float64)
    noisy = TrainingData([pair[0]], 5, 3, noise=0.05, dtype=torch.float64)
    a, b = clean.batch(2, KEYS[:1], 200), noisy.batch(2, KEYS[:1], 200)
    ratio = (b.target - a.target).std(dim=(0, 1, 2)).numpy() / pair[0].climate[1]
    np.testing.assert_allclose(ratio, 0.05, rtol=0.2)
    assert not torch.equal(clean.validation(4)[0].target, noisy.validation(4)[0].target)
    assert torch.equal(b.target, noisy.batch(2, KEYS[:1], 200).target)
    np.testing.assert_array_equal(noisy.series(0)[1], pair[0].observed(pair[0].segments("train")[1], 0.05))
    assert noisy.values()[0].shape == (960, 3)


def test_different_channels_are_refused(pair, tmp_path, smooth):
    np.save(tmp_path / "a.npy", smooth)
    own = make(own_plan(tmp_path / "a.npy"), tmp_path)
    with pytest.raises(DataError, match="own has 2 channels"):
        TrainingData([pair[0], own], 5, 3)


def test_too_long_a_window(pair):
    with pytest.raises(DataError, match=r"300 \+ 21 samples, the longest has 320"):
        TrainingData([pair[0]], 300, 21)
