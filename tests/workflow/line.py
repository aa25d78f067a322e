"""Running the real workflow in a folder of its own, at a size that takes seconds.

The Snakefile, rules and options are those of the repository; only the working directory and a few budgets differ.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# One job per rule instead of realistic budgets; every rule still does its real work.
TINY = (
    "dataset.chaos.sampling.length=768",
    "dataset.chaos.window.context=128",
    "dataset.chaos.window.horizon=128",
    "dataset.chaos.window.prefixes=[32,64,128]",
    "training.supervised.updates=60",
    "training.supervised.validate_every=20",
)
SETTINGS = {"scale": "smoke", "seeds": 2, "device": "cpu", "overrides": list(TINY)}


def home(folder: Path) -> Path:
    """Where the workflow of a folder stands: there, if it is a clone, else the repository."""
    return folder if (folder / "Snakefile").exists() else REPOSITORY


def source(folder: Path) -> dict[str, str]:
    """The variable that makes Python use the package of ``folder``'s workflow."""
    return {"PYTHONPATH": str(home(folder) / "src")}


def environment(**more: str) -> dict[str, str]:
    """The environment of a job: one thread, this Python's programs first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"OMP_NUM_THREADS": "1", "PATH": path} | more


def command(folder: Path, *targets: str, settings: dict | None = None, options: tuple[str, ...] = ()) -> list[str]:
    """The ``snakemake`` command line for ``targets`` with results in ``folder``."""
    values = SETTINGS | (settings or {})
    return [
        sys.executable, "-m", "snakemake", *targets, "-s", str(home(folder) / "Snakefile"), "--directory", str(folder),
        "--workflow-profile", "none", "--cores", "2", "--rerun-incomplete", *options,
        "--config", *(f"{k}={json.dumps(v)}" for k, v in values.items()),
    ]  # fmt: skip


def snakemake(
    folder: Path,
    *targets: str,
    settings: dict | None = None,
    options: tuple[str, ...] = (),
    ok: bool = True,
    **more: str,
) -> str:
    """Run Snakemake to its end and return what it printed."""
    done = subprocess.run(
        command(folder, *targets, settings=settings, options=options),
        env=environment(**source(folder), **more), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False, timeout=900,
    )  # fmt: skip
    if ok and done.returncode:
        raise AssertionError(f"snakemake failed:\n{done.stdout[-6000:]}")
    if not ok and not done.returncode:
        raise AssertionError(f"snakemake should have failed:\n{done.stdout[-3000:]}")
    return done.stdout


def planned(folder: Path, *targets: str, settings: dict | None = None, options: tuple[str, ...] = ()) -> dict[str, int]:
    """Number of jobs per rule that a dry run announces (without the target rules)."""
    text = snakemake(folder, *targets, settings=settings, options=(*options, "-n", "--quiet", "rules"))
    return counted(text)


def counted(text: str) -> dict[str, int]:
    """Job counts from Snakemake's table of jobs."""
    counts: dict[str, int] = {}
    for line in text.splitlines():
        words = line.split()
        if (
            len(words) == 2
            and words[1].isdigit()
            and words[0] not in ("job", "total", "all", "figures", "figures/", "tables")
        ):
            counts[words[0]] = int(words[1])
    return counts


def strangecast(folder: Path, *arguments: str, ok: bool = True, **more: str) -> subprocess.CompletedProcess:
    """Run the ``strangecast`` command in ``folder``."""
    done = subprocess.run(
        [sys.executable, "-m", "strangecast", *arguments],
        cwd=folder, env=environment(**source(folder), **more), text=True, capture_output=True, check=False, timeout=600,
    )  # fmt: skip
    if ok and done.returncode:
        raise AssertionError(f"strangecast {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done
