"""Devices by the names users give them, and the settings under which torch computes the same bits again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from strangecast.core.errors import ConfigError, unknown

DEVICES = ("auto", "cpu", "cuda", "rocm", "mps")


def resolve_device(name: str, gpu: bool = True) -> torch.device:
    """The torch device.

    Args:
        name: auto, cpu, cuda, rocm or mps.
        gpu: whether the job gains from a GPU; ``auto`` takes the CPU where not.

    Raises:
        ConfigError: unknown name, or a device that this machine or build of torch does not have.
    """
    if name not in DEVICES:
        raise ConfigError(unknown("device", str(name), DEVICES))
    hip = torch.version.hip is not None
    there = {
        "cuda": not hip and torch.cuda.is_available(),
        "rocm": hip and torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        name = next((d for d, present in there.items() if gpu and present), "cpu")
    if name == "cpu":
        return torch.device("cpu")
    if not there[name]:
        present = ", ".join(["auto", "cpu", *(d for d, p in there.items() if p)])
        raise ConfigError(
            f"device {name} is not available: torch {torch.__version__} finds none on this machine "
            f"(allowed here: {present})"
        )
    return torch.device("mps" if name == "mps" else "cuda")


def describe(device: torch.device) -> str:
    """A short name for tables: ``cpu``, or the GPU's product name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@contextmanager
def reproducible(threads: int = 1) -> Iterator[None]:
    """Deterministic algorithms and a fixed number of threads; the settings before come back on exit."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
