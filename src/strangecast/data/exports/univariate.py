"""One Arrow file per sample with a record per channel: what models of single channels (Chronos) train on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from strangecast.data.exports.arrow_file import write_records
from strangecast.data.exports.gluonts import name
from strangecast.data.exports.sample import START, Sample

__all__ = ["README", "name", "write"]

README = """\
One Arrow file per sample, `SPLIT/SYSTEM/INDEX_T-LENGTH.arrow`, with one record per channel, as GluonTS and the training
scripts of token models read them:

    from pathlib import Path
    from gluonts.dataset.common import FileDataset
    dataset = FileDataset(Path("train"), freq="h", one_dim_target=True)

A record holds `item_id` (trajectory and channel), `start` (a fixed date without meaning, as is the frequency that you
name) and `target` [times] in double precision. The metadata of the file name the trajectory, the channels, the physical
sampling interval `dt`, the largest Lyapunov exponent, and the SHA-256 of the values of all channels.
"""


def write(sample: Sample, path: Path, compression: str = "none") -> list[Path]:
    """Write a sample's file; the files written.

    Raises:
        DataError: a field, or uneven times.
    """
    target = sample.series()
    ends = np.arange(len(target) + 1, dtype=np.int32) * target.shape[1]
    columns = {
        "item_id": pa.array([f"{sample.trajectory_id}:{c}" for c in sample.channels], pa.string()),
        "start": pa.array([START] * len(target), pa.string()),
        "target": pa.ListArray.from_arrays(pa.array(ends), pa.array(target.reshape(-1))),
    }
    write_records(path, columns, sample.about(), compression)
    return [path]
