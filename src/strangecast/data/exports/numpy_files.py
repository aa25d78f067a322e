"""One .npy file per sample, [T, C, *grid]; uneven times lie beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from strangecast.core.atomic import atomic_path
from strangecast.core.errors import ConfigError
from strangecast.data.exports.sample import Sample

README = """\
One array per sample, `SPLIT/SYSTEM/INDEX.npy`, [times, channels] or [times, channels, *grid] in double precision:

    import numpy as np
    values = np.load("train/SYSTEM/0.npy", allow_pickle=False)

Where sampling is uneven, `INDEX_times.npy` holds the physical times [times]; elsewhere the manifest says `dt`.
"""


def name(sample: Sample) -> str:
    """File name of a sample."""
    return f"{sample.index}.npy"


def write(sample: Sample, path: Path, compression: str = "none") -> list[Path]:
    """Write a sample's file, and its times where they are uneven; the files written.

    Raises:
        ConfigError: .npy files are not compressed.
    """
    if compression != "none":
        raise ConfigError(f"numpy files are not compressed; compression is for Arrow files, found '{compression}'")
    files = [(path, sample.values)]
    if sample.spec.dt is None:
        files.append((path.with_name(f"{path.stem}_times.npy"), sample.times))
    for file, array in files:
        _save(file, array)
    return [file for file, _ in files]


def _save(path: Path, array: np.ndarray) -> None:
    with atomic_path(path) as temporary, open(temporary, "wb") as f:
        np.save(f, np.ascontiguousarray(array), allow_pickle=False)
