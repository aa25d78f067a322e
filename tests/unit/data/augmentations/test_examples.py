"""Examples of augmentations show what a pipeline would make."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import DataError
from strangecast.data.augmentations.examples import examples
from strangecast.workflow.compose import Registry

T = np.arange(300)[:, None]
FIRST, SECOND = np.sin(T / np.array([5.0, 7.0, 9.0])), np.cos(T / np.array([4.0, 6.0]))


@pytest.fixture(scope="module")
def options():
    registry = Registry()
    found = {name: registry.option("augmentation", name, "smoke") for name in registry.names("augmentation")}
    return {name: config for name, config in found.items() if "_target_" in config}


def test_every_augmentation_has_its_example(options):
    found = examples(options, {"a": FIRST, "b": SECOND})
    assert [e.title for e in found] == [options[name]["title"] for name in options]
    for example in found:
        assert len(example.before) == len(example.after) <= 300
        assert np.isfinite(example.after).all()
        np.testing.assert_allclose(example.after.mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(example.after.std(axis=0), 1, atol=1e-9)
    pairs = [e.title for e in found if len(e.of) == 2]
    assert pairs == [options["projected_skew"]["title"]]


def test_alone_a_series_has_no_example_of_pairs(options):
    assert len(examples(options, {"a": FIRST})) == len(options) - 1


def test_series_of_different_length_are_combined_at_their_ends(options):
    (example,) = examples({"projected_skew": options["projected_skew"]}, {"a": FIRST, "b": SECOND[:200]})
    assert example.before.shape == (200, 3)
    last = FIRST[-200:]
    np.testing.assert_allclose(example.before, (last - last.mean(axis=0)) / last.std(axis=0), atol=1e-9)


def test_the_same_names_give_the_same_numbers(options):
    again = [examples(options, {"a": FIRST, "b": SECOND}) for _ in range(2)]
    for one, other in zip(*again, strict=True):
        np.testing.assert_array_equal(one.after, other.after)
    other = examples(options, {"c": FIRST, "b": SECOND})
    assert not np.array_equal(again[0][0].after, other[0].after)


def test_nothing_to_augment_is_refused(options):
    with pytest.raises(DataError, match="need a series"):
        examples(options, {})
    with pytest.raises(DataError, match="need a series"):
        examples(options, {"a": FIRST[:0]})
