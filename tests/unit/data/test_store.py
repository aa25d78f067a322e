"""Reading shards: views, and damage found before it is used."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from strangecast.core.errors import DataError, StrangecastError
from strangecast.data.store import Dataset


@pytest.fixture
def copied(made, tmp_path):
    root, plan, _ = made
    shutil.copytree(root / plan["folder"], tmp_path / "d")
    return tmp_path / "d"


def test_values_are_read_only_views(made):
    _, _, dataset = made
    values = dataset.values("Lorenz-p0-i1")
    assert values.dtype == np.float64
    assert values.shape == (320, 3)
    assert not values.flags.writeable
    assert not values.flags.owndata
    assert dataset.values("Lorenz-p0-i1").ctypes.data == values.ctypes.data
    np.testing.assert_array_equal(dataset.state("Lorenz-p0-i1"), values)
    np.testing.assert_allclose(np.diff(dataset.times("Lorenz-p0-i1")), dataset.spec.dt, rtol=1e-9)


def test_unknown_trajectory_and_split(made):
    _, _, dataset = made
    with pytest.raises(DataError, match="no trajectory"):
        dataset.values("Lorenz-p0-i99")
    with pytest.raises(DataError, match="did you mean 'test'"):
        dataset.segments("tests")


def test_climate_is_that_of_the_training_split(made):
    _, _, dataset = made
    pooled = np.concatenate([dataset.values(f"Lorenz-p0-i{i}") for i in range(3)])
    np.testing.assert_allclose(dataset.climate[0], pooled.mean(axis=0))
    np.testing.assert_allclose(dataset.climate[1], pooled.std(axis=0))


@pytest.mark.parametrize("part", [0.02, 0.5, 0.9, 0.999])
def test_a_truncated_shard_is_one_sentence(copied, part):
    path = copied / "shard-0000.arrow"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(StrangecastError, match=r"shard-0000.arrow is (cut short or )?damaged") as e:
        Dataset.open(copied).values("Lorenz-p0-i0")
    assert "\n" not in str(e.value)


def test_a_flipped_byte_in_the_values_is_found(copied, made):
    values = made[2].values("Lorenz-p0-i3")
    path = copied / "shard-0000.arrow"
    raw = bytearray(path.read_bytes())
    at = bytes(raw).find(values[100:104].tobytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))
    dataset = Dataset.open(copied)
    dataset.values("Lorenz-p0-i2")  # others are whole
    with pytest.raises(DataError, match="digest"):
        dataset.values("Lorenz-p0-i3")


def test_any_flipped_byte_is_harmless_or_named(copied, made):
    path = copied / "shard-0000.arrow"
    raw = path.read_bytes()
    expected = np.array(made[2].values("Lorenz-p0-i0"))
    outside = len(raw) - 5 * expected.nbytes
    rng = np.random.default_rng(0)
    places = set(range(0, 64)) | set(rng.integers(0, len(raw), 150)) | set(range(len(raw) - outside // 4, len(raw), 7))
    for at in sorted(places):
        broken = bytearray(raw)
        broken[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(broken))
        try:
            np.testing.assert_array_equal(Dataset.open(copied).values("Lorenz-p0-i0"), expected)
        except StrangecastError as e:
            assert "shard-0000.arrow" in str(e)  # noqa: PT017


def test_a_shard_made_anew_with_other_numbers_is_refused(copied):
    shutil.copy(copied / "shard-0001.arrow", copied / "shard-0000.arrow")
    with pytest.raises(DataError, match="not the file that was split"):
        Dataset.open(copied).values("Lorenz-p0-i0")


def test_noise_is_keyed_to_the_sample(made):
    _, _, dataset = made
    segment = dataset.segments("train")[0]
    clean = dataset.observed(segment, 0.0)
    np.testing.assert_array_equal(clean, dataset.values(segment.trajectory_id))
    noisy = dataset.observed(segment, 0.1)
    np.testing.assert_array_equal(noisy, dataset.observed(segment, 0.1))
    part = type(segment)(segment.trajectory_id, 40, 90)
    np.testing.assert_array_equal(dataset.observed(part, 0.1), noisy[40:90])
    ratio = (noisy - clean).std(axis=0) / dataset.climate[1]
    np.testing.assert_allclose(ratio, 0.1, rtol=0.15)
    np.testing.assert_allclose(dataset.observed(segment, 0.2) - clean, 2 * (noisy - clean), atol=1e-12)
