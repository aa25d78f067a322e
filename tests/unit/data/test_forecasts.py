"""Forecasts on disk."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.core.errors import ResultsError
from strangecast.core.hashing import file_digest
from strangecast.data.forecasts import read_forecasts, write_forecasts


def rows():
    rng = np.random.default_rng(1)
    base = {"run_id": "r", "key": "k", "dataset": "d"}
    return [
        base | {"trajectory_id": "a", "window": 0, "values": rng.normal(size=(4, 3))},
        base | {"trajectory_id": "a", "window": 1, "values": np.array([[np.nan, np.inf, -0.0]])},
        base | {"trajectory_id": "b", "window": 0, "values": rng.normal(size=(2, 4, 3, 5)).astype(np.float32)},
    ]


def test_round_trip(tmp_path):
    write_forecasts(tmp_path / "f.arrow", rows(), {"seconds": "{}"})
    found = read_forecasts(tmp_path / "f.arrow")
    assert len(found) == 3
    assert found.table.window.tolist() == [0, 1, 0]
    assert found.table.run_id.tolist() == ["r"] * 3
    assert found.labels == {"seconds": "{}"}
    for i, row in enumerate(rows()):
        np.testing.assert_array_equal(found.array(i), row["values"].astype(np.float64))
    assert not found.array(0).flags.owndata


def test_equal_rows_equal_bytes_and_none_is_fine(tmp_path):
    for name in ("a.arrow", "b.arrow"):
        write_forecasts(tmp_path / name, rows())
    assert file_digest(tmp_path / "a.arrow") == file_digest(tmp_path / "b.arrow")
    write_forecasts(tmp_path / "c.arrow", [])
    assert len(read_forecasts(tmp_path / "c.arrow")) == 0


def test_damage_is_named(tmp_path):
    path = tmp_path / "f.arrow"
    write_forecasts(path, rows())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ResultsError, match=r"f\.arrow"):
        read_forecasts(path)
