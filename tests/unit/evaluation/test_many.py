"""A dataset of several systems, which differ in channels, interval and exponent, through forecasts, scores and cases."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.analyses.cases import cases
from strangecast.core.atomic import write_json
from strangecast.core.schemas import COMPARISONS, SCORES
from strangecast.core.spec import Channel, Spec
from strangecast.core.streams import stream
from strangecast.core.tables import read_parquet
from strangecast.data.alike import alike, spec_of
from strangecast.data.filtering import filter_dataset
from strangecast.data.forecasts import read_forecasts
from strangecast.data.splits import split_dataset
from strangecast.data.trajectories import row, shard_name, write_shard
from strangecast.data.windows import Windows, build_windows
from strangecast.evaluation.compare import compare_study
from strangecast.evaluation.contexts import batches_alike
from strangecast.evaluation.forecast import forecast_block
from strangecast.evaluation.score import score_block, scores_frame
from tests.unit.evaluation.oracle import flow_suite
from tests.unit.evaluation.synthetic import HORIZON, METRICS, block_plan, dataset_plan, study_plan, write_plans

SYSTEMS = {"pair": (2, 0.1, 0.5), "triple": (3, 0.2, 1.0), "other pair": (2, 0.2, 0.25)}


def make_mixed(root):
    """Three systems of four trajectories each in one dataset, their rows interleaved."""
    plan = dataset_plan("mixed")
    plan["config"]["systems"] = list(SYSTEMS)
    rows, specs = [], {}
    for i in range(4):
        for name, (channels, dt, lyapunov) in SYSTEMS.items():
            phase = stream("mixed", name, i).uniform(0, 6, channels)
            values = 3 + np.sin(np.arange(160)[:, None] * 0.2 + phase)
            solver = "sines: finished"
            rows.append(row(f"{name}-{i}", name, values, dt=dt, ic_index=i, lyapunov=lyapunov, solver=solver))
            specs[name] = Spec(tuple(Channel(f"x{c}") for c in range(channels)), dt=dt, lyapunov=lyapunov, system=name)
    write_shard(root / plan["folder"] / shard_name(0), rows, Spec.common(specs.values()), systems=specs)
    filter_dataset(plan, root)
    split_dataset(plan, root)
    write_json(root / "plan" / "dataset" / "mixed.json", plan)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(root, study, windows) of the mixed dataset, forecast by persistence."""
    root = tmp_path_factory.mktemp("mixed") / "results" / "smoke"
    make_mixed(root)
    suite = flow_suite("mixed")
    build_windows(suite, root)
    made = [block_plan("persistence", None, [(None, 0)])]
    study = study_plan(made) | {"claims": {}}
    write_plans(root, made, study)
    write_json(root / "plan" / "suite" / "waves.json", suite)
    forecast_block(made[0], root, "waves", device="cpu")
    score_block(made[0], root, "waves")
    compare_study(study, root)
    return root, study, Windows.open(root, "suites/waves")


def folder(world):
    return world[0] / "runs/none/persistence/none/base-all/waves"


def test_windows_are_taken_apart_by_shape_or_by_system(world):
    windows = world[2]
    rows = windows.rows("mixed")
    system = windows.table["system"].to_numpy(object)
    by_shape = alike(windows, rows)
    assert [set(system[part]) for part in by_shape] == [{"pair", "other pair"}, {"triple"}]
    assert sorted(np.concatenate(by_shape).tolist()) == rows.tolist()
    assert [set(system[p]) for p in alike(windows, rows, lambda s: s.system)] == [{"pair"}, {"triple"}, {"other pair"}]
    assert [spec_of(windows, int(part[0])).C for part in by_shape] == [2, 3]
    assert [set(system[p["m"]]) for p in batches_alike(windows, {"m": ["mixed"]})] == [
        {"pair", "other pair"},
        {"triple"},
    ]


def test_every_window_is_forecast_and_scored_in_its_own_units(world):
    windows = world[2]
    found = read_forecasts(folder(world) / "forecasts.arrow")
    t = scores_frame(read_parquet(folder(world) / "scores.parquet", SCORES))
    assert len(found) == len(windows) == 12
    assert len(t) == 12 * (3 * 3 + 1)
    for i, w in enumerate(windows.table.itertuples()):
        channels, dt, lyapunov = SYSTEMS[w.system]
        where = found.places["persistence-all-0", "mixed", w.trajectory_id, w.window]
        context = windows.context(np.array([i]), 1)[0][0]
        assert (found.array(where) == np.broadcast_to(context, (HORIZON, channels))).all()
        own = t[(t["trajectory_id"] == w.trajectory_id) & (t["window"] == w.window)]
        assert own["horizon_lyapunov"].to_numpy() == pytest.approx(own["horizon"].to_numpy() * dt * lyapunov)
        assert set(own["metric"]) == set(METRICS)


def test_a_case_is_one_system(world):
    root, study, _ = world
    found = list(cases(study, root))
    assert [(c.dataset, c.system) for c in found] == [("mixed", name) for name in SYSTEMS]
    for case in found:
        channels, dt, lyapunov = SYSTEMS[case.system]
        assert case.forecast.shape == (1, 4, HORIZON, channels)
        assert len(case.channels) == channels
        assert case.scale.lyapunov_steps == pytest.approx(dt * lyapunov)
        assert set(case.windows["system"]) == {case.system}


def test_every_system_counts_in_the_comparisons(world):
    root, study, _ = world
    table = read_parquet(root / study["name"] / "comparisons.parquet", COMPARISONS).to_pandas()
    assert set(table["n_datasets"]) == {len(SYSTEMS)}
    assert set(table["n_windows"]) == {12}
