"""Result tables as pandas frames."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from strangecast.core.tables import read_parquet


def read_frame(path: Path, schema: pa.Schema | None = None) -> pd.DataFrame:
    """A table with its words as plain objects: a group-by over categories would see ones that do not occur.

    Raises:
        ResultsError: the file is missing, damaged, of another format version, or has other columns.
    """
    frame = read_parquet(path, schema).to_pandas()
    return frame.astype({c: object for c in frame if isinstance(frame[c].dtype, pd.CategoricalDtype)})
