"""Systems are clusters: how they are stored, one by one or many in a dataset, changes no statistic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from strangecast.core.errors import ResultsError
from strangecast.core.tables import write_parquet
from strangecast.evaluation.claim_rules import fraction_of_datasets, mean_paired_difference, superiority_over
from strangecast.evaluation.clusters import clusters_of, with_clusters
from strangecast.evaluation.compare import comparisons

SYSTEMS = [f"s{i:02d}" for i in range(20)]
COLUMNS = ["run_id", "suite", "dataset", "trajectory_id", "window", "horizon", "metric", "value", "diverged_at"]


def scores_of(dataset):
    """Two pooled runs A and B on 20 systems of 4 trajectories and 3 windows; what differs, differs by system."""
    rng = np.random.default_rng(0)
    rows = []
    for system in SYSTEMS:
        level, lead = rng.normal(0, 1), rng.normal(1.0, 1)
        for t in range(4):
            for w in range(3):
                for run, shift in (("a", 0.0), ("b", lead)):
                    value = level + shift + rng.normal(0, 0.1)
                    rows.append((run, "s", dataset(system), f"{system}-t{t}", w, 8, "err", value, pd.NA))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"diverged_at": "Int32"})


def frames_of(dataset, tmp_path):
    """Tables of a study whose systems lie in ``dataset(system)``."""
    scores = scores_of(dataset)
    runs = pd.DataFrame(
        [("a", "A", "e", "t", 0), ("b", "B", "e", "t", 0)], columns=["run_id", "label", "emulator", "training", "seed"]
    )
    windows = scores[["dataset", "trajectory_id"]].assign(system=scores["trajectory_id"].str[:3])
    write_parquet(tmp_path / "suites/s/windows.parquet", pa.Table.from_pandas(windows, preserve_index=False))
    clusters = clusters_of({"suites": {"s": {"folder": "suites/s"}}}, tmp_path)
    table = comparisons(with_clusters(scores, clusters), runs, {"err": {"better": "lower"}})
    metrics = pd.DataFrame({"metric": ["err"], "better": ["lower"], "worst": [np.inf]})
    return {"scores": scores, "runs": runs, "metrics": metrics, "clusters": clusters, "comparisons": table}


def test_twenty_systems_in_one_dataset_or_in_twenty(tmp_path):
    apart, together = (frames_of(d, tmp_path / n) for n, d in (("apart", lambda s: s), ("together", lambda s: "many")))
    pd.testing.assert_frame_equal(apart["comparisons"], together["comparisons"], check_exact=True)
    assert (together["comparisons"]["n_datasets"] == 20).all()
    pair = together["comparisons"][together["comparisons"]["peer"].notna()].iloc[0]
    assert 0 < pair["p_value"] < 0.05
    for rule in (fraction_of_datasets, mean_paired_difference, superiority_over):
        one, many = (rule(f, suite="s", metric="err", label="A", peer="B") for f in (apart, together))
        assert one == many


def test_one_cluster_would_be_too_sure(tmp_path):
    frames = frames_of(lambda s: "many", tmp_path)
    by_dataset = comparisons(frames["scores"], frames["runs"], {"err": {"better": "lower"}})
    width = lambda t: (t["high"] - t["low"])[t["peer"].notna()].iloc[0]  # noqa: E731
    assert width(frames["comparisons"]) > 2 * width(by_dataset)
    assert (by_dataset["p_value"].dropna() == 1).all()


def test_a_dataset_of_one_system_keeps_its_name(tmp_path):
    windows = pa.table(
        {
            "dataset": ["lone", "lone", "many", "many", "blank"],
            "system": ["Lorenz", "Lorenz", "Lorenz", "Chua", None],
            "trajectory_id": ["a", "a", "b", "c", "d"],
        }
    )
    write_parquet(tmp_path / "suites/s/windows.parquet", windows)
    found = clusters_of({"suites": {"s": {"folder": "suites/s"}}}, tmp_path)
    assert found["cluster"].tolist() == ["lone", "many/Lorenz", "many/Chua", "blank"]
    assert clusters_of({"suites": {}}, tmp_path).empty


def test_scores_of_no_window_are_refused(tmp_path):
    frames = frames_of(lambda s: "many", tmp_path)
    clusters = frames["clusters"][frames["clusters"]["trajectory_id"] != "s03-t1"]
    with pytest.raises(ResultsError, match="no window of s03-t1"):
        with_clusters(frames["scores"], clusters)
