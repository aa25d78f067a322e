"""One Arrow file per sample as GluonTS writes it: ``start``, ``target`` (flat) and ``target._np_shape`` [C, T]."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from strangecast.data.exports.arrow_file import write_records
from strangecast.data.exports.sample import START, Sample

README = """\
One Arrow file per sample, `SPLIT/SYSTEM/INDEX_T-LENGTH.arrow`, as GluonTS reads them:

    from pathlib import Path
    from gluonts.dataset.common import FileDataset
    dataset = FileDataset(Path("train"), freq="h", one_dim_target=False)

Each holds one record: `start` (a fixed date without meaning, as is the frequency that you name), `target` [channels,
times] in double precision, flattened, and its shape in `target._np_shape`. The metadata of the file name the trajectory,
the channels, the physical sampling interval `dt`, the largest Lyapunov exponent, and the SHA-256 of the values.
"""


def name(sample: Sample) -> str:
    """File name of a sample."""
    return f"{sample.index}_T-{len(sample.values)}.arrow"


def write(sample: Sample, path: Path, compression: str = "none") -> list[Path]:
    """Write a sample's file; the files written.

    Raises:
        DataError: a field, or uneven times.
    """
    target = sample.series()
    columns = {
        "start": pa.array([START], pa.string()),
        "target": pa.ListArray.from_arrays(pa.array([0, target.size], pa.int32()), pa.array(target.reshape(-1))),
        "target._np_shape": pa.array([list(target.shape)], pa.list_(pa.int64())),
    }
    write_records(path, columns, sample.about(), compression)
    return [path]
