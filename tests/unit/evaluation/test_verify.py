"""A flipped byte anywhere in any kind of result file is found, and its rule named."""

from __future__ import annotations

import json

import pytest

from strangecast.core.errors import ResultsError
from strangecast.core.streams import stream
from strangecast.evaluation.verify import verify_results
from tests.unit.evaluation.synthetic import make_data

FILES = {
    "data/waves-A/shard-0000.arrow": "generate",
    "data/waves-A/manifest.parquet": "filter",
    "data/waves-A/splits.parquet": "split",
    "suites/waves/windows.parquet": "windows",
    "runs/waves/mlp/supervised/base-all/weights.safetensors": "train",
    "runs/waves/mlp/supervised/base-all/run.json": "train",
    "runs/waves/mlp/supervised/base-all/history.parquet": "train",
    "runs/waves/mlp/supervised/base-all/waves/forecasts.arrow": "forecast",
    "runs/none/persistence/none/base-all/waves/forecasts.arrow": "forecast",
    "runs/waves/mlp/supervised/base-all/waves/scores.parquet": "score",
    "ripples/runs.parquet": "compare",
    "ripples/scores.parquet": "compare",
    "ripples/comparisons.parquet": "compare",
    "ripples/claims.parquet": "claims",
    "ripples/analysis/error_growth.parquet": "analyse",
    "claims.csv": "summarise",
    "leaderboard.csv": "summarise",
}


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << int(stream("bit", place).integers(8))
    replacement = path.with_name("flipped")
    replacement.write_bytes(content)
    replacement.replace(path)


def places(path):
    """First, last, and some bytes between."""
    size = path.stat().st_size
    return sorted({0, size - 1, *stream("places", path.name).integers(size, size=4).tolist()})


def test_whole_results_have_nothing_wrong(built):
    assert verify_results(built.root) == []


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_found(results, name):
    path = results.root / name
    whole = path.read_bytes()
    for place in places(path):
        flip(path, place)
        found = {file: (wrong, rule) for file, wrong, rule in verify_results(results.root)}
        assert name in found, f"byte {place}"
        assert found[name][1] == FILES[name]
        path.with_name("whole").write_bytes(whole)
        path.with_name("whole").replace(path)
    assert verify_results(results.root) == []


def test_a_cut_an_empty_and_a_missing_file(results):
    path = results.root / "ripples" / "scores.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    weights = results.root / "runs/waves/ridge/least_squares/base-all/weights.safetensors"
    weights.unlink()
    splits = results.root / "data/waves-C/splits.parquet"
    splits.write_bytes(b"")
    found = {file: (wrong, rule) for file, wrong, rule in verify_results(results.root)}
    assert found["ripples/scores.parquet"][1] == "compare"
    assert found[weights.relative_to(results.root).as_posix()] == ("it does not exist", "train")
    assert found["data/waves-C/splits.parquet"][1] == "split"


def test_whole_files_that_do_not_belong_together(results, tmp_path):
    """A shard of another dataset in the place of this one: each file is whole, the set is not."""
    make_data(tmp_path / "other", "waves-B")
    (tmp_path / "other/data/waves-B/shard-0000.arrow").replace(results.root / "data/waves-A/shard-0000.arrow")
    found = {file: rule for file, _, rule in verify_results(results.root)}
    assert found == {"data/waves-A/splits.parquet": "split"}


def test_imported_data_name_the_rule_import(results):
    plan = results.root / "plan/dataset/waves-A.json"
    plan.write_text(json.dumps(json.loads(plan.read_text()) | {"made_by": "import"}))
    flip(results.root / "data/waves-A/shard-0000.arrow", 5000)
    assert ("data/waves-A/shard-0000.arrow", "import") in [(f, rule) for f, _, rule in verify_results(results.root)]


def test_no_folder():
    with pytest.raises(ResultsError, match="there is no folder"):
        verify_results(__import__("pathlib").Path("nowhere/at/all"))
