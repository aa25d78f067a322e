"""Batches of equal channels after augmentation, from stored data."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from strangecast.core.errors import ConfigError, DataError
from strangecast.core.streams import key64
from strangecast.data.augmentations.pipeline import Pipeline
from strangecast.data.augmented import AugmentedData
from strangecast.data.composition import augmented, compose, lead
from strangecast.data.pooled_batches import PooledData
from strangecast.workflow.compose import Registry
from tests.unit.training.world import make_dataset

KEY = np.array([key64("run")], np.uint64)
CHANNELS = np.array([2, 2, 3, 7])


def option(name="all", **changes):
    return Registry().option("augmentation", name, "laptop") | changes


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    root = tmp_path_factory.mktemp("pool")
    return [
        make_dataset(root, "a", T=200),
        make_dataset(root, "b", T=200),
        make_dataset(root, "wide", C=3, T=200),
        make_dataset(root, "widest", C=7, T=200),
    ]


# Composition


def test_without_a_pipeline_a_shape_is_as_likely_as_its_sources():
    seen = Counter()
    for n in range(600):
        made = compose(CHANNELS, 8, None, "test", n)
        (c,) = set(CHANNELS[made.sources])
        assert (made.partners == -1).all()
        seen[c] += 1
    assert seen[2] / 600 == pytest.approx(0.5, abs=0.07)
    assert seen[7] / 600 == pytest.approx(0.25, abs=0.06)


def test_a_rare_shape_is_drawn_at_its_rate():
    many = np.array([3] * 39 + [10])
    alone = sum(set(many[compose(many, 64, None, "rare", n).sources]) == {10} for n in range(1200))
    assert alone / 1200 == pytest.approx(1 / 40, abs=0.013)


def test_composition_knows_the_channels_that_the_pipeline_gives():
    pipeline = Pipeline.from_config(option(rate=0.8, dimensions=None))
    seen = set()
    for n in range(30):
        made = compose(CHANNELS, 16, pipeline, "channels", n)
        found = {
            int(pipeline.plan(k[None], CHANNELS[s]).selected[0]) for k, s in zip(made.keys, made.sources, strict=True)
        }
        assert len(found) == 1
        seen |= found
        for s, p, k in zip(made.sources, made.partners, made.keys, strict=True):
            assert (p >= 0) == pipeline.needs_partner(k[None], CHANNELS[s])[0]
            assert p != s
    assert {2, 3, 7} < seen


def test_a_lone_source_is_its_own_partner():
    pipeline = Pipeline.from_config(option(rate=1.0))
    made = compose(np.array([3]), 32, pipeline, "alone")
    assert set(made.partners) == {-1, 0}


def test_samples_do_not_know_their_neighbours():
    pipeline = Pipeline.from_config(option(rate=1.0, dimensions=2))
    generator = torch.Generator().manual_seed(0)
    series = [
        torch.randn(90, int(c), generator=generator).cumsum(0).double().numpy() for c in CHANNELS[[0, 2, 3, 1] * 8]
    ]
    keys = compose(np.array([3]), 32, pipeline, "keys").keys
    partners = {i: series[i - 1] for i in range(32)}
    together = augmented(pipeline, series, partners, keys, 20)
    assert together.shape == (32, 20, 2)
    for i in (0, 5, 31):
        alone = augmented(pipeline, series[i : i + 1], {0: partners[i]}, keys[i : i + 1], 20)
        torch.testing.assert_close(alone[0], together[i], rtol=0, atol=0)


# Stored data


def test_batches_are_homogeneous_and_keyed(datasets):
    data = AugmentedData(datasets, 12, 5, option(rate=0.5, dimensions=None))
    again = AugmentedData(datasets, 12, 5, option(rate=0.5, dimensions=None))
    seen = set()
    for n in range(25):
        batch = data.batch(n, KEY, 16)
        C = batch.target.shape[3]
        seen.add(C)
        assert batch.context.values.shape == (1, 16, 12, C)
        assert batch.target.shape == (1, 16, 5, C)
        assert batch.times.shape == (1, 16, 5)
        assert batch.context.parameters is None
        assert batch.target.dtype == torch.float32
        other = again.batch(n, KEY, 16)
        assert torch.equal(batch.target, other.target)
        assert torch.equal(batch.context.values, other.context.values)
    assert len(seen) > 3
    assert not torch.equal(data.batch(0, KEY + np.uint64(1), 16).times, data.batch(0, KEY, 16).times)
    assert data.batch(3, np.repeat(KEY, 2), 16).target.shape[0] == 2
    with pytest.raises(DataError, match="one at a time"):
        data.batch(0, np.array([1, 2], np.uint64), 16)


def test_where_nothing_is_augmented_windows_are_those_of_the_data(datasets):
    data = AugmentedData(datasets, 12, 5, option(rate=0.0, standardise=False, dimensions=None), dtype=torch.float64)
    seen = Counter()
    for n in range(24):
        batch = data.batch(n, KEY, 8)
        for window in torch.cat([batch.context.values, batch.target], 2)[0].numpy():
            (found,) = [d.name for d in datasets if window.shape[1] == d.spec.C and holds(d, window)]
            seen[found] += 1
    assert set(seen) == {"a", "b", "wide", "widest"}


def holds(dataset, window):
    for s in dataset.segments("train"):
        values = dataset.values(s.trajectory_id)
        starts = np.flatnonzero((values == window[0]).all(axis=1))
        if any(np.array_equal(values[i : i + len(window)], window) for i in starts):
            return True
    return False


def test_standardised_samples(datasets):
    batch = AugmentedData(datasets, 12, 5, option(), dtype=torch.float64).batch(1, KEY, 32)
    whole = torch.cat([batch.context.values, batch.target], 2)[0]
    torch.testing.assert_close(whole.mean(1), torch.zeros_like(whole[:, 0]), atol=1e-9, rtol=0)
    assert whole.shape[2] <= 3


def test_validation_and_series_are_not_augmented(datasets):
    data, plain = AugmentedData(datasets, 12, 5, option()), PooledData(datasets, 12, 5)
    for one, two in zip(data.validation(9), plain.validation(9), strict=True):
        assert torch.equal(one.target, two.target)
    assert all(np.array_equal(a, b) for a, b in zip(data.series(0), plain.series(0), strict=True))


def test_what_the_augmentation_costs_is_read_before_the_context(datasets):
    pipeline = Pipeline.from_config(option())
    assert lead(pipeline, CHANNELS) == 60
    data = AugmentedData([datasets[3]], 12, 5, option(rate=1.0, probabilities={"takens": 1.0}), dtype=torch.float64)
    batch = data.batch(0, KEY, 4)
    assert float(batch.context.times[0, :, 0].min()) >= 60 * 0.1 - 1e-9
    with pytest.raises(DataError, match=r"augmentation \+ context \+ horizon = 60 \+ 120 \+ 50"):
        AugmentedData([datasets[3]], 120, 50, option())


def test_an_augmentation_that_cannot_work(datasets):
    with pytest.raises(ConfigError, match="no key 'rte'; did you mean 'rate'"):
        AugmentedData(datasets, 12, 5, option(rte=1.0))
