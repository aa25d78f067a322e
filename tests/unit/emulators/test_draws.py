"""Random numbers of samples: keyed, independent of company, and distributed as they say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from strangecast.core.streams import key64
from strangecast.emulators.draws import SampleRandom, sample_keys

STREAMS = [7, 2**63 + 5, 11]
WINDOWS = np.array([[key64("window", b) for b in range(5)]], np.uint64)


def draws(streams=STREAMS, windows=WINDOWS, samples=4):
    return SampleRandom(sample_keys(streams, windows), samples)


def test_shapes_and_range():
    found = draws().uniform("noise", 2, 6)
    assert found.shape == (4, 3, 5, 2, 6)
    assert found.dtype == torch.float64
    assert ((found > 0) & (found < 1)).all()
    assert draws().normal("noise").shape == (4, 3, 5)
    assert draws().normal("noise", 0).shape == (4, 3, 5, 0)


def test_a_name_gives_its_numbers_and_another_name_others():
    one = draws()
    assert torch.equal(one.normal("step 3", 8), one.normal("step 3", 8))
    assert not (one.normal("step 3", 8) == one.normal("step 4", 8)).any()
    assert torch.equal(one.normal("step 3", 8)[..., :5], one.normal("step 3", 5))


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_neither_neighbours_nor_the_number_of_samples_change_a_draw(kind):
    together = getattr(draws(samples=7), kind)("noise", 3)
    assert torch.equal(getattr(draws(samples=2), kind)("noise", 3), together[:2])
    for s in range(3):
        for b in range(5):
            alone = draws([STREAMS[s]], WINDOWS[:, b : b + 1], samples=1)
            assert torch.equal(getattr(alone, kind)("noise", 3), together[:1, s : s + 1, b : b + 1])
    own = np.concatenate([WINDOWS, WINDOWS[:, ::-1], WINDOWS])
    apart = getattr(draws(windows=own, samples=7), kind)("noise", 3)
    assert torch.equal(apart[:, [0, 2]], together[:, [0, 2]])
    assert torch.equal(apart[:, 1].flip(1), together[:, 1])


def test_members_windows_samples_and_names_draw_independently():
    many = np.array([[key64("window", b) for b in range(40)]], np.uint64)
    found = np.stack([draws(windows=many, samples=20).normal(f"step {h}", 50).numpy() for h in range(2)])
    assert stats.kstest(found.reshape(-1), "norm").pvalue > 1e-3
    assert len(np.unique(found)) == found.size
    for axis in range(found.ndim):
        rows = np.moveaxis(found, axis, 0).reshape(found.shape[axis], -1)
        between = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
        assert np.abs(between).max() < 4.5 / np.sqrt(rows.shape[1])
        assert (rows.mean(axis=1) * np.sqrt(rows.shape[1]) < 5).all()


def test_categories_are_drawn_as_the_docstring_says():
    logits = torch.log(torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64))
    many = np.array([[key64("window", b) for b in range(200)]], np.uint64)
    chosen = (logits - torch.log(-torch.log(draws(windows=many, samples=50).uniform("token 0", 3)))).argmax(-1)
    counts = torch.bincount(chosen.reshape(-1), minlength=3).numpy()
    assert stats.chisquare(counts, counts.sum() * np.array([0.2, 0.5, 0.3])).pvalue > 1e-3
