"""What every test shares: one thread per process, no window system, and markers that skip with a reason."""

from __future__ import annotations

import os
import shutil

# Set before numpy or torch is imported anywhere: tiny operations on contended threads are tens of times slower.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("PYTHONNOUSERSITE", "1")

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("strangecast", deadline=None, derandomize=True)
settings.load_profile("strangecast")

SLURM_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo", "scancel", "srun")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests whose marker asks for something that is not here, saying what."""
    if item.get_closest_marker("slurm"):
        reason = slurm_missing()
        if reason:
            pytest.skip(reason)
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA or ROCm device, and torch sees none")


def slurm_missing() -> str:
    """Why a one-node Slurm cannot be started here ('' when it can)."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    absent = [program for program in SLURM_PROGRAMS if shutil.which(program, path=path) is None]
    if absent:
        return f"needs the Slurm packages (Debian, Ubuntu: slurm-wlm munge): there is no {', '.join(absent)}"
    if os.geteuid() != 0:
        return "a one-node Slurm is started as root, and this is another user"
    return ""
