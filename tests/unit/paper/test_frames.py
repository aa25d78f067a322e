"""What figures and tables are given to read."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.schemas import HISTORY
from strangecast.core.tables import write_parquet
from strangecast.paper.frames import labelled_scores, load_frames, system_names


def test_inputs_that_do_not_exist_are_refused(studies, tmp_path):
    plan = studies("plain").plan
    with pytest.raises(ConfigError, match="no input 'run'; did you mean 'runs'"):
        load_frames(plan, tmp_path, ["run"])
    with pytest.raises(ConfigError, match="no analysis 'error_growht'; did you mean 'error_growth'"):
        load_frames(plan, tmp_path, ["analysis/error_growht"])


def test_histories_of_all_blocks_are_read(studies, tmp_path):
    plan = studies("plain").plan
    columns = {"run_id": ["a"], "update": [1], "train_loss": [0.5], "validation_loss": [0.6], "learning_rate": [0.1]}
    table = pa.table(columns | {"best": [True]})
    for emulator, training in (("ridge", "least_squares"), ("mlp", "supervised")):
        write_parquet(tmp_path / "runs" / "chaos" / emulator / training / "0" / "history.parquet", table, HISTORY)
    assert len(load_frames(plan, tmp_path, ["histories"])["histories"]) == 2


def test_labels_come_in_the_order_of_the_study_and_without_categories(studies):
    frames = studies("plain").frames()
    assert list(frames["labels"]["label"])[:2] == ["Persistence", "Climatology"]
    assert frames["labels"].set_index("label").loc["MLP, 4-step", "point"] == {"training.rollout_steps": 4}
    for frame in frames.values():
        assert not any(isinstance(t, pd.CategoricalDtype) for t in frame.dtypes)


def test_what_is_undefined_counts_as_worst(studies):
    frames = studies("lost").frames()
    scores = labelled_scores(frames, "nrmse", "test")
    assert scores["lost"].sum() > 0
    assert (scores.loc[scores["lost"], "value"] == float("inf")).all()
    assert set(scores["horizon"]) == {64}
    assert len(labelled_scores(frames, "nrmse", "test", horizon=16)) == len(scores)
    frames["runs"] = frames["runs"].assign(run_id="other")
    with pytest.raises(ResultsError, match="run compare again"):
        labelled_scores(frames, "nrmse", "test")


def test_datasets_of_one_system_keep_their_own_names(studies):
    frames = studies("plain").frames()
    assert system_names(frames)["chaos-Lorenz"] == "Lorenz"
    windows = frames["windows"].assign(system=frames["windows"]["system"].replace("Rossler", "Lorenz"))
    assert system_names({"windows": windows})["chaos-Lorenz"] == "chaos-Lorenz"
    assert system_names({}) == {}
