"""Labels of files that are not there or not whole are refused in a sentence, as tables are."""

from __future__ import annotations

import pytest

from strangecast.core.errors import ResultsError
from strangecast.core.tables import read_labels


@pytest.mark.parametrize("name", ["windows.parquet", "forecasts.arrow"])
def test_labels_of_missing_and_damaged_files(name, tmp_path):
    with pytest.raises(ResultsError, match=f"{name} does not exist; run the rule that makes it first"):
        read_labels(tmp_path / name)
    (tmp_path / name).write_bytes(b"no table at all")
    with pytest.raises(ResultsError, match=f"{name} is damaged .*; delete it and run again"):
        read_labels(tmp_path / name)
