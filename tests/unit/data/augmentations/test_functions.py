"""Each augmentation against its definition, and the same bits whoever stands beside a sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from strangecast.core.errors import ConfigError, DataError
from strangecast.data.augmentations.convex_combination import convex_combination
from strangecast.data.augmentations.dimension_selection import dimension_selection
from strangecast.data.augmentations.draws import SampleDraws, sample_keys
from strangecast.data.augmentations.fourier_series import fourier_series
from strangecast.data.augmentations.ordered import mixed, ordered_mean
from strangecast.data.augmentations.phase_surrogate import phase_surrogate
from strangecast.data.augmentations.projected_skew import projected_skew
from strangecast.data.augmentations.random_affine import random_affine
from strangecast.data.augmentations.standardisation import standardised
from strangecast.data.augmentations.takens import takens, takens_steps

B, T, C = 9, 201, 4
FUNCTIONS = {
    "affine": lambda v, d: random_affine(v, d, 5),
    "convex": lambda v, d: convex_combination(v, d, 5),
    "sparse convex": lambda v, d: convex_combination(v, d, 5, alpha=0.3),
    "skew": lambda v, d: projected_skew(v, d, 5, partners=v[:, :, :2] ** 2),
    "takens": lambda v, d: takens(v, d, 3),
    "phases": phase_surrogate,
    "shared phases": lambda v, d: phase_surrogate(v, d, shared=True, cutoff=0.4),
    "fourier": fourier_series,
    "selection": lambda v, d: dimension_selection(v, d, 2),
    "standardised": lambda v, d: standardised(v),
}
of_each = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.standard_normal((B, T, C)).cumsum(axis=1))


@pytest.fixture
def draws():
    return SampleDraws(sample_keys(B, "test"))


# Promises of all


@of_each
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_bits_of_a_sample_depend_on_its_key_alone(values, draws, function, dtype):
    values = values.to(dtype)
    whole = function(values, draws)
    assert whole.dtype == dtype
    assert torch.equal(function(values, draws), whole)
    for rows in ([0], [8], [2, 5, 3], [7, 1, 0, 4, 6]):
        assert torch.equal(function(values[rows], draws.of(np.array(rows))), whole[rows])


@of_each
def test_threads_do_not_change_bits(values, draws, function):
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = function(values, draws)
        torch.set_num_threads(2)
        assert torch.equal(function(values, draws), one)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"standardised"}))
def test_other_keys_give_other_samples(values, draws, name):
    same = values[:1].expand(B, -1, -1)
    found = FUNCTIONS[name](same, draws)
    assert len({found[b].numpy().tobytes() for b in range(B)}) > B // 2


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"fourier"}))
def test_a_gradient_passes(values, draws, name):
    leaf = values.clone().requires_grad_()
    (FUNCTIONS[name](leaf, draws) ** 2).sum().backward()
    assert torch.isfinite(leaf.grad).all()
    if name != "standardised":  # the sum of squares of a standardised sample is a constant
        assert (leaf.grad != 0).any(dim=2).any(dim=1).all()


# Draws


def test_draws_are_named_and_in_range(draws):
    draws = SampleDraws(sample_keys(4000, "many"))
    u = draws.uniform("u", 3)
    assert u.shape == (4000, 3)
    assert ((u >= 0) & (u < 1)).all()
    assert not torch.equal(u, draws.uniform("v", 3))
    assert torch.equal(u[:, 0], draws.uniform("u")), "more numbers of a name leave the first ones as they are"
    k = draws.integers("k", 3, 8)
    assert torch.bincount(k)[3:].numpy() == pytest.approx(4000 / 6, rel=0.2)
    assert (k.min(), k.max()) == (3, 8)
    n = draws.normal("n", 2)
    assert abs(n.mean()) < 0.05
    assert n.std() == pytest.approx(1, abs=0.03)
    order = draws.permutation("p", 5)
    assert torch.equal(order.sort(dim=1).values, torch.arange(5).expand(4000, -1))


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0])
def test_gamma_draws_have_their_moments(alpha):
    drawn = SampleDraws(sample_keys(20000, "gamma")).gamma("g", alpha)
    assert (drawn > 0).all()
    assert drawn.mean() == pytest.approx(alpha, rel=0.05)
    assert drawn.var() == pytest.approx(alpha, rel=0.1)


def test_the_same_numbers_everywhere_and_always():
    assert sample_keys(2, "golden").tolist() == [5383401808147771393, 14586334367321833559]
    drawn = SampleDraws(np.array([1, 2**64 - 1], np.uint64)).uniform("u", 2)
    assert drawn.tolist() == [
        [0.33073413902848214, 0.060051236135490904],
        [0.33595130663109685, 0.08754056669925869],
    ]


def test_sample_keys_are_those_of_their_name():
    assert len(set(sample_keys(1000, "a", 1))) == 1000
    np.testing.assert_array_equal(sample_keys(3, "a", 1), sample_keys(9, "a", 1)[:3])
    assert sample_keys(1, "a", 1) != sample_keys(1, "a", 2)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 64, 201])
def test_ordered_mean(values, steps):
    torch.testing.assert_close(ordered_mean(values[:, :steps]), values[:, :steps].mean(dim=1))


def test_mixed_is_a_product_of_matrices(values):
    weights, offset = torch.randn(B, 6, C, dtype=torch.float64), torch.randn(B, 6, dtype=torch.float64)
    torch.testing.assert_close(mixed(values, weights), values @ weights.transpose(1, 2))
    torch.testing.assert_close(mixed(values, weights, offset), values @ weights.transpose(1, 2) + offset[:, None])


# Affine, convex, skew


def test_affine_maps_constants_to_constants_and_lines_to_lines(draws):
    found = random_affine(torch.ones(B, T, C), draws, 5)
    assert torch.equal(found, found[:, :1].expand(-1, T, -1))
    line = torch.linspace(0, 1, T, dtype=torch.float64)[None, :, None] * torch.ones(B, 1, C, dtype=torch.float64)
    bends = random_affine(line, draws, 5).diff(dim=1).diff(dim=1)
    assert bends.abs().max() < 1e-14


def test_affine_of_a_sum_is_affine(values, draws):
    other = values.flip(1)
    half = random_affine(0.5 * values + 0.5 * other, draws, 6)
    torch.testing.assert_close(half, 0.5 * random_affine(values, draws, 6) + 0.5 * random_affine(other, draws, 6))


def test_affine_entries_have_the_stated_deviation():
    draws = SampleDraws(sample_keys(4000, "entries"))
    entries = torch.eye(C, dtype=torch.float64).expand(4000, -1, -1)
    zero = random_affine(torch.zeros(4000, 1, C, dtype=torch.float64), draws, 8, scale=3.0)
    assert zero.std() == pytest.approx(3 / math.sqrt(8), rel=0.03)
    assert (random_affine(entries, draws, 8, scale=3.0) - zero).std() == pytest.approx(3 / math.sqrt(8), rel=0.03)


def test_convex_combinations_stay_in_the_hull(values, draws):
    for alpha in (0.1, 1.0, 10.0):
        found = convex_combination(values, draws, 8, alpha=alpha)
        assert (found <= values.amax(dim=2, keepdim=True) + 1e-12).all()
        assert (found >= values.amin(dim=2, keepdim=True) - 1e-12).all()
    constant = torch.full((B, T, C), 3.25)
    torch.testing.assert_close(convex_combination(constant, draws, 8), torch.full((B, T, 8), 3.25))


def test_the_weights_of_convex_combinations_are_uniform_on_the_simplex():
    draws = SampleDraws(sample_keys(6000, "simplex"))
    corners = torch.eye(3, dtype=torch.float64).expand(6000, -1, -1)
    weights = convex_combination(corners, draws, 1)[:, :, 0]
    assert weights.mean(dim=0).numpy() == pytest.approx(1 / 3, rel=0.05)
    assert weights.var(dim=0).numpy() == pytest.approx(1 / 18, rel=0.07)  # (1/3)(2/3)/4 of Dirichlet(1, 1, 1)


def test_convex_refuses_what_cannot_be(values, draws):
    with pytest.raises(ConfigError, match=r"alpha must be at least 0\.1, found 0"):
        convex_combination(values, draws, 3, alpha=0.0)


def test_skew_is_the_sum_of_two_linear_maps(values, draws):
    partners = values[:, :, :2].cos()
    both = projected_skew(values, draws, 5, partners=partners)
    first = projected_skew(values, draws, 5, partners=torch.zeros_like(partners))
    second = projected_skew(torch.zeros_like(values), draws, 5, partners=partners)
    torch.testing.assert_close(both, first + second)
    torch.testing.assert_close(projected_skew(2 * values, draws, 5, partners=partners), 2 * first + second)
    assert first.std() > 0
    assert second.std() > 0
    with pytest.raises(DataError, match=r"partners must be \[9, 201\]"):
        projected_skew(values, draws, 5, partners=partners[:, 1:])


# Takens


def test_takens_channels_are_shifts_of_one_coordinate(values, draws):
    found = takens(values, draws, 3, lags=(2, 6))
    assert found.shape == (B, T - 12, 3)
    assert takens_steps(3, lags=(2, 6)) == 12
    lags, coordinates = set(), set()
    for b in range(B):
        (c,) = [c for c in range(C) if torch.equal(found[b, :, 0], values[b, 12:, c])]
        fits = [
            k for k in range(2, 7)
            if all(torch.equal(found[b, :, j], values[b, 12 - j * k : T - j * k, c]) for j in range(3))
        ]  # fmt: skip
        assert len(fits) == 1
        lags.add(fits[0])
        coordinates.add(c)
    assert len(lags) > 2
    assert len(coordinates) > 2


def test_takens_refuses_what_cannot_be(values, draws):
    with pytest.raises(DataError, match="need more than 210 samples, found 201"):
        takens(values, draws, 22)
    for lags in ((0, 3), (4, 3)):
        with pytest.raises(ConfigError, match="lags"):
            takens(values, draws, 2, lags=lags)


# Spectra


@pytest.mark.parametrize("steps", [200, 201])
@pytest.mark.parametrize("shared", [False, True])
def test_surrogates_keep_power_spectrum_and_mean(values, draws, steps, shared):
    series = values[:, :steps]
    found = phase_surrogate(series, draws, shared=shared)
    assert found.shape == series.shape
    power = [torch.fft.rfft(x, dim=1).abs() for x in (series, found)]
    torch.testing.assert_close(power[1], power[0], rtol=1e-10, atol=1e-9)
    torch.testing.assert_close(found.mean(dim=1), series.mean(dim=1))
    assert ((found - series).abs().amax(dim=1) > 0.1).all()


def test_shared_phases_keep_cross_spectra(values, draws):
    def cross(x):
        f = torch.fft.rfft(x, dim=1)
        return f[:, :, 0] * f[:, :, 1].conj()

    torch.testing.assert_close(cross(phase_surrogate(values, draws, shared=True)), cross(values))
    assert not torch.allclose(cross(phase_surrogate(values, draws)), cross(values))


def test_a_cutoff_removes_the_high_frequencies(values, draws):
    found = torch.fft.rfft(phase_surrogate(values, draws, cutoff=0.25), dim=1).abs()
    assert found[:, 26:].max() < 1e-10
    assert (found[:, :26] > 1e-6).all()
    with pytest.raises(ConfigError, match="cutoff"):
        phase_surrogate(values, draws, cutoff=0.0)


def test_fourier_series_are_sums_of_so_many_sinusoids(values, draws):
    found = fourier_series(values, draws, modes=(1, 1), waves=20.0, amplitude=2.0)
    # A sum of one sinusoid of constant step obeys x(t+1) + x(t-1) = 2 cos(w) x(t).
    middle, neighbours = found[:, 1:-1], found[:, 2:] + found[:, :-2]
    slope = (middle * neighbours).sum(dim=1) / (middle * middle).sum(dim=1)
    torch.testing.assert_close(neighbours, slope[:, None] * middle, rtol=0, atol=1e-10)
    waves = torch.acos((slope / 2).clamp(-1, 1)) * T / (2 * math.pi)
    assert (waves < 20).all()
    assert waves.max() > 12
    assert found.abs().max() <= 2
    assert torch.equal(found, fourier_series(torch.zeros_like(values), draws, modes=(1, 1), waves=20.0, amplitude=2.0))
    with pytest.raises(ConfigError, match="modes"):
        fourier_series(values, draws, modes=(3, 2))


def test_fourier_series_are_the_same_in_single_precision(values, draws):
    double = fourier_series(values, draws)
    torch.testing.assert_close(fourier_series(values.float(), draws).double(), double, rtol=0, atol=1e-3)


# Selection, standardisation


def test_selection_takes_different_channels_of_the_sample(values, draws):
    found = dimension_selection(values, draws, 3)
    picked = []
    for b in range(B):
        where = [[c for c in range(C) if torch.equal(found[b, :, k], values[b, :, c])] for k in range(3)]
        assert [len(w) for w in where] == [1, 1, 1]
        picked.append(tuple(w[0] for w in where))
        assert len(set(picked[-1])) == 3
    assert len(set(picked)) > 4
    assert dimension_selection(values, draws, 9).shape == values.shape


def test_standardised_samples(values):
    values[:, :, 1] = 0.1  # constant, and no power of two
    found = standardised(values * torch.tensor([1.0, 1.0, 1e-9, 1e9], dtype=torch.float64) + 5)
    torch.testing.assert_close(found.mean(dim=1), torch.zeros(B, C, dtype=torch.float64), rtol=0, atol=1e-6)
    wanted = torch.tensor([1.0, 0.0, 1.0, 1.0], dtype=torch.float64).expand(B, -1)
    torch.testing.assert_close(found.std(dim=1, unbiased=False), wanted, rtol=0, atol=1e-6)
    assert torch.equal(standardised(torch.full((2, 7, 1), 0.1)), torch.zeros(2, 7, 1))
