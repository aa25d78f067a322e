"""Figures draw whatever a study may hold, say clearly what they lack, and are the same bytes every time."""

from __future__ import annotations

import importlib
import itertools
import sys

import numpy as np
import pytest

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.paper.figure_job import draw_figure
from strangecast.paper.frames import ordered_labels
from strangecast.paper.style import PALETTE, colours, figure_style
from tests.unit.paper.conftest import CASES
from tests.unit.paper.synthetic import FIGURES, figure_option

META = ("_target_", "title", "caption", "inputs")


def drawn(name: str, frames, **more):
    option = figure_option(name)
    draw = importlib.import_module(option["_target_"].rpartition(".")[0]).draw
    return draw(frames, **{k: v for k, v in option.items() if k not in META} | more)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_every_study_within_its_page(studies, case, name):
    figure = drawn(name, studies(case).frames())
    with figure_style() as plt:
        figure.canvas.draw()
        inked = figure.get_tightbbox()
        assert inked.x0 > -0.02
        assert inked.x1 < figure.get_figwidth() + 0.02
        assert inked.y0 > -0.02
        assert inked.y1 < figure.get_figheight() + 0.02
        assert round(figure.get_figwidth() * 25.4) in (89, 183)
        plt.close(figure)


def test_tick_labels_do_not_overlap(studies):
    for name in FIGURES:
        figure = drawn(name, studies("plain").frames())
        with figure_style() as plt:
            figure.canvas.draw()
            for axis in figure.axes:
                for ticks in (axis.get_xticklabels(), axis.get_yticklabels()):
                    upright = [t for t in ticks if t.get_text() and t.get_visible() and not t.get_rotation()]
                    boxes = [t.get_window_extent() for t in upright]
                    for a, b in itertools.pairwise(boxes):
                        assert not a.overlaps(b) or not a.width or not b.width, (name, [t.get_text() for t in upright])
            plt.close(figure)


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_table_is_named(studies, name):
    frames = studies("plain").frames()
    first = figure_option(name)["inputs"][0]
    with pytest.raises(ResultsError, match=f"'{first}', which was not given"):
        drawn(name, {k: v for k, v in frames.items() if k != first})
    with pytest.raises(ResultsError, match=f"'{first}', which has no rows"):
        drawn(name, frames | {first: frames[first].iloc[:0]})
    with pytest.raises(ResultsError, match="columns"):
        drawn(name, frames | {first: frames[first].drop(columns="suite")})


def test_an_absent_file_is_named(studies, tmp_path):
    with pytest.raises(ResultsError, match="error_growth.parquet does not exist"):
        draw_figure(studies("plain").plan, tmp_path, "error_growth", tmp_path / "a")


def test_names_that_do_not_exist_are_refused(studies, tmp_path):
    study = studies("plain")
    with pytest.raises(ConfigError, match="did you mean 'error_growth'"):
        draw_figure(study.plan, study.root, "eror_growth", tmp_path / "a")
    frames = study.frames()
    with pytest.raises(ResultsError, match="no system with errors 'Lorentz'; did you mean 'Lorenz'"):
        drawn("error_growth", frames, systems=["Lorentz"])
    with pytest.raises(ResultsError, match="no label with forecasts 'MLP'"):
        drawn("forecast_vs_truth", frames, labels=["MLP"])
    with pytest.raises(ResultsError, match="no scored metric 'vpt'"):
        drawn("vpt_distribution", frames, metric="vpt")
    with pytest.raises(ConfigError, match="figure width 'wide'"):
        drawn("skill_heatmap", frames, width="wide")
    plan = study.plan | {"figures": {"skill_heatmap": figure_option("skill_heatmap") | {"metrics": "nrmse"}}}
    with pytest.raises(ConfigError, match="unexpected keyword argument 'metrics'"):
        draw_figure(plan, study.root, "skill_heatmap", tmp_path / "a")


@pytest.mark.parametrize("name", FIGURES)
def test_equal_tables_give_equal_bytes(studies, tmp_path, name, monkeypatch):
    study = studies("lost")
    draw_figure(study.plan, study.root, name, tmp_path / "first" / name)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    monkeypatch.setitem(__import__("matplotlib").rcParams, "lines.linewidth", 9.0)
    draw_figure(study.plan, study.root, name, tmp_path / "second" / name)
    for suffix in (".pdf", ".png"):
        first, second = ((tmp_path / which / name).with_suffix(suffix).read_bytes() for which in ("first", "second"))
        assert first == second
    assert b"CreationDate" not in (tmp_path / "first" / f"{name}.pdf").read_bytes()
    assert sorted(p.name for p in (tmp_path / "first").iterdir()) == [f"{name}.pdf", f"{name}.png"]


