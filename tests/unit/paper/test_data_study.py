"""A study of data: its figures, tables and sentences, alone and beside a comparison of forecasters."""

from __future__ import annotations

import importlib
import itertools
import json
import re

import numpy as np
import pytest

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.proportions import wilson
from strangecast.paper.document import build_paper
from strangecast.paper.figure_job import draw_figure
from strangecast.paper.numbers import paper_numbers
from strangecast.paper.projection import draw_curve, projected
from strangecast.paper.style import figure_style, tint, two_lines
from strangecast.paper.table_job import build_table, make_table
from tests.unit.paper.synthetic_data import DataStudy
from tests.unit.paper.test_document import MANUSCRIPT, pages

META = ("_target_", "title", "caption", "inputs")
FIGURES = ("attractor_gallery", "skew_gallery", "perturbation_ensemble", "pass_rates", "trajectory_lengths")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return DataStudy(tmp_path_factory.mktemp("data-study") / "results" / "smoke").write()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A study of one dataset, which has neither perturbed parameters nor skew products."""
    return DataStudy(tmp_path_factory.mktemp("one-dataset") / "results" / "smoke", ("dysts_all",)).write()


def drawn(name: str, of: DataStudy, frames=None, **more):
    option = of.plan["figures"][name]
    draw = importlib.import_module(option["_target_"].rpartition(".")[0]).draw
    settings = {k: v for k, v in option.items() if k not in META} | more
    return draw(of.frames() if frames is None else frames, **settings)


# Figures


@pytest.mark.parametrize("case", ["study", "alone"])
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_within_its_page(request, case, name):
    of = request.getfixturevalue(case)
    if name not in of.plan["figures"]:
        return
    figure = drawn(name, of)
    with figure_style() as plt:
        figure.canvas.draw()
        inked = figure.get_tightbbox()
        assert inked.x0 > -0.02
        assert inked.x1 < figure.get_figwidth() + 0.02
        assert inked.y0 > -0.02
        assert inked.y1 < figure.get_figheight() + 0.02
        assert round(figure.get_figwidth() * 25.4) in (89, 183)
        plt.close(figure)


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_table_is_named(study, name):
    first = study.plan["figures"][name]["inputs"][0]
    with pytest.raises(ResultsError, match=f"'{first}', which was not given"):
        drawn(name, study, {})
    with pytest.raises(ResultsError, match="columns"):
        drawn(name, study, {first: study.frames()[first].drop(columns="dataset")})


@pytest.mark.parametrize("name", FIGURES)
def test_equal_tables_give_equal_bytes(study, tmp_path, name):
    for folder in ("a", "b"):
        draw_figure(study.plan, study.root, name, tmp_path / folder / name)
    for suffix in (".pdf", ".png"):
        first, second = ((tmp_path / which / name).with_suffix(suffix).read_bytes() for which in "ab")
        assert first == second


def test_names_that_do_not_exist_are_refused(study):
    with pytest.raises(ResultsError, match="no dataset with a gallery 'skews'; did you mean 'skew'"):
        drawn("attractor_gallery", study, dataset="skews")
    with pytest.raises(ResultsError, match="no system with perturbed parameters 'Lorentz'; did you mean 'Lorenz'"):
        drawn("perturbation_ensemble", study, systems=["Lorentz"])
    with pytest.raises(ResultsError, match="no trajectory is of group 'perturbed'"):
        drawn("pass_rates", study, groups=["perturbed"])
    with pytest.raises(ConfigError, match="figure width 'wide'"):
        drawn("trajectory_lengths", study, width="wide")


def words(figure) -> str:
    """All text of a figure."""
    from matplotlib.text import Text

    return "\n".join(t.get_text() for t in figure.findobj(Text) if t.get_text())


def test_the_gallery_names_every_system_marks_kinds_and_frames_the_rejected(study):
    figure = drawn("attractor_gallery", study)
    text = words(figure)
    for name in ("Lorenz", "ForcedVanDerPol ∿", "Chua ∧", "MackeyGlass τ"):
        assert name in text.replace("\n", ""), name
    assert "Arnold" in text
    assert "boundedness" in text
    assert "not kept" in text
    framed = [a for a in figure.axes if a.spines["left"].get_visible()]
    assert len(framed) == 2  # Chua and HyperRossler
    assert "framed: none accepted (2)" in text
    assert "delay (1)" in text
    assert "autonomous and smooth (3)" in text
    assert len(figure.axes) == 6
    few = drawn("attractor_gallery", study, panels=2)
    assert len(few.axes) == 2
    assert "Lorenz →" in words(drawn("skew_gallery", study))


def test_a_crowded_gallery_has_no_two_names_on_one_another(study):
    frames = study.frames()
    table = frames["analysis/gallery"]
    own = table[(table["dataset"] == "dysts_all") & (table["system"] == "ArnoldBeltramiChildress")]
    many = [own.assign(system=f"ArnoldBeltramiChildress{'IsLong' * (i % 3)}{i}") for i in range(33)]
    import pandas as pd

    figure = drawn("attractor_gallery", study, {"analysis/gallery": pd.concat(many)})
    with figure_style() as plt:
        figure.canvas.draw()
        boxes = [t.get_window_extent() for a in figure.axes for t in a.texts]
        assert len(boxes) == 33
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
        plt.close(figure)


def test_dots_stand_where_the_table_says(study):
    axis = drawn("pass_rates", study).axes[0]
    shown = {line.get_label(): line for line in axis.lines}
    assert list(shown)[:4] == [
        "default parameters (7)", "perturbed parameters (7)", "additive coupling (2)", "activated coupling (1)",
    ]  # fmt: skip
    ticks = [t.get_text() for t in axis.get_yticklabels()]
    assert ticks == ["integration", "boundedness", "stationarity", "all tests"]
    rates = shown["default parameters (7)"].get_xdata()
    np.testing.assert_allclose(rates, [100 * 6 / 7, 100 * 4 / 6, 100 * 5 / 6, 100 * 4 / 7])


def test_lengths_say_how_many_have_no_lyapunov_time(study):
    text = words(drawn("trajectory_lengths", study))
    assert "dysts_all: 2 of 4 parameter sets" in text
    frames = study.frames()
    frames["analysis/sampling"] = frames["analysis/sampling"].assign(length_lyapunov=np.nan)
    assert "No positive Lyapunov exponent is known" in words(drawn("trajectory_lengths", study, frames)).replace(
        "\n", " "
    )


def test_an_ensemble_frames_what_was_rejected(study, alone):
    figure = drawn("perturbation_ensemble", study)
    assert len(figure.axes) == 8
    assert "default parameters" in words(figure)
    framed = [a for a in figure.axes if a.spines["left"].get_visible()]
    assert [a.get_xlabel() for a in framed] == ["stationarity", "integration"] * 2
    assert "No dataset of this study has perturbed parameters" in words(drawn("perturbation_ensemble", alone)).replace(
        "\n", " "
    )


# From coordinates to ink


def test_projection_is_blind_to_units_and_keeps_planes():
    points = np.random.default_rng(0).normal(size=(50, 3))
    page, depth = projected(points)
    scaled = projected(points * [1e-3, 5.0, 1e6] + [3.0, -2.0, 1.0])
    np.testing.assert_allclose(scaled[0], page, atol=1e-9)
    np.testing.assert_allclose(scaled[1], depth, atol=1e-9)
    flat = points.copy()
    flat[:, 2] = np.nan
    page, depth = projected(flat)
    assert not depth.any()
    np.testing.assert_allclose(np.ptp(page, axis=0), [1.0, 1.0])
    framed, _ = projected(points[:5], points)
    np.testing.assert_allclose(framed, projected(points)[0][:5])


def test_what_is_nearer_is_drawn_later_and_stronger():
    points = np.random.default_rng(0).normal(size=(400, 3))
    page, depth = projected(points)
    with figure_style() as plt:
        figure, axis = plt.subplots()
        draw_curve(axis, page, depth, "#0072B2")
        lines = sorted(axis.lines, key=lambda line: line.get_zorder())
        assert [line.get_color() for line in lines][-1] == "#0072b2"
        covered = [np.isfinite(line.get_xdata()) for line in lines]
        assert np.logical_or.reduce(covered).all()
        means = [depth[c].mean() for c in covered]
        assert means == sorted(means)
        plt.close(figure)


def test_a_curve_with_holes_or_without_points_draws():
    with figure_style() as plt:
        figure, axis = plt.subplots()
        gone = np.full((4, 2), np.nan)
        draw_curve(axis, gone, np.full(4, np.nan), "#0072B2")
        assert not axis.lines
        plt.close(figure)
    assert tint("#000000", 0.5) == "#808080"
    assert tint("#0072b2", 1.0) == "#0072b2"


def test_long_names_break_before_a_capital():
    assert two_lines("Lorenz", 16) == ["Lorenz"]
    assert two_lines("ForcedFitzHughNagumo", 16) == ["ForcedFitz", "HughNagumo"]
    assert two_lines("aname" * 8, 16) == ["aname" * 8]


# Tables


@pytest.mark.parametrize("case", ["study", "alone"])
@pytest.mark.parametrize("name", ["pass_rates", "acceptance"])
def test_every_table_is_written(request, case, name):
    of = request.getfixturevalue(case)
    make_table(of.plan, of.root, name)
    written = sorted(p.suffix for p in (of.root / of.name / "tables").glob(f"{name}.*"))
    assert written == [".csv", ".md", ".tex"]


def test_tables_count_what_the_files_hold(study):
    rates = build_table(study.plan, study.root, "pass_rates")[1].set_index("test")
    assert rates.loc["boundedness", ["default parameters", "default parameters low"]].tolist() == pytest.approx(
        [100 * x for x in wilson(4, 6)[:2]]
    )
    table = build_table(study.plan, study.root, "acceptance")[1].set_index("outcome")
    own = table["perturbed parameters"]
    assert own["generated"] == 7
    assert own["accepted"] == 2
    reasons = [i for i in table.index if i.startswith("rejected by")]
    assert own[reasons].sum() == 5
    assert own["ended early: diverged"] == 2
    assert table.loc["rejected by stationarity", "default parameters any"] == 1
    assert table.loc["rejected by stationarity", "default parameters"] == 0


# The paper


def figures_of(of, folder):
    for name in of.plan["figures"]:
        draw_figure(of.plan, of.root, name, folder / of.name / name)
    return folder


def test_the_paper_builds_of_data_alone(study, alone, tmp_path):
    for i, of in enumerate((study, alone)):
        figures = figures_of(of, tmp_path / f"figures{i}")
        build_paper([of.plan], of.root, figures, MANUSCRIPT, tmp_path / f"paper{i}.pdf")
        assert pages((tmp_path / f"paper{i}.pdf").read_bytes()) >= 3


def test_the_paper_builds_of_data_beside_forecasters(study, studies, tmp_path):
    from tests.unit.paper.synthetic import Study

    both = [Study(study.root).write(), study]
    for of in both:
        figures_of(of, tmp_path / "figures")
    for i, order in enumerate((both, both[::-1])):
        build_paper([s.plan for s in order], study.root, tmp_path / "figures", MANUSCRIPT, tmp_path / f"{i}.pdf")
        assert pages((tmp_path / f"{i}.pdf").read_bytes()) >= 5


def test_numbers_are_those_of_the_tables(study):
    numbers = paper_numbers([study.plan], study.root)
    json.dumps(numbers, allow_nan=False)
    own = numbers["studies"][0]
    assert own["suites"] == own["horizons"] == own["systems"] == []
    assert own["counts"]["runs"]["value"] == 0
    survey = own["survey"]
    assert survey["systems"]["accepted"]["value"] == 4
    assert [g["group"] for g in survey["groups"]] == [
        "default parameters", "perturbed parameters", "additive coupling", "activated coupling",
    ]  # fmt: skip
    assert survey["groups"][0]["reasons"] == [
        {"reason": "boundedness", "trajectories": "2"},
        {"reason": "integration", "trajectories": "1"},
    ]
    assert survey["lengths"][0]["positive"]["value"] == 2
    assert own["data"]["generated"] == "19"
    assert [c["verdict"] for c in own["claims"]] == ["not reproduced"] * 6


def test_a_study_without_analyses_has_nothing_to_say(alone):
    plan = alone.plan | {"analyses": {}, "figures": {}, "tables": {}, "claims": {}}
    survey = paper_numbers([plan], alone.root)["studies"][0]["survey"]
    assert survey == {"names": ["dysts_all"], "groups": [], "systems": None, "lengths": []}


def test_no_figure_of_data_needs_torch():
    import subprocess
    import sys

    targets = [f"strangecast.paper.figures.{n}" for n in FIGURES if n != "skew_gallery"]
    code = (
        f"import sys, strangecast.paper.survey; [__import__(n) for n in {targets!r}];"
        "assert not {'torch', 'strangecast.emulators', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_test_of_the_panel_has_words():
    from strangecast.systems.validity.panel import TESTS

    text = MANUSCRIPT.read_text(encoding="utf-8")
    spoken = set(re.findall(r'"([a-z ]+)": "', text[text.index("#let tests = (") :]))
    plain = {"boundedness", "stationarity"}
    assert {t.replace("_", " ") for t in TESTS} - plain <= spoken
