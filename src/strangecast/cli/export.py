"""The verb that gives data to other programs: export."""

from __future__ import annotations

import argparse
from pathlib import Path

from strangecast.cli.asked import add_asked, is_plan, plan_given
from strangecast.core.errors import ConfigError, ResultsError
from strangecast.workflow.by_hand import ByHand

FORMATS = ("gluonts", "numpy", "univariate")
SPLITS = ("train", "validation", "test")
COMPRESSIONS = ("none", "lz4", "zstd")


def add_verbs(verb) -> None:
    """Register the verb."""
    p = verb("export", "write a dataset, or all of a corpus, as files for GluonTS, NumPy or univariate models", _export)
    add_asked(p)
    p.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the files go")
    p.add_argument("--format", choices=FORMATS, default="gluonts", help="default: gluonts")
    p.add_argument("--split", choices=SPLITS, action="append", help="one split only (may be repeated); default: all")
    p.add_argument("--compression", choices=COMPRESSIONS, default="none", help="of Arrow files; default: none")


def _export(options: argparse.Namespace) -> None:
    from strangecast.data.exporting import export_dataset
    from strangecast.data.store import Dataset

    folders = _folders(options)
    for folder in folders:
        if not (folder / "splits.parquet").exists():
            raise ResultsError(f"{folder} is not made yet; make it first, with `strangecast generate` or snakemake")
    samples = 0
    for folder in folders:
        samples += len(
            export_dataset(Dataset.open(folder), options.to, options.format, options.split, options.compression)
        )
        print(f"exported {folder.name}")
    print(f"wrote {samples} samples to {options.to}; see {options.to / 'README.md'}")


def _folders(options: argparse.Namespace) -> list[Path]:
    """Folders of the datasets asked for: one plan or ``dataset=``, or all of ``corpus=``."""
    if is_plan(options):
        plan, root = plan_given(options)
        return [root / plan["folder"]]
    asked = ByHand(options.asked, options.results)
    corpus = asked.overrides.choices.get("corpus")
    if corpus is None:
        return [asked.root / "data" / asked.dataset]
    if "dataset" in asked.overrides.choices:
        raise ConfigError("name a dataset or a corpus, not both")
    from strangecast.workflow.datasets import Datasets

    return [asked.root / "data" / name for name in Datasets(asked.registry, asked.scale).corpus(corpus)]
