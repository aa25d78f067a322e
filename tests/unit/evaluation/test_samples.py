"""Emulators that draw samples, all the way: forecasts, scores, comparisons, cases, a figure."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.analyses.cases import cases
from strangecast.analyses.forecast_examples import forecast_examples
from strangecast.core.atomic import write_json
from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.schemas import COMPARISONS, SCORES
from strangecast.core.spec import Channel, Spec
from strangecast.core.tables import read_parquet
from strangecast.data.forecasts import read_forecasts, write_forecasts
from strangecast.data.windows import Windows
from strangecast.evaluation import forecast as module
from strangecast.evaluation.check import check_results
from strangecast.evaluation.compare import compare_study
from strangecast.evaluation.forecast import forecast_block, forecast_windows
from strangecast.evaluation.score import score_block, scores_frame
from strangecast.metrics.crps import crps
from strangecast.metrics.samples import point_forecast
from strangecast.metrics.smape import smape
from strangecast.metrics.suite_arrays import scale_of, stacked_forecasts
from strangecast.workflow.compose import Registry
from tests.unit.evaluation.synthetic import HORIZON, PREFIXES
from tests.unit.evaluation.walk import Walk, walk_plan

KEYS = ["run_id", "dataset", "trajectory_id", "window", "horizon", "metric"]


def add_walk(results, plan):
    """Put the block into the study and give every block the CRPS."""
    config = Registry().option("metric", "crps", "smoke")
    results.blocks["walk"] = plan
    results.study["metrics"]["crps"] = config
    results.study["emulators"]["walk"] = {"title": "Walk", "color": None, "can": plan["emulator"]["can"]}
    for m in plan["members"]:
        results.study["runs"].append(
            {
                "run_id": m["run_id"], "data": "none", "emulator": "walk", "training": "none", "point": {}, "label": "Walk",
                "seed": m["seed"], "init": None, "trained_on_system": False, "folder": plan["folder"], "member": 0,
            }
        )  # fmt: skip
    results.study["blocks"].append(plan["folder"])
    for block in results.blocks.values():
        block["suites"]["waves"]["metrics"]["crps"] = {"config": config, "key": "crps-1"}
        write_json(results.root / "plan" / "block" / f"{block['folder'].removeprefix('runs/')}.json", block)
    write_json(results.root / "plan" / "study" / "ripples.json", results.study)


@pytest.fixture
def walked(results):
    """Walks of six samples and two seeds, forecast and scored beside everything else."""
    add_walk(results, walk_plan(seeds=(0, 1)))
    for block in results.blocks.values():
        forecast_block(block, results.root, "waves", device="cpu")
        score_block(block, results.root, "waves")
    return results


def path_of(results, name="walk"):
    return results.root / results.blocks[name]["suites"]["waves"]["forecast_folder"]


def stored(results):
    return read_forecasts(path_of(results) / "forecasts.arrow")


def scores(results, name="walk"):
    return scores_frame(read_parquet(path_of(results, name) / "scores.parquet", SCORES))


def test_rows_hold_samples_and_windows_differ(walked):
    found = stored(walked)
    assert len(found) == 2 * 12
    arrays = [found.array(i) for i in range(len(found))]
    assert {a.shape for a in arrays} == {(6, HORIZON, 3), (6, HORIZON, 2)}
    for a in arrays:
        assert len(np.unique(np.diff(a, axis=1))) == np.diff(a, axis=1).size
    increments = np.concatenate([np.diff(a, axis=1).reshape(-1) for a in arrays])
    assert len(np.unique(increments)) == increments.size
    assert increments.std() == pytest.approx(0.3, rel=0.03)


@pytest.mark.parametrize("lanes", [1, 32])
def test_bits_depend_neither_on_the_batch_nor_on_neighbours(built, monkeypatch, lanes):
    monkeypatch.setattr(module, "LANES", lanes)
    windows = Windows.open(built.root, "suites/waves")
    rows = windows.rows("waves-A")
    walk = Walk(step=0.3)
    whole = forecast_windows(walk, windows, [rows], 32, samples=5, streams=[9])[0]
    assert {v.shape for v in whole} == {(5, HORIZON, 3)}
    for batch in (1, 3, 32):
        again = forecast_windows(walk, windows, [rows[::-1]], batch, samples=5, streams=[9])[0]
        assert all((a == b).all() for a, b in zip(again[::-1], whole, strict=True))
        alone = forecast_windows(walk, windows, [rows[2:3]], batch, samples=3, streams=[9])[0]
        assert (alone[0] == whole[2][:3]).all()  # fewer samples are the first of more


def test_members_side_by_side_draw_what_they_draw_alone(built):
    windows = Windows.open(built.root, "suites/waves")
    a, b = windows.rows("waves-A"), windows.rows("waves-B")[:2]
    spec = Spec(tuple(Channel(f"x{c}") for c in range(3)))
    together = forecast_windows(Walk((spec,) * 3, step=0.3), windows, [a, b, a], 4, samples=4, streams=[1, 2, 3])
    assert [len(v) for v in together] == [4, 2, 4]
    for rows, stream, found in zip((a, b, a), (1, 2, 3), together, strict=True):
        alone = forecast_windows(Walk((spec,), step=0.3), windows, [rows], 32, samples=4, streams=[stream])[0]
        assert all((x == y).all() for x, y in zip(alone, found, strict=True))
    assert not (together[0][0] == together[2][0]).any()


def test_runs_draw_from_their_own_stream(walked):
    found = stored(walked)
    half = len(found) // 2
    assert found.table["run_id"].tolist() == ["walk-0"] * half + ["walk-1"] * half
    for i in range(half):
        assert not (found.array(i) == found.array(half + i)).any()


def test_unchanged_keys_keep_rows_and_another_number_of_samples_makes_them_again(walked, monkeypatch):
    before = (path_of(walked) / "forecasts.arrow").read_bytes()
    first = {i: stored(walked).array(i).copy() for i in range(24)}
    made = []
    original = module._make
    monkeypatch.setattr(module, "_make", lambda *a: made.append(a[4]) or original(*a))
    block = walked.blocks["walk"]
    forecast_block(block, walked.root, "waves", device="cpu")
    assert made == []
    assert (path_of(walked) / "forecasts.arrow").read_bytes() == before
    block["emulator"]["samples"] = 8
    forecast_block(block, walked.root, "waves", device="cpu")
    assert len(made[0]) == 6
    more = stored(walked)
    assert all(more.array(i).shape[0] == 8 and (more.array(i)[:6] == first[i]).all() for i in range(24))


def test_a_new_seed_draws_and_the_old_one_is_kept(walked, monkeypatch):
    made = {}
    original = module._make
    monkeypatch.setattr(module, "_make", lambda *a: made.update(a[4]) or original(*a))
    first = [stored(walked).array(i).copy() for i in range(24)]
    forecast_block(walk_plan(seeds=(0, 1, 2)), walked.root, "waves", device="cpu")
    assert {r for r, _ in made} == {"walk-2"}
    assert all((stored(walked).array(i) == first[i]).all() for i in range(24))


def test_without_samples_it_forecasts_once(results):
    add_walk(results, walk_plan(samples=None))
    forecast_block(results.blocks["walk"], results.root, "waves", device="cpu")
    found = stored(results)
    still = read_forecasts(path_of(results, "persistence") / "forecasts.arrow")
    assert all((found.array(i) == still.array(i)).all() for i in range(len(found)))


def test_scores_of_samples_by_hand(walked):
    windows = Windows.open(walked.root, "suites/waves")
    t = scores(walked)
    assert t["value"].notna().all()
    assert t["diverged_at"].isna().all()
    assert not t.duplicated(KEYS).any()
    for dataset in ("waves-A", "waves-C"):
        rows = windows.rows(dataset)
        samples = stacked_forecasts(stored(walked), windows, rows, ["walk-0", "walk-1"])
        assert samples.shape == (6, 2, 4, HORIZON, windows.spec(dataset).C)
        scale, truth = scale_of(windows, rows), windows.truth(rows)[0]
        point = scale.standardise(np.median(samples, axis=0))
        flat = scale.standardise(samples.reshape(12, *truth.shape)).reshape(samples.shape)
        truth = scale.standardise(truth[None])[0]
        for h in PREFIXES:
            own = t[(t["dataset"] == dataset) & (t["horizon"] == h)].sort_values(["run_id", "trajectory_id", "window"])
            expected = {
                "smape": smape(truth[:, :h], point[:, :, :h], scale),
                "crps": crps(truth[:, :h], flat[:, :, :, :h], scale),
            }
            order = windows.table.iloc[rows].reset_index(drop=True).sort_values(["trajectory_id", "window"]).index
            for metric, values in expected.items():
                found = own.loc[own["metric"] == metric, "value"].to_numpy()
                assert found == pytest.approx(values[:, order].reshape(-1), rel=1e-12)


def test_crps_of_a_forecast_without_samples_is_its_mean_absolute_error(walked):
    metrics = walked.blocks["ridge"]["suites"]["waves"]["metrics"]
    metrics["mae"] = {"config": Registry().option("metric", "mae", "smoke"), "key": "mae-1"}
    score_block(walked.blocks["ridge"], walked.root, "waves")
    t = scores(walked, "ridge").set_index(KEYS[:-1])
    error, probability = (t.loc[t["metric"] == m, "value"] for m in ("mae", "crps"))
    assert len(error) == 2 * 4 * len(PREFIXES)
    assert (error == probability[error.index]).all()


def test_comparisons_cases_and_figure(walked):
    compare_study(walked.study, walked.root)
    table = read_parquet(walked.root / "ripples" / "comparisons.parquet", COMPARISONS).to_pandas()
    alone = table[(table["metric"] == "crps") & table["peer"].isna() & (table["horizon"] == PREFIXES[0])]
    median = alone.set_index("label")["median"]
    assert set(median.index) == {"Persistence", "Climatology", "Ridge", "Mlp", "Walk"}
    assert median["Walk"] < median["Persistence"]  # spread around the same place is worth something
    assert check_results([walked.study], walked.root) == []
    windows = Windows.open(walked.root, "suites/waves")
    found = {(c.dataset, c.label): c for c in cases(walked.study, walked.root)}
    case = found["waves-B", "Walk"]
    assert case.samples.shape == (6, 2, 4, HORIZON, 3)
    assert (
        case.samples == stacked_forecasts(stored(walked), windows, windows.rows("waves-B"), list(case.run_ids))
    ).all()
    assert (case.forecast == point_forecast(case.samples, case.scale)).all()
    assert found["waves-B", "Ridge"].samples is None
    examples = forecast_examples(cases(walked.study, walked.root), window=1)
    walks = examples["label"] == "Walk"
    assert examples.loc[~walks, ["low", "high"]].isna().all(axis=None)
    own = examples[walks & (examples["dataset"] == "waves-B") & (examples["channel"] == "x1")].sort_values("step")
    low, high = np.quantile(case.samples[:, 0, 1, :, 1], [0.1, 0.9], axis=0)
    assert own["low"].to_numpy() == pytest.approx(low)
    assert own["high"].to_numpy() == pytest.approx(high)
    assert ((own["low"] <= own["forecast"]) & (own["forecast"] <= own["high"])).all()
    assert drawn_bands(walked, examples) == {"Walk"}


def drawn_bands(results, examples):
    """Labels whose panels show a band, from the figure itself."""
    from matplotlib.collections import PolyCollection

    from strangecast.paper.figures.forecast_vs_truth import draw
    from strangecast.paper.frames import label_frame

    labels = label_frame(results.study)
    figure = draw({"analysis/forecast_examples": examples, "labels": labels}, systems=2)
    first = figure.axes[: len(labels)]
    assert [axis.get_title("left").replace("\n", " ") for axis in first] == labels["label"].tolist()
    return {
        label
        for label, *panels in zip(labels["label"], first, figure.axes[len(labels) :], strict=True)
        if all(any(isinstance(c, PolyCollection) for c in axis.collections) for axis in panels)
    }


def test_a_window_diverges_when_half_of_its_samples_have(walked):
    path = path_of(walked) / "forecasts.arrow"
    old = stored(walked)
    gone = {0: 2, 1: 3, 2: 5}  # samples lost by window, of six
    rows = []
    for i, r in enumerate(old.table.to_dict("records")):
        values = np.array(old.array(i))
        if r["run_id"] == "walk-0" and r["dataset"] == "waves-A":
            place = int(r["trajectory_id"][-1] == "3") * 2 + r["window"]
            for n in range(gone.get(place, 0)):
                values[n, 9 + n :] = (np.nan, 1e9, -np.inf)[n % 3]
        rows.append({**r, "values": values})
    calm = scores(walked).set_index(KEYS)["value"]
    write_forecasts(path, rows, dict(old.labels))
    score_block(walked.blocks["walk"], walked.root, "waves", reuse=False)
    t = scores(walked)
    assert t.loc[(t["run_id"] == "walk-1") | (t["dataset"] != "waves-A"), "diverged_at"].isna().all()
    own = t[(t["run_id"] == "walk-0") & (t["dataset"] == "waves-A")]
    places = [int(i[-1] == "3") * 2 + w for i, w in zip(own["trajectory_id"], own["window"], strict=True)]
    own = own.assign(place=places)
    assert own.loc[own["place"].isin([0, 3]), "diverged_at"].isna().all()
    # three of six are gone when the third goes, at step 11
    assert set(own.loc[own["place"].isin([1, 2]), "diverged_at"]) == {11}
    pointwise = own["metric"] != "valid_prediction_time"
    lost = own["place"].isin([1, 2]) & (own["horizon"] > 11)
    assert (own["value"].isna() == (pointwise & lost)).all()
    # what two lost samples of six cost: finite, and for the probabilistic score not nothing
    crps = own[(own["place"] == 0) & (own["horizon"] == HORIZON) & (own["metric"] == "crps")]
    assert (crps["value"].to_numpy() > calm[crps.set_index(KEYS).index].to_numpy()).all()
    before = t[t["horizon"] == 8].set_index(KEYS)["value"]
    assert (before == calm[before.index]).all()


def test_runs_of_one_label_must_agree_in_samples(walked):
    old = stored(walked)
    rows = [
        {**r, "values": old.array(i)[: 3 if r["run_id"] == "walk-0" else 6]}
        for i, r in enumerate(old.table.to_dict("records"))
    ]
    write_forecasts(path_of(walked) / "forecasts.arrow", rows, dict(old.labels))
    with pytest.raises(ResultsError, match=r"'Walk' drew different numbers of samples, \[3, 6\]"):
        list(cases(walked.study, walked.root))
    with pytest.raises(ResultsError, match="have different shapes; run the rule forecast again"):
        score_block(walked.blocks["walk"], walked.root, "waves", reuse=False)


@pytest.mark.parametrize("samples", [0, -2, 2.5, True, "many"])
def test_a_number_of_samples_is_a_number(results, samples):
    with pytest.raises(ConfigError, match=f"emulator 'walk': samples is {samples}; it is a number of draws"):
        forecast_block(walk_plan(samples=samples), results.root, "waves")


def test_samples_of_a_deterministic_emulator_are_refused(results):
    block = results.blocks["persistence"]
    block["emulator"]["samples"] = 20
    with pytest.raises(
        ConfigError, match="emulator 'persistence' is deterministic .* take samples: 20 out of its YAML"
    ):
        forecast_block(block, results.root, "waves")


def test_a_forecast_of_another_shape_than_promised_is_refused(built):
    class Flat(Walk):
        def forecast(self, context, times, *, samples=None, rng=None):
            return super().forecast(context, times, samples=samples, rng=rng)[0]

    windows = Windows.open(built.root, "suites/waves")
    with pytest.raises(
        ConfigError, match=r"Flat.forecast gave .* \[1, 32, 24, 3\]; \[N, S, B, H, C, \*grid\] is \[2, 1,"
    ):
        forecast_windows(Flat(step=0.1), windows, [windows.rows("waves-A")], 32, samples=2)
