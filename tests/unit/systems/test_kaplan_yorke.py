"""The dimension of known spectra."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.systems.kaplan_yorke import kaplan_yorke, kaplan_yorke_error


@pytest.mark.parametrize(
    ("spectrum", "dimension"),
    [
        ([0.906, 0.0, -14.57], 2 + 0.906 / 14.57),
        ([-14.57, 0.906, 0.0], 2 + 0.906 / 14.57),
        ([0.0, -1.0, -2.0], 1.0),
        ([-0.5, -1.0], 0.0),
        ([0.1, 0.0, -0.1], 3.0),
        ([0.4, 0.3, 0.1], 3.0),
    ],
)
def test_known_spectra(spectrum, dimension):
    assert kaplan_yorke(np.array(spectrum)) == pytest.approx(dimension)


def test_a_sum_that_is_zero_within_its_error_counts_as_zero():
    errors = np.full(3, 1e-3)
    assert kaplan_yorke(np.array([-1e-3, -1.0, -2.0])) == 0.0
    assert kaplan_yorke(np.array([-1e-3, -1.0, -2.0]), errors) == 1.0
    assert kaplan_yorke(np.array([0.1, 1e-4, -0.101]), errors) == 3.0
    assert kaplan_yorke(np.array([-1e-2, -1.0, -2.0]), errors) == 0.0


def test_unknown_exponents_give_no_dimension():
    assert np.isnan(kaplan_yorke(np.array([np.nan, -1.0])))
    assert np.isnan(kaplan_yorke(np.zeros(0)))


def test_error_is_that_of_propagation():
    # D = 2 + (l1 + l2) / |l3|: dD = d(l1 + l2) / 2 to first order.
    rng = np.random.default_rng(0)
    spectra = np.array([0.9, 0.0, -2.0]) + rng.normal(0, 0.02, (4000, 3)) * [1, 0, 0]
    assert kaplan_yorke_error(spectra) == pytest.approx(0.02 / 2 / np.sqrt(4000), rel=0.05)
    assert np.isnan(kaplan_yorke_error(spectra[:1]))
