"""The hierarchical bootstrap against brute force, known coverage, and its own promises."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.streams import stream
from strangecast.evaluation.bootstrap import Layout, _weights, interval_of_medians, median


def table(layout: Layout, values: np.ndarray) -> np.ndarray:
    return np.where(layout.present, values, np.nan)


def test_weights_count_what_a_hierarchical_draw_takes():
    layout = Layout(windows=(4, 2, 3), seeds=(2, 2, 1))
    weights = np.concatenate(list(_weights(layout, 300, "a"))).reshape(300, *layout.shape)
    assert (weights[:, ~layout.present] == 0).all()
    # each dataset drawn contributes all its windows x seeds, whatever is drawn of them
    sizes = np.array([8, 4, 3])
    per_dataset = weights.sum(axis=(2, 3))
    assert (per_dataset % sizes == 0).all()
    assert ((per_dataset / sizes).sum(axis=1) == 3).all()
    assert weights.mean(axis=0)[layout.present] == pytest.approx(1.0, abs=0.35)


def test_crossed_seeds_are_drawn_once_for_all_datasets():
    layout = Layout(windows=(1, 1, 1), seeds=(3, 3, 3), crossed=True)
    weights = np.concatenate(list(_weights(layout, 50, "a"))).reshape(50, 3, 3)
    for w in weights:
        shares = [row / row.sum() for row in w if row.sum()]
        assert all((s == shares[0]).all() for s in shares)
    apart = np.concatenate(list(_weights(Layout((1, 1, 1), (3, 3, 3)), 50, "a"))).reshape(50, 3, 3)
    assert any(len({tuple(row / row.sum()) for row in w if row.sum()}) > 1 for w in apart)


def test_medians_of_weighted_draws_are_medians_of_the_draws():
    layout = Layout(windows=(3, 5), seeds=(2, 3))
    values = table(layout, stream("v").standard_normal(layout.shape))
    values[0, 0, 0] = np.inf
    flat = values.reshape(-1)
    expected = np.sort([median(np.repeat(flat, w.astype(int))) for chunk in _weights(layout, 200, "k") for w in chunk])
    found = interval_of_medians([values], layout, "k", replicates=200)[0]
    assert found.tolist() == [expected[5], expected[194]]


def test_interval_covers_the_truth_as_often_as_it_says():
    """Datasets are the one source of spread: 20 normal effects around 0; the median's interval covers 0."""
    layout = Layout(windows=(2,) * 20, seeds=(1,) * 20)
    rng = stream("coverage")
    draws = [np.repeat(rng.standard_normal((20, 1, 1)), 2, axis=1) for _ in range(400)]
    found = interval_of_medians(draws, layout, "coverage", replicates=400)
    covered = ((found[:, 0] <= 0) & (found[:, 1] >= 0)).mean()
    assert 0.91 <= covered <= 0.99


def test_interval_ignores_no_level_of_the_hierarchy():
    """With spread between datasets only, more windows do not narrow the interval."""
    effects = stream("effects").standard_normal((10, 1, 1))
    few = interval_of_medians([np.repeat(effects, 2, 1)], Layout((2,) * 10, (1,) * 10), "a")[0]
    many = interval_of_medians([np.repeat(effects, 50, 1)], Layout((50,) * 10, (1,) * 10), "a")[0]
    assert np.diff(many)[0] > 0.6 * np.diff(few)[0]
    # naively pooled, 500 scores would have a median four times as certain as 10
    assert np.diff(many)[0] > 0.5


def test_draws_do_not_depend_on_chunks_or_company(monkeypatch):
    layout = Layout(windows=(4, 4), seeds=(3, 2))
    values = [table(layout, stream("v", i).standard_normal(layout.shape)) for i in range(3)]
    together = interval_of_medians(values, layout, "k", replicates=100)
    assert (interval_of_medians(values[1:2], layout, "k", replicates=100) == together[1:2]).all()
    monkeypatch.setattr("strangecast.evaluation.bootstrap._CHUNK", 100)
    assert (interval_of_medians(values, layout, "k", replicates=100) == together).all()
    assert (interval_of_medians(values, layout, "other", replicates=100) != together).any()


def test_interval_of_minus_the_values_is_minus_the_interval():
    layout = Layout(windows=(4, 4, 4), seeds=(2, 2, 2))
    values = stream("v").standard_normal(layout.shape)
    low, high = interval_of_medians([values], layout, "k")[0]
    assert interval_of_medians([-values], layout, "k")[0] == pytest.approx([-high, -low])


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1, 2, 3], 2), ([1, 2, 3, 4], 2.5), ([1, np.inf], np.inf), ([np.inf, np.inf], np.inf), ([-np.inf, np.inf], 0)],
)
def test_median_with_infinities(values, expected):
    assert median(np.array(values, float)) == expected
