"""Paired statistics against hand computation, scipy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wilcoxon

from strangecast.evaluation.paired import difference, holm, superiority, wilcoxon_over_systems


def test_difference_pairs_seeds_and_uses_fewer_again():
    a = np.array([[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]])
    b = np.array([[[1.0]], [[10.0]]])
    assert difference(a, b).tolist() == [[[0, 1, 2]], [[-6, -5, -4]]]
    assert difference(b, a).tolist() == [[[0, -1, -2]], [[6, 5, 4]]]
    two = np.array([[[10.0, 20.0, np.nan]]])
    assert difference(np.array([[[1.0, 2.0, 3.0]]]), two).tolist() == [[[-9, -18, -7]]]


def test_two_forecasts_that_are_infinitely_bad_tie():
    a, b = np.array([[[np.inf, np.inf, 1.0]]]), np.array([[[np.inf, 1.0, np.inf]]])
    assert difference(a, b).tolist() == [[[0, np.inf, -np.inf]]]


def test_superiority_counts_ties_half():
    d = np.array([[[-1.0, -2.0, 0.0, 3.0, np.nan]]])
    assert superiority(d, higher=False) == pytest.approx((2 + 0.5) / 4)
    assert superiority(d, higher=True) == pytest.approx((1 + 0.5) / 4)


def test_wilcoxon_takes_one_difference_per_system():
    rng = np.random.default_rng(0)
    d = rng.normal(0.5, 1, (12, 5, 3))
    assert wilcoxon_over_systems(d) == pytest.approx(wilcoxon(np.median(d, axis=(1, 2))).pvalue)
    assert wilcoxon_over_systems(np.ones((6, 2, 2))) == pytest.approx(2 / 2**6)
    assert wilcoxon_over_systems(np.zeros((6, 2, 2))) == 1.0
    assert wilcoxon_over_systems(np.full((6, 2, 2), np.inf)) == pytest.approx(2 / 2**6)


def test_holm_by_hand():
    # sorted 0.01 0.02 0.03 0.5 times 4 3 2 1, then made increasing
    assert holm(np.array([0.02, 0.5, 0.01, 0.03])) == pytest.approx([0.06, 0.5, 0.04, 0.06])
    assert len(holm(np.array([]))) == 0


def test_holm_against_statsmodels():
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(3)
    for n in (1, 2, 10, 45):
        p = np.round(rng.uniform(0, 1, n) ** 3, 2)  # ties and zeros among them
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
