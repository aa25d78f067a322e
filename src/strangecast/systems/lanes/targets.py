"""Which code a processor can run: vector width, fused multiply-add, vector functions of the C library.

A path is named by what it needs: ``avx512`` (8 lanes), ``avx2`` (4), ``sse2`` (2), and ``numba`` (1 lane, no
instructions of our own). Code is compiled for these levels, not for the processor at hand, so two processors of one
level run the same instructions. ``avx512/libm`` and so on leave out glibc's vector functions and call the scalar ones.
The environment variable ``STRANGECAST_LANES`` chooses a path.
"""

from __future__ import annotations

import ctypes
import os
import platform
from dataclasses import dataclass
from functools import cache

from strangecast.core.errors import ConfigError, unknown

_V3 = ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
_V4 = (*_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")
# Level of the x86-64 psABI, lanes, letter of the vector functions, what the level needs of the processor.
_LEVELS = {
    "avx512": ("x86-64-v4", 8, "e", _V4),
    "avx2": ("x86-64-v3", 4, "d", _V3),
    "sse2": ("x86-64", 2, "b", ()),
}
PATHS = (*_LEVELS, "numba")
VARIABLE = "STRANGECAST_LANES"


@dataclass(frozen=True)
class Target:
    """One way to run.

    Attributes:
        name: of ``PATHS``, with ``/libm`` where vector functions are left out.
        level: what LLVM calls the processor; empty for ``numba``.
        width: W, lanes of a group.
        fma: whether products and sums are fused.
        letter: of the vector functions' names; empty where there are none.
    """

    name: str
    level: str
    width: int
    fma: bool
    letter: str

    def vector_function(self, name: str, arguments: int) -> str | None:
        """The C library's variant of ``name`` for W doubles, or None."""
        if not self.letter:
            return None
        full = f"_ZGV{self.letter}N{self.width}{'v' * arguments}_{name}"
        library = _libmvec()
        return full if library is not None and hasattr(library, full) else None


NUMBA = Target("numba", "", 1, False, "")


def available() -> tuple[str, ...]:
    """Paths that this processor can run, the fastest first."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return ("numba",)
    features = _features()
    return (*(n for n, (_, _, _, needs) in _LEVELS.items() if all(features.get(f) for f in needs)), "numba")


def choose(path: str | None = None) -> Target:
    """The target of a path; without one, of the environment's, else the fastest.

    Raises:
        ConfigError: no such path, or the processor cannot run it.
    """
    path = path or os.environ.get(VARIABLE) or available()[0]
    name, _, rest = path.partition("/")
    if name not in PATHS or rest not in ("", "libm"):
        raise ConfigError(unknown("path of the integrator", path, [*PATHS, *(f"{n}/libm" for n in _LEVELS)]))
    if name not in available():
        raise ConfigError(f"this processor cannot run the path '{name}' of the integrator; it can run {available()}")
    if name == "numba":
        return NUMBA
    level, width, letter, _ = _LEVELS[name]
    has_library = not rest and _libmvec() is not None
    return Target(path, level, width, name != "sse2", letter if has_library else "")


@cache
def _features() -> dict[str, bool]:
    import llvmlite.binding as llvm

    return dict(llvm.get_host_cpu_features())


@cache
def _libmvec() -> ctypes.CDLL | None:
    """glibc's vector mathematics, visible to compiled code from here on."""
    import llvmlite.binding as llvm

    try:
        library = ctypes.CDLL("libmvec.so.1")
        llvm.load_library_permanently("libmvec.so.1")
    except (OSError, RuntimeError):
        return None
    return library
