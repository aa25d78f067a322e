"""Datasets of the store as folders of files that other programs read: GluonTS, NumPy, univariate records.

    TO/README.md                            what the files are and how to read them
    TO/manifests/<split>/<system>.csv       one row per sample: where it comes from, dt, SHA-256 of its file
    TO/<split>/<system>/<index>...          the samples

Values are the clean signal in double precision. Equal data give equal bytes. A second export replaces the files of the
same dataset and split and leaves all others as they are; an export that was cut short is run again. One folder takes
many datasets, of one format, each of its own system.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strangecast.core.atomic import write_text
from strangecast.core.errors import ConfigError, DataError, ResultsError, unknown
from strangecast.core.hashing import file_digest
from strangecast.core.tables import read_parquet
from strangecast.data.exports import gluonts, numpy_files, univariate
from strangecast.data.exports.sample import Sample
from strangecast.data.parts import PARTS
from strangecast.data.store import Dataset


@dataclass(frozen=True)
class Format:
    """How samples of one format are named, written and explained."""

    name: Callable[[Sample], str]
    write: Callable[[Sample, Path, str], list[Path]]
    readme: str


FORMATS = {
    key: Format(module.name, module.write, module.README)
    for key, module in (("gluonts", gluonts), ("numpy", numpy_files), ("univariate", univariate))
}
COLUMNS = (
    "file", "dataset", "system", "index", "trajectory_id", "parameter_index", "ic_index", "start", "stop",
    "channels", "dt", "lyapunov", "sha256",
)  # fmt: skip
# Files that an export makes, finished or not.
_MADE = re.compile(r"\d+(_T-\d+\.arrow|\.npy|_times\.npy)|\.\d+[\w.-]+\.[0-9a-f]{12}\.tmp")
_PROVENANCE = """
`manifests/SPLIT/SYSTEM.csv` has one row per sample: dataset and trajectory, the samples `start` to `stop - 1` of it, the
numbers of its parameter set and initial condition, channels, physical sampling interval `dt`, largest Lyapunov exponent
per time unit, and the SHA-256 of the file. Values are the clean signal, without observation noise.
"""


def export_dataset(
    dataset: Dataset, to: Path | str, format: str, splits: Sequence[str] | None = None, compression: str = "none"
) -> list[dict[str, Any]]:
    """Write the samples of a dataset into the folder ``to``.

    Args:
        dataset: opened.
        to: the folder; made if it is missing.
        format: gluonts, numpy or univariate.
        splits: of train, validation and test; None for all that hold samples.
        compression: none, lz4 or zstd, for Arrow files.

    Returns:
        The rows of the manifests written, with the columns ``COLUMNS``.

    Raises:
        ConfigError: no such format or compression.
        DataError: no such split, an empty one, damaged data, or data that the format cannot hold.
        ResultsError: the folder holds something else under these names, or cannot be written.
    """
    if format not in FORMATS:
        raise ConfigError(unknown("export format", format, FORMATS))
    to, chosen = Path(to), FORMATS[format]
    samples = {split: list(_segments(dataset, split)) for split in splits or PARTS}
    for split in splits or ():
        if not samples[split]:
            raise DataError(f"{dataset.folder} has no {split} samples to export")
    if not any(samples.values()):
        raise DataError(f"{dataset.folder} has no samples to export")
    readme = f"{_mark(format)}\n# Samples exported by strangecast\n\n{chosen.readme}{_PROVENANCE}"
    _claim(to, format, dataset, samples)
    write_text(to / "README.md", readme)
    rows: list[dict[str, Any]] = []
    for split, found in samples.items():
        by_system: dict[str, list[dict[str, Any]]] = {}
        for about in found:
            by_system.setdefault(about["system"], []).append(about)
        for own in by_system.values():
            rows += _export_system(dataset, to, split, own, chosen, compression)
    return rows


def _segments(dataset: Dataset, split: str) -> Iterator[dict[str, Any]]:
    """Where the samples of a split come from, and their places in the folder, without their values."""
    columns = ["trajectory_id", "parameter_index", "ic_index"]
    manifest = read_parquet(dataset.folder / "manifest.parquet", columns=columns).to_pylist()
    origin = {row["trajectory_id"]: row for row in manifest}
    counts: dict[str, int] = {}
    for segment in dataset.segments(split):
        system = dataset.system(segment.trajectory_id)
        if "/" in system or system.startswith("."):
            raise DataError(f"{dataset.folder}: a system called '{system}' cannot be the name of a folder")
        index = counts[system] = counts.get(system, -1) + 1
        place = {"system": system, "split": split, "index": index}
        yield place | origin[segment.trajectory_id] | {"start": segment.start, "stop": segment.stop}


def _mark(format: str) -> str:
    return f"<!-- strangecast export, format {format} -->"


def _claim(to: Path, format: str, dataset: Dataset, samples: dict[str, list[dict[str, Any]]]) -> None:
    """Refuse a folder whose files of these names are something else."""
    if to.exists() and not to.is_dir():
        raise ResultsError(f"{to} is a file; name a folder")
    readme = to / "README.md"
    if readme.exists():
        first = readme.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
        other = [f for f in FORMATS if first == _mark(f)]
        if other != [format]:
            held = f"an export of format {other[0]}" if other else "a README.md of something else"
            raise ResultsError(f"{to} holds {held}; choose another folder")
    for split, found in samples.items():
        for system in {about["system"] for about in found}:
            for row in _read_manifest(to, split, system):
                if row["dataset"] != dataset.name:
                    raise ResultsError(f"{to} holds {split} samples of {system} from dataset '{row['dataset']}'; choose "
                                       f"another folder for '{dataset.name}'")  # fmt: skip


def _export_system(
    dataset: Dataset, to: Path, split: str, found: list[dict[str, Any]], format: Format, compression: str
) -> list[dict[str, Any]]:
    """Write the samples of one system and split, then their manifest, and remove what earlier exports left."""
    system = found[0]["system"]
    folder = to / split / system
    rows, kept = [], set()
    for about in found:
        start, stop, trajectory = about["start"], about["stop"], about["trajectory_id"]
        values, times = dataset.values(trajectory)[start:stop], dataset.times(trajectory)[start:stop]
        sample = Sample(spec=dataset.spec_of(trajectory), values=values, times=times, **about)
        path = folder / format.name(sample)
        kept.update(format.write(sample, path, compression))
        rows.append(
            {
                "file": path.relative_to(to).as_posix(),
                "dataset": dataset.name,
                "channels": " ".join(sample.channels),
                "dt": sample.spec.dt,
                "lyapunov": sample.spec.lyapunov,
                "sha256": file_digest(path),
            }
            | {k: v for k, v in about.items() if k in COLUMNS}
        )
    write_text(_manifest_path(to, split, system), _csv(rows))
    for path in folder.iterdir():
        if path not in kept and _MADE.fullmatch(path.name):
            path.unlink(missing_ok=True)
    return rows


def _manifest_path(to: Path, split: str, system: str) -> Path:
    return to / "manifests" / split / f"{system}.csv"


def _read_manifest(to: Path, split: str, system: str) -> list[dict[str, str]]:
    """Rows of a manifest; none where there is no such file.

    Raises:
        ResultsError: it is no manifest.
    """
    path = _manifest_path(to, split, system)
    if not path.exists():
        return []
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (UnicodeDecodeError, csv.Error) as e:
        raise ResultsError(f"{path} is no manifest of an export ({e}); choose another folder") from e
    if any(not row.get("file") or not row.get("dataset") for row in rows):
        raise ResultsError(f"{path} is no manifest of an export; choose another folder")
    return rows


def _csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: json.dumps(v) if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    return out.getvalue()
