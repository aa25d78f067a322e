"""Resume checkpoints: one safetensors file per chunk, replaced atomically, bound to the keys of its members."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from strangecast.core.atomic import atomic_path
from strangecast.training.engine import State

if TYPE_CHECKING:
    from strangecast.training.loop import Progress

RESUME = "resume"


class Checkpoint:
    """The checkpoint of one chunk of members.

    Tensors (parameters, buffers, optimiser, the training's own, best weights) are the file's tensors; numbers, history and keys are JSON in its
    header, so that one rename replaces everything at once.

    Args:
        folder: the block's folder.
        keys: member keys of the chunk, in order; a file with other keys is discarded.
        every_seconds: least wall time between two writes; a finished chunk is always written.
    """

    def __init__(self, folder: Path, keys: list[str], every_seconds: float = 20.0) -> None:
        self.path = folder / RESUME / keys[0] / "state.safetensors"
        self.keys = keys
        self.every_seconds = every_seconds
        self._written = time.monotonic()

    def write(self, state: State, progress: Progress) -> None:
        """Save, if it is time to."""
        if not progress.done and time.monotonic() - self._written < self.every_seconds:
            return
        tensors = {f"state.{k}": v for k, v in state.tensors.items()}
        tensors |= {f"best.{k}": v for k, v in progress.best.items()}
        tensors = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
        numbers = {f.name: _plain(getattr(progress, f.name)) for f in fields(progress) if f.name != "best"}
        header = {"keys": json.dumps(self.keys), "update": str(state.update), "progress": json.dumps(numbers)}
        with atomic_path(self.path) as temporary:
            save_file(tensors, temporary, metadata=header)
        self._written = time.monotonic()

    def read(self) -> tuple[State, Progress] | None:
        """The saved state and progress; None (and no file any more) where there is none of these keys."""
        from strangecast.training.loop import Progress

        try:
            with safe_open(self.path, framework="pt") as f:
                header = f.metadata() or {}
                if json.loads(header["keys"]) == self.keys:
                    tensors = {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118 - not a dict
                    numbers = json.loads(header["progress"])
                    update = int(header["update"])
                else:
                    tensors = None
        except FileNotFoundError:
            return None
        except (SafetensorError, KeyError, ValueError, OSError):
            tensors = None
        if tensors is None:
            with suppress(OSError):
                self.path.unlink()
            return None
        arrays = {k: np.array(v) if isinstance(v, list) and k != "rows" else v for k, v in numbers.items()}
        arrays["best_error"] = arrays["best_error"].astype(np.float64)
        best = {k.removeprefix("best."): v for k, v in tensors.items() if k.startswith("best.")}
        state = {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
        return State(update, state), Progress(best=best, **arrays)


def remove_checkpoints(folder: Path) -> None:
    """Delete all checkpoints of a block."""
    shutil.rmtree(folder / RESUME, ignore_errors=True)


def _plain(value: Any) -> Any:
    """Arrays as lists; JSON's NaN and Infinity read back to the same float64."""
    return value.tolist() if isinstance(value, np.ndarray) else value