def test_what_is_drawn_is_what_the_tables_say(studies):
    frames = studies("plain").frames()
    axis = drawn("vpt_distribution", frames).axes[0]
    table = frames["comparisons"]
    table = table[(table["metric"] == "valid_prediction_time") & table["peer"].isna()].set_index("label")["median"]
    diamonds = [line.get_xdata()[0] for line in axis.lines if line.get_marker() == "D" and len(line.get_xdata()) == 1]
    np.testing.assert_allclose(diamonds, table[list(frames["labels"]["label"])])
    image = drawn("skill_heatmap", frames).axes[0].images[0].get_array()
    assert image.shape == (3, 5)
    growth = drawn("error_growth", frames).axes[0]
    pooled = frames["analysis/error_growth"]
    pooled = pooled[pooled["dataset"].isna() & (pooled["label"] == "Persistence")]
    np.testing.assert_allclose(growth.lines[0].get_ydata(), pooled["median"])


def test_a_diverged_forecast_ends_and_stays_off_the_scale(studies):
    frames = studies("plain").frames()
    axes = drawn("forecast_vs_truth", frames, systems=["Lorenz"], labels=["MLP, 4-step"]).axes
    truth, forecast = (line.get_ydata() for line in axes[0].lines[:2])
    assert np.isnan(forecast[51:]).all()
    assert axes[0].get_ylim()[1] < 2 * truth.max()


def test_a_label_keeps_its_colour_in_any_company(studies):
    frames = studies("plain").frames()
    everyone = colours(frames, frames["labels"]["label"])
    assert colours(frames, ["MLP, 4-step"]) == {"MLP, 4-step": everyone["MLP, 4-step"]}
    assert len(set(everyone.values())) == 5
    assert set(everyone.values()) < set(PALETTE)
    given = frames["labels"].assign(
        color=["#123456" if e in ("ridge", "mlp") else None for e in frames["labels"]["emulator"]]
    )
    chosen = colours(frames | {"labels": given}, frames["labels"]["label"])
    assert chosen["Ridge regression"] == "#123456"
    assert chosen["MLP, 1-step"] != chosen["MLP, 4-step"]  # one emulator's colour cannot tell its labels apart
    assert ordered_labels(frames, ["new", "MLP, 1-step", "Climatology"]) == ["Climatology", "MLP, 1-step", "new"]


def test_the_palette_is_told_apart_without_colour_vision():
    """Any two of the first six colours stay apart for deuteranopes and protanopes (Vienot, Brettel, Mollon 1999)."""
    protan = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, -0.0], [0.00401, -0.00401, 1.0]])
    deutan = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, -0.0], [-0.02234, 0.02234, 1.0]])
    srgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in PALETTE[:6]])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    for matrix in (np.eye(3), protan, deutan):
        seen = np.clip(linear @ matrix.T, 0, 1)
        seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
        apart = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
        assert apart[~np.eye(6, dtype=bool)].min() > 0.12


def test_no_figure_needs_torch(studies, tmp_path):
    import subprocess

    code = (
        "import sys, strangecast.paper.figure_job, strangecast.paper.document, strangecast.paper.table_job;"
        f"[__import__('strangecast.paper.figures.' + n) for n in {FIGURES!r}];"
        "assert not {'torch', 'strangecast.emulators', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pooled_errors_end_where_half_of_the_systems_have_left(studies):
    from strangecast.paper.figures import error_growth

    frames = studies("plain").frames()
    table = frames["analysis/error_growth"]
    pooled = table["dataset"].isna()
    late = table["lyapunov_time"] > 1.0
    counts = np.where(pooled & late, 3, 8)
    figure = error_growth.draw(frames | {"analysis/error_growth": table.assign(n_datasets=counts)})
    times = [line.get_xdata() for line in figure.axes[0].get_lines() if len(line.get_xdata()) > 2]
    assert times
    assert max(float(t[-1]) for t in times) <= 1.0
    assert figure.axes[0].get_xlim()[1] <= 1.0
