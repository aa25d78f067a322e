"""Pages for the eye: trajectories, and augmentations before and after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from strangecast.analyses.shown import Shown
from strangecast.data.augmentations.examples import Example
from strangecast.paper import augmentation_page, trajectory_page
from strangecast.paper.page_file import save_page
from strangecast.paper.style import figure_style

T = np.arange(400)
VALUES = np.stack([np.sin(T / 8), np.cos(T / 11), np.sin(T / 5) ** 2], axis=1)
ONE = Shown("Lorenz-p0-i0", "Lorenz", 0, VALUES, ("x", "y", "z"), 0.02, 1.0, (), 0.9, 0.01, 5)


def within(figure) -> None:
    with figure_style() as plt:
        figure.canvas.draw()
        inked = figure.get_tightbbox()
        assert inked.x0 > -0.02
        assert inked.x1 < figure.get_figwidth() + 0.02
        assert inked.y0 > -0.02
        assert inked.y1 < figure.get_figheight() + 0.02
        plt.close(figure)


def test_a_page_says_what_each_trajectory_is():
    rejected = replace(
        ONE, trajectory_id="Lorenz-p1-i0", reasons=("boundedness", "zero_one", "stationarity", "transient")
    )
    figure = trajectory_page.draw([ONE, rejected], "a title")
    titles = [a.get_title(loc="left") for a in figure.axes if a.get_title(loc="left")]
    assert titles == [
        "Lorenz-p0-i0, 400 samples, exponent 0.9 ± 0.01, accepted",
        "Lorenz-p1-i0, 400 samples, exponent 0.9 ± 0.01, rejected by boundedness, zero one, stationarity, ...",
    ]
    within(figure)


def test_course_and_spectrum_are_those_of_the_samples():
    figure = trajectory_page.draw([ONE])
    _, course, spectrum = figure.axes
    curve = course.lines[0]
    np.testing.assert_allclose(curve.get_xdata()[:3], [0.0, 0.02, 0.04])
    low, high = VALUES[:, 0].min(), VALUES[:, 0].max()
    np.testing.assert_allclose(curve.get_ydata(), (VALUES[:, 0] - low) / (high - low))
    peak = spectrum.lines[0]
    at = peak.get_xdata()[np.argmax(peak.get_ydata())]
    assert at == pytest.approx(1 / (16 * np.pi * 0.02), rel=0.1)  # one turn of sin(t / 8) in 16 pi samples


@pytest.mark.parametrize(
    "odd",
    [
        replace(ONE, values=VALUES[:, :1], channels=("x",)),
        replace(ONE, values=VALUES[:, :2], channels=("x", "y"), lyapunov=None, standard_error=None),
        replace(ONE, dt=None, period=None),
        replace(ONE, values=np.repeat(VALUES, 3, axis=1), channels=tuple("abcdefghi")),
        replace(ONE, values=VALUES[:1]),
        replace(ONE, values=np.where(T[:, None] > 100, np.nan, VALUES)),
        replace(ONE, values=np.zeros((50, 3))),
        replace(ONE, values=VALUES[:, :, None] * np.ones(4)),
    ],
)
def test_odd_trajectories_draw(odd):
    within(trajectory_page.draw([odd]))


def test_augmentations_before_and_after():
    pairs = [
        Example("random affine map", ("Lorenz",), VALUES, VALUES @ np.ones((3, 5))),
        Example("delay embedding", ("Lorenz", "Rossler"), VALUES, VALUES[:300, :1]),
    ]
    figure = augmentation_page.draw(pairs)
    assert len(figure.axes) == 8
    assert figure.axes[0].get_title(loc="left") == "random affine map: Lorenz"
    assert figure.axes[6].get_title(loc="left") == "one channel after"
    within(figure)


def test_a_page_is_written_whole(tmp_path):
    save_page(lambda: trajectory_page.draw([ONE]), tmp_path / "a" / "b.png")
    save_page(lambda: trajectory_page.draw([ONE]), tmp_path / "c.png")
    assert (tmp_path / "a" / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()
