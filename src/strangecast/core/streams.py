"""Random numbers keyed by what they are for: any draw can be made alone, in any order, on any worker.

``stream("ic", "Lorenz", 0, 3)`` is the same generator everywhere; nothing reads or writes a global state.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from strangecast.core.hashing import canonical

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def key64(*key: Any) -> int:
    """A 64-bit integer from a key of strings and numbers (first 8 bytes of SHA-256)."""
    return int.from_bytes(hashlib.sha256(canonical(list(key)).encode()).digest()[:8], "little")


def stream(*key: Any) -> np.random.Generator:
    """A NumPy generator (PCG64) that depends on ``key`` alone."""
    seed = int.from_bytes(hashlib.sha256(canonical(list(key)).encode()).digest()[:16], "little")
    return np.random.Generator(np.random.PCG64(seed))


def _mix(x: np.ndarray) -> np.ndarray:
    """SplitMix64 finaliser (Steele, Lea and Flood 2014), elementwise on uint64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def counter_bits(keys: np.ndarray, counter: int, n: int) -> np.ndarray:
    """Counter-based random bits: ``[S, n]`` uint64, a pure function of (``keys[s]``, ``counter``, position).

    Member s never sees its neighbours' keys, so batches drawn from it are independent of who trains beside it.
    """
    with np.errstate(over="ignore"):
        base = _mix(np.asarray(keys, np.uint64) + _GOLDEN * np.uint64(counter + 1))
        return _mix(base[:, None] + _GOLDEN * np.arange(1, n + 1, dtype=np.uint64)[None, :])


def counter_integers(keys: np.ndarray, counter: int, n: int, high: np.ndarray) -> np.ndarray:
    """``[S, n]`` int64 in ``[0, high)`` by the multiply-shift method on 32 bits (``high`` [S] or [S, n], < 2**31)."""
    high = np.asarray(high, np.uint64)
    high = high[:, None] if high.ndim == 1 else high
    bits = counter_bits(keys, counter, n) >> np.uint64(32)
    return ((bits * high) >> np.uint64(32)).astype(np.int64)
