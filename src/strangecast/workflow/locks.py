"""Locks that a killed Snakemake left behind: who holds this folder, and freeing it when nobody does."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from strangecast.core.errors import ResultsError

# Several machines see these, so a process that holds the folder may be running where we cannot look.
_SHARED = ("nfs", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb", "afs", "panfs", "glusterfs", "fuse.sshfs", "9p")


@dataclass(frozen=True)
class Unlocked:
    """What ``unlock`` did: ``freed`` is True when locks were removed; ``sentence`` says it for a person."""

    freed: bool
    sentence: str


def holders(folder: Path | str) -> list[int]:
    """Process ids of the living Snakemakes that work in ``folder`` on this machine."""
    folder = Path(folder).resolve()
    found = []
    for process in psutil.process_iter():
        try:
            if _runs_snakemake(process.cmdline()) and Path(process.cwd()).resolve() == folder:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or not ours to look at
    return sorted(found)


def unlock(folder: Path | str) -> Unlocked:
    """Remove Snakemake's lock files from ``folder`` unless a living process may hold them.

    Raises:
        ResultsError: the lock files cannot be removed.
    """
    folder = Path(folder)
    locks = folder / ".snakemake" / "locks"
    if not any(locks.glob("*.lock")):
        return Unlocked(False, "the folder is not locked")
    alive = holders(folder)
    if alive:
        pids = ", ".join(str(pid) for pid in alive)
        return Unlocked(False, f"Snakemake is at work in this folder (process {pids}); its locks were left alone")
    shared = _file_system(folder)
    if shared.startswith(_SHARED):
        return Unlocked(
            False,
            f"the folder is locked and lies on a shared file system ({shared}), where a run on another machine "
            "cannot be seen; if there is none, free it with: snakemake --unlock",
        )
    try:
        shutil.rmtree(locks)
    except OSError as e:
        raise ResultsError(f"cannot remove the locks in {locks}: {e.strerror}") from e
    return Unlocked(True, "a run that was killed had left the folder locked; it is free again")


def _runs_snakemake(command: list[str]) -> bool:
    """Whether a command line is a Snakemake: its script, or ``python -m snakemake``."""
    head = command[:4]
    return any(Path(word).name == "snakemake" for word in head[:3]) or any(
        pair == ("-m", "snakemake") for pair in itertools.pairwise(head)
    )


def _file_system(folder: Path) -> str:
    """Type of the file system that holds ``folder`` ('' when unknown)."""
    folder = folder.resolve()
    mounts = [p for p in psutil.disk_partitions(all=True) if folder.is_relative_to(p.mountpoint)]
    return max(mounts, key=lambda p: len(p.mountpoint)).fstype if mounts else ""
