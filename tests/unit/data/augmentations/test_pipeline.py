"""What is done to a sample is a function of its key; the YAML files build; GluonTS can use the same."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from strangecast.core.errors import ConfigError, DataError
from strangecast.data.augmentations.draws import SampleDraws, sample_keys
from strangecast.data.augmentations.option import augmentation_option
from strangecast.data.augmentations.pipeline import Pipeline
from strangecast.data.augmentations.standardisation import standardised
from strangecast.workflow.compose import Registry

REGISTRY = Registry()
NAMES = REGISTRY.names("augmentation")
SINGLE = [n for n in NAMES if "_target_" in REGISTRY.option("augmentation", n, "laptop")]
B, T, C = 400, 120, 3


def config(name="all", **changes):
    return copy.deepcopy(REGISTRY.option("augmentation", name, "laptop")) | changes


def only(**weights):
    return dict.fromkeys(config()["probabilities"], 0.0) | weights


@pytest.fixture(scope="module")
def keys():
    return sample_keys(B, "pipeline")


@pytest.fixture(scope="module")
def values():
    return torch.from_numpy(np.random.default_rng(1).standard_normal((B, T, C)).cumsum(axis=1))


@pytest.fixture(scope="module")
def partners():
    made = np.random.default_rng(2).standard_normal((B, T, 5)).cumsum(axis=1)
    return {b: torch.from_numpy(made[b, :, : 2 + b % 3]) for b in range(B)}


# Options


@pytest.mark.parametrize("name", SINGLE)
def test_every_augmentation_builds_and_runs(name):
    found = augmentation_option(name, config(name))
    draws = SampleDraws(sample_keys(4, name))
    channels = int(found.channels_of(draws, C)[0])
    out = found(torch.randn(4, T, C), draws, channels, torch.randn(4, T, 2) if found.takes_partners else None)
    assert out.shape == (4, T - found.steps(C), channels)
    assert config(name)["title"]


def test_all_chooses_among_every_augmentation_there_is():
    assert set(config()["augmentations"]) == set(SINGLE)
    assert set(config()["probabilities"]) == set(SINGLE)
    assert set(config()["probabilities"].values()) == {1.0}
    assert [a.name for a in Pipeline.from_config(config("panda")).augmentations] == [
        "random_affine", "convex_combination", "takens",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rate": 1.5}, "rate must be between 0 and 1, found 1.5"),
        ({"dimensions": 0}, "dimensions must be at least 1"),
        ({"standardize": True}, "no key 'standardize'; did you mean 'standardise'"),
        ({"probabilities": {"taken": 1.0}}, "no augmentation 'taken'; did you mean 'takens'"),
        ({"probabilities": {"takens": -1.0}}, "at least 0"),
        ({"probabilities": {"takens": 0.0}}, "one above it"),
    ],
)
def test_a_pipeline_that_cannot_work(changes, told):
    with pytest.raises(ConfigError, match=told):
        Pipeline.from_config(config(**changes))


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("takens", {"lag": [1, 2]}, "no parameter 'lag'; did you mean 'lags'"),
        ("random_affine", {"channels": [5, 3]}, r"channels must be \[least, most\]"),
        ("phase_surrogate", {"channels": [3, 8]}, "keeps the number of channels"),
        ("takens", {"_target_": "strangecast.data.augmentations.takens.nothing"}, "cannot be imported"),
    ],
)
def test_an_augmentation_that_cannot_work(name, changes, told):
    with pytest.raises(ConfigError, match=told):
        augmentation_option(name, config(name) | changes)


# Choice


def test_choices_follow_rate_and_probabilities(keys):
    many = sample_keys(20000, "many")
    pipeline = Pipeline.from_config(config(rate=0.3, probabilities=only(takens=1.0, random_affine=3.0)))
    plan = pipeline.plan(many, C)
    names = np.array(["none", *(a.name for a in pipeline.augmentations)])[plan.choice + 1]
    shares = {n: float((names == n).mean()) for n in np.unique(names)}
    assert shares == pytest.approx({"none": 0.7, "takens": 0.075, "random_affine": 0.225}, abs=0.015)
    assert set(plan.channels[names == "takens"]) == {C}
    assert set(plan.channels[names == "random_affine"]) == {3, 4, 5, 6, 7, 8}
    assert set(plan.selected) == {3}


def test_rate_0_only_standardises_and_selects(values, keys):
    (bucket,) = Pipeline.from_config(config(rate=0.0, dimensions=None))(values, keys)
    assert torch.equal(bucket.values, standardised(values))
    untouched = Pipeline.from_config(config(rate=0.0, dimensions=None, standardise=False))
    assert torch.equal(untouched(values, keys)[0].values, values)


def test_one_batch_of_three_channels(values, keys, partners):
    pipeline = Pipeline.from_config(config())
    (bucket,) = pipeline(values, keys, partners)
    np.testing.assert_array_equal(bucket.rows, np.arange(B))
    assert bucket.values.shape == (B, T - 20, 3)
    assert torch.isfinite(bucket.values).all()
    torch.testing.assert_close(bucket.values.mean(dim=1), torch.zeros(B, 3, dtype=torch.float64))
    torch.testing.assert_close(bucket.values.std(dim=1, unbiased=False), torch.ones(B, 3, dtype=torch.float64))


def test_the_bits_of_a_sample_do_not_depend_on_its_neighbours(values, keys, partners):
    pipeline = Pipeline.from_config(config(rate=0.9, dimensions=None))
    whole = {int(r): v for b in pipeline(values, keys, partners) for r, v in zip(b.rows, b.values, strict=True)}
    assert len(whole) == B
    for rows in (np.arange(7), np.array([30, 3, 250]), np.arange(100, 160)):
        beside = {i: partners[int(r)] for i, r in enumerate(rows)}
        for bucket in pipeline(values[torch.from_numpy(rows)], keys[rows], beside):
            for place, found in zip(bucket.rows, bucket.values, strict=True):
                assert torch.equal(found, whole[int(rows[place])])


def test_buckets_are_known_without_data(values, keys, partners):
    pipeline = Pipeline.from_config(config(rate=0.9, dimensions=None))
    told = pipeline.buckets(keys, C)
    made = pipeline(values, keys, partners)
    assert list(told) == sorted(told) == [b.values.shape[2] for b in made]
    assert len(told) == 6
    for bucket in made:
        np.testing.assert_array_equal(bucket.rows, told[bucket.values.shape[2]])
    assert [b.values.shape[2] for b in Pipeline.from_config(config(dimensions=4))(values, keys, partners)] == [3, 4]


def test_partners_are_asked_for_by_row(values, keys, partners):
    pipeline = Pipeline.from_config(config(rate=0.5))
    rows = np.flatnonzero(pipeline.needs_partner(keys, C))
    assert 0 < len(rows) < B / 4
    pipeline(values, keys, {int(r): partners[int(r)] for r in rows})
    with pytest.raises(ConfigError, match="give it one, or set the probability to 0"):
        pipeline(values, keys)
    assert not Pipeline.from_config(config("panda")).needs_partner(keys, C).any()


def test_arrays_that_do_not_fit(values, keys):
    pipeline = Pipeline.from_config(config("panda"))
    with pytest.raises(DataError, match="need more than 20 samples, found 20"):
        pipeline(values[:, :20], keys)
    with pytest.raises(DataError, match="a key per sample"):
        pipeline(values, keys[1:])


def test_a_gradient_passes_the_pipeline(values, keys, partners):
    leaf = values.clone().requires_grad_()
    (bucket,) = Pipeline.from_config(config(rate=0.5))(leaf, keys, partners)
    (bucket.values**3).sum().backward()
    assert torch.isfinite(leaf.grad).all()
    assert (leaf.grad != 0).any(dim=2).any(dim=1).float().mean() > 0.8  # all but the Fourier series


# GluonTS


def entries(count=12, steps=T, channels=C, **more):
    rng = np.random.default_rng(5)
    made = rng.standard_normal((count, channels, steps)).cumsum(axis=2).astype(np.float32)
    return [{"start": "2000-01-01 00:00", "target": made[i], "item_id": f"s{i}"} | more for i in range(count)]


def transformation(partners=None, seed=0, **changes):
    from strangecast.data.augmentations.gluonts_transformation import AugmentationTransformation

    return AugmentationTransformation(Pipeline.from_config(config(**changes)), seed, partners)


def test_a_gluonts_dataset_is_augmented():
    from gluonts.dataset.common import ListDataset
    from gluonts.transform import AsNumpyArray

    dataset = ListDataset(entries(), freq="h", one_dim_target=False)
    chain = transformation(dataset, rate=1.0) + AsNumpyArray("target", expected_ndim=2)
    found = list(chain.apply(dataset, is_train=True))
    assert len(found) == 12
    for before, after in zip(dataset, found, strict=True):
        assert after["target"].shape == (3, T - 20)
        assert after["target"].dtype == np.float32
        assert after["target"].mean(axis=1) == pytest.approx(0, abs=1e-5)
        assert after["target"].std(axis=1) == pytest.approx(1, abs=1e-4)
        assert after["start"] == before["start"] + 20
    again = list(chain.apply(dataset, is_train=True))
    assert all(np.array_equal(a["target"], b["target"]) for a, b in zip(found, again, strict=True))
    other = list(transformation(dataset, rate=1.0, seed=1).apply(dataset, is_train=True))
    assert not any(np.array_equal(a["target"], b["target"]) for a, b in zip(found, other, strict=True))
    untouched = list(transformation(dataset).apply(dataset, is_train=False))
    assert all(np.array_equal(a["target"], b["target"]) for a, b in zip(dataset, untouched, strict=True))


def test_an_entry_with_a_name_is_augmented_alike_in_any_company():
    step = transformation(rate=1.0, probabilities=only(random_affine=1.0))
    first = {e["item_id"]: e["target"] for e in step(entries(), True)}
    for entry in step(entries()[::-2], True):
        np.testing.assert_array_equal(entry["target"], first[entry["item_id"]])


def test_every_turn_of_an_endless_dataset_is_augmented_anew():
    from itertools import islice

    from gluonts.itertools import Cyclic

    for item in ({}, {"item_id": None}):
        step = transformation(rate=1.0, probabilities=only(convex_combination=1.0))
        found = [e["target"] for e in islice(step(Cyclic(entries(4, **item)), True), 12)]
        assert len({t.tobytes() for t in found}) == 12


def test_univariate_entries_stay_univariate():
    flat = [e | {"target": e["target"][0]} for e in entries()]
    found = list(transformation(rate=1.0, dimensions=1, probabilities=only(phase_surrogate=1.0))(flat, True))
    assert found[0]["target"].shape == (T,)
    with pytest.raises(DataError, match="entry s0: its target has one channel"):
        list(transformation(rate=1.0, probabilities=only(random_affine=1.0))(flat, True))


def test_features_are_cut_with_the_target():
    feature = np.arange(T, dtype=np.float32)[None]
    entry = next(
        iter(transformation(rate=0.5, probabilities=only(takens=1.0))(entries(feat_dynamic_real=feature), True))
    )
    np.testing.assert_array_equal(entry["feat_dynamic_real"], feature[:, 20:])


def test_gluonts_entries_that_cannot_be_used():
    holes = entries()
    holes[1]["target"][0, 3] = np.nan
    with pytest.raises(DataError, match="entry s1: the target holds missing"):
        list(transformation(rate=0.0)(holes, True))
    with pytest.raises(ConfigError, match="give the transformation partners"):
        list(transformation(rate=1.0, probabilities=only(projected_skew=1.0))(entries(), True))
    short = entries(steps=T - 1)
    with pytest.raises(DataError, match="none of 12 partners has 120 finite samples"):
        list(transformation(short, rate=1.0, probabilities=only(projected_skew=1.0))(entries(), True))
    longer = entries(steps=2 * T)
    assert len(list(transformation(short + longer, rate=1.0, probabilities=only(projected_skew=1.0))(entries(), True)))
