"""Files that carry their own digest."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from strangecast.core.seal import seal, seal_problem, write_sealed_json
from strangecast.core.tables import read_labels, read_parquet, write_arrow, write_parquet

TABLE = pa.table({"word": pa.array(["a", "b", "a"]).dictionary_encode(), "number": [1.0, 2.0, float("nan")]})


def write(folder, kind):
    path = folder / f"file.{kind}"
    if kind == "json":
        write_sealed_json(path, {"x": [1, 2.5], "y": "z"})
    elif kind == "parquet":
        write_parquet(path, TABLE, labels={"content": "c"})
    else:
        write_arrow(path, TABLE, TABLE.schema, labels={"content": "c"})
    return path


@pytest.mark.parametrize("kind", ["json", "parquet", "arrow"])
def test_every_byte_is_covered(tmp_path, kind):
    path = write(tmp_path, kind)
    assert seal_problem(path) is None
    whole = path.read_bytes()
    flipped = tmp_path / "flipped"
    for i in range(0, len(whole), 3):
        flipped.write_bytes(whole[:i] + bytes([whole[i] ^ (1 << i % 8)]) + whole[i + 1 :])
        assert seal_problem(flipped), f"byte {i} of {len(whole)}"
    for cut in (whole[:-1], whole[1:], whole + b"\n", whole[: len(whole) // 2], b""):
        flipped.write_bytes(cut)
        assert seal_problem(flipped)


def test_equal_content_gives_equal_bytes_and_the_seal_is_no_label(tmp_path):
    first = write(tmp_path, "parquet").read_bytes()
    assert write(tmp_path, "parquet").read_bytes() == first
    assert read_labels(tmp_path / "file.parquet") == {"content": "c"}
    assert read_parquet(tmp_path / "file.parquet").column("number").to_pylist()[:2] == [1.0, 2.0]


def test_sealed_json_is_json(tmp_path):
    path = write(tmp_path, "json")
    value = json.loads(path.read_text())
    assert value.pop("sha256").startswith("strangecast-sha256:")
    assert value == {"x": [1, 2.5], "y": "z"}


def test_files_without_a_place_for_a_seal(tmp_path):
    path = tmp_path / "plain"
    path.write_text("nothing here")
    assert seal_problem(path) == "it carries no digest of itself"
    assert seal_problem(tmp_path / "absent") == "it does not exist"
    with pytest.raises(ValueError, match="no place for a seal"):
        seal(path)
