"""An examination finds what is wrong with a dataset's files, and nothing where nothing is."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

from strangecast.core.errors import DataError
from strangecast.core.schemas import MANIFEST, SPLITS
from strangecast.core.tables import read_labels, read_parquet, write_parquet
from strangecast.data.inspection import examine
from tests.unit.simulated import Attempt, SimulatedDataset, curve


@pytest.fixture
def made(tmp_path):
    attempts = [
        Attempt("Lorenz"), Attempt("Rossler", failed=("boundedness",)), Attempt("Rossler", ic_index=1, lyapunov=None),
        Attempt("Chua", status="diverged"), Attempt("Thomas", kept=False, failed=("stationarity",)),
    ]  # fmt: skip
    return SimulatedDataset(tmp_path, "many", attempts).write()


def changed(made, name: str, column: str, row: int, value) -> None:
    """Another cell in a table, its seal and labels sound."""
    path, schema = made.folder / f"{name}.parquet", {"manifest": MANIFEST, "splits": SPLITS}[name]
    rows = read_parquet(path, schema).to_pylist()
    rows[row][column] = value
    plain = pa.schema([(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema])
    write_parquet(path, pa.Table.from_pylist(rows, plain), schema, read_labels(path))


def test_nothing_is_wrong_with_a_sound_dataset(made):
    found = examine(made.plan, made.root)
    assert found.problems == []
    assert found.other == {}
    assert found.whole == ["shard-0000.arrow", "shard-0001.arrow", "manifest.parquet", "splits.parquet"]
    assert found.systems == ["Lorenz", "Rossler", "Chua", "Thomas"]
    assert len(found.accepted) == 2
    assert found.reasons == {"boundedness": 1, "integration": 1, "stationarity": 1}
    assert set(found.kinds) == {"Lorenz", "Rossler"}
    # Sums of harmonics are no chaos, whatever exponent stands beside them.
    assert found.kinds["Lorenz"] == "limit cycle"


def test_one_system_alone(made):
    found = examine(made.plan, made.root, "Rossler")
    assert [r["trajectory_id"] for r in found.rows] == ["Rossler-p0-i0", "Rossler-p0-i1"]
    assert [p["trajectory_id"] for p in found.splits] == ["Rossler-p0-i1"]
    with pytest.raises(DataError, match="no system 'Rosler'; did you mean 'Rossler'"):
        examine(made.plan, made.root, "Rosler")


def test_a_flipped_byte_is_named_by_file_and_trajectory(made):
    shard = made.folder / "shard-0000.arrow"
    content = bytearray(shard.read_bytes())
    at = content.find(curve(Attempt("Lorenz"), 3).tobytes())
    content[at + 5] ^= 1
    shard.write_bytes(content)
    found = examine(made.plan, made.root)
    assert found.damaged == ["shard-0000.arrow"]
    assert any(p.startswith("shard-0000.arrow: its bytes") for p in found.problems)
    assert any("Lorenz-p0-i0" in p and "digest" in p for p in found.problems)
    assert not any("Rossler" in p for p in found.problems)


def test_what_is_absent_is_no_fault_and_is_said(made):
    (made.folder / "splits.parquet").unlink()
    found = examine(made.plan, made.root)
    assert found.problems == []
    assert found.other == {"splits.parquet": "split"}
    nothing = examine(made.plan | {"folder": "data/none"}, made.root)
    assert nothing.problems == []
    assert nothing.whole == []
    assert set(nothing.other) == {"shard-0000.arrow", "shard-0001.arrow", "manifest.parquet", "splits.parquet"}


def test_data_of_other_settings_are_said_and_their_lengths_not_judged(made):
    plan = made.plan
    plan["config"] = plan["config"] | {"sampling": plan["config"]["sampling"] | {"length": 999}}
    assert any("accepted with 240 of 999 samples" in p for p in examine(plan, made.root).problems)
    plan["hash"] = plan["hash"] | {"make": "other"}
    found = examine(plan, made.root)
    assert found.problems == []
    assert set(found.other.values()) == {"generate", "filter", "split"}


@pytest.mark.parametrize(
    ("table", "column", "row", "value", "sentence"),
    [
        ("manifest", "accepted", 0, False, r"Lorenz-p0-i0: its reasons \[\] are not those of its verdicts"),
        ("manifest", "reasons", 1, ["stationarity"], "Rossler-p0-i0: its reasons"),
        ("manifest", "length", 0, 10, "Lorenz-p0-i0: it has shape .240, 3., not 10 samples of 3 channels"),
        ("manifest", "row", 0, 1, "Lorenz-p0-i0: row 1 of shard-0000.arrow is another trajectory"),
        ("manifest", "shard", 0, "shard-0007.arrow", "Lorenz-p0-i0: .*shard-0007.arrow does not exist"),
        ("splits", "stop", 0, 999, "Lorenz-p0-i0: samples 0 to 999 of 240"),
        ("splits", "trajectory_id", 0, "Rossler-p0-i0", "Rossler-p0-i0: it is split and not accepted"),
        ("splits", "sha256", 0, "x", "Lorenz-p0-i0: it was split from other values"),
    ],
)  # fmt: skip
def test_rows_that_contradict_each_other_are_named(made, table, column, row, value, sentence):
    changed(made, table, column, row, value)
    found = examine(made.plan, made.root)
    assert found.damaged == []
    assert any(re.search(sentence, p) for p in found.problems), found.problems


def test_an_accepted_trajectory_has_to_be_finite(tmp_path, monkeypatch):
    import tests.unit.simulated as world

    whole = world.curve

    def broken(attempt, channels):
        values = whole(attempt, channels)
        values[7] = np.nan
        return values

    monkeypatch.setattr(world, "curve", broken)
    made = SimulatedDataset(tmp_path, "d", [Attempt("Lorenz")]).write()
    assert examine(made.plan, made.root).problems == ["manifest.parquet, Lorenz-p0-i0: it is accepted and not finite"]
