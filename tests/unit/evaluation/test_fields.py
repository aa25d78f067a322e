"""Samples of a field: the grid stands last, from forecast to case."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.analyses.cases import cases
from strangecast.analyses.forecast_examples import forecast_examples
from strangecast.core.atomic import write_json
from strangecast.core.schemas import SCORES
from strangecast.core.spec import Channel, Spec
from strangecast.core.streams import stream
from strangecast.core.tables import read_parquet
from strangecast.data.filtering import filter_dataset
from strangecast.data.forecasts import read_forecasts
from strangecast.data.splits import split_dataset
from strangecast.data.trajectories import row, shard_name, write_shard
from strangecast.data.windows import Windows, build_windows
from strangecast.evaluation.forecast import forecast_block
from strangecast.evaluation.score import score_block, scores_frame
from strangecast.metrics.crps import crps
from strangecast.metrics.suite_arrays import scale_of, stacked_forecasts
from strangecast.workflow.compose import Registry
from tests.unit.evaluation.oracle import flow_suite
from tests.unit.evaluation.synthetic import HORIZON, dataset_plan, study_plan, write_plans
from tests.unit.evaluation.walk import walk_plan

N, C, GRID = 4, 2, (5, 3)


def make_field(root):
    """Four trajectories of travelling waves of two channels on a grid."""
    plan = dataset_plan("water")
    x = np.arange(15).reshape(GRID) * 0.3
    t = np.arange(160).reshape(-1, 1, 1, 1)
    rows = []
    for i in range(4):
        phase = stream("water", i).uniform(0, 6, (C, 1, 1))
        values = np.sin(0.2 * t - x + phase)
        rows.append(row(f"water-{i}", "water", values, dt=0.1, ic_index=i, lyapunov=0.5, solver="waves: finished"))
    spec = Spec(tuple(Channel(n) for n in "uv"), grid=GRID, dt=0.1, lyapunov=0.5, system="water")
    write_shard(root / plan["folder"] / shard_name(0), rows, spec)
    filter_dataset(plan, root)
    split_dataset(plan, root)
    write_json(root / "plan" / "dataset" / "water.json", plan)


def test_samples_of_a_field_pass_the_line(tmp_path):
    make_field(tmp_path)
    suite = flow_suite("water")
    build_windows(suite, tmp_path)
    plan = walk_plan(samples=N)
    use = plan["suites"]["waves"]
    use["metrics"]["crps"] = {"config": Registry().option("metric", "crps", "smoke"), "key": "c"}
    study = study_plan([plan])
    write_plans(tmp_path, [plan], study)
    write_json(tmp_path / "plan" / "suite" / "waves.json", suite)
    forecast_block(plan, tmp_path, "waves", device="cpu")
    score_block(plan, tmp_path, "waves")
    found = read_forecasts(tmp_path / use["forecast_folder"] / "forecasts.arrow")
    assert {found.array(i).shape for i in range(len(found))} == {(N, HORIZON, C, *GRID)}
    windows = Windows.open(tmp_path, "suites/waves")
    rows = windows.rows("water")
    samples = stacked_forecasts(found, windows, rows, ["walk-0"])
    assert samples.shape == (N, 1, 4, HORIZON, C, *GRID)
    t = scores_frame(read_parquet(tmp_path / use["forecast_folder"] / "scores.parquet", SCORES))
    assert t["value"].notna().all()
    scale, truth = scale_of(windows, rows), windows.truth(rows)[0]
    flat = scale.standardise(samples[:, 0].reshape(N, *truth.shape))[:, None]
    expected = crps(scale.standardise(truth[None])[0], flat, scale)[0]
    own = t[(t["metric"] == "crps") & (t["horizon"] == HORIZON)].sort_values(["trajectory_id", "window"])
    assert own["value"].to_numpy() == pytest.approx(expected, rel=1e-12)
    (case,) = cases(study, tmp_path)
    assert (case.samples == samples).all()
    assert (case.forecast == np.median(samples, axis=0)).all()
    table = forecast_examples([case])
    assert table["high"].to_numpy() == pytest.approx(
        np.quantile(samples[:, 0, 0, :, :, 0, 0], 0.9, axis=0).T.reshape(-1)
    )
