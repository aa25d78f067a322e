"""Kernels of a graph, ready to be called, with compiled code kept on disk.

Object code lies in ``$STRANGECAST_CACHE`` (else ``$XDG_CACHE_HOME/strangecast``, else ``~/.cache/strangecast``), one
file for each kernel text, processor level and version of LLVM. A file begins with the digest of what follows; one that
does not match is made again. Losing the folder costs compile time and nothing else.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from strangecast.core.atomic import atomic_path
from strangecast.core.errors import ResultsError
from strangecast.systems.graph import Graph
from strangecast.systems.lanes.layout import Layout
from strangecast.systems.lanes.targets import NUMBA, VARIABLE, Target, choose
from strangecast.systems.lanes.vector_kernels import Kernels, shared_stepper

_MAGIC = b"strangecast object 1\n"
CACHE = "STRANGECAST_CACHE"


@dataclass(frozen=True)
class Compiled:
    """Kernels in memory.

    Attributes:
        target: what they were compiled for.
        layout: of the block they work on.
        advance: address of ``void advance(block)``; 0 where the graph has other than D outputs.
        field: address of ``void field(block, time, state, out)``, of rows of W numbers.
        owner: keeps the code alive.
        shared: what a stepper shared by systems finds in the head of the block: addresses of ``inner`` and
            ``prepare``, offset of its vectors.
    """

    target: Target
    layout: Layout
    advance: int
    field: int
    owner: Any = field(repr=False, compare=False)
    shared: tuple[int, int, int] = (0, 0, 0)


class MissingSymbolError(RuntimeError):
    """A function of the C library that compiled code would call is not in this process."""


def compiled(graph: Graph, path: str | None = None, *, once: bool = False) -> Compiled:
    """The kernels of a graph without lags; the same object for the same graph while it is remembered.

    Args:
        graph: right-hand side.
        path: of ``targets.PATHS``; None for the environment's, else the fastest that works here.
        once: compile less and keep nothing on disk, for a graph of few trajectories that nobody will ask for again.
            Its steps take up to a third longer and give the same bits.

    Raises:
        ConfigError: no such path, or one this processor cannot run.
    """
    target = choose(path)
    try:
        return _compiled(graph, target, once)
    except (MissingSymbolError, OSError):
        # A path that was asked for by name has to work; one that was chosen here may be replaced.
        if path or os.environ.get(VARIABLE):
            raise
        return _compiled(graph, NUMBA, once)


@lru_cache(maxsize=512)
def _compiled(graph: Graph, target: Target, once: bool) -> Compiled:
    if target == NUMBA:
        from strangecast.systems.lanes.portable import portable

        return portable(graph)
    kernels = Kernels(graph, target, False if once else None)
    engine = _load(object_code(kernels.text(), target, keep=not once))
    field = engine.get_function_address("field")
    if kernels.straight or not kernels.steps:
        advance = engine.get_function_address("advance") if kernels.steps else 0
        return Compiled(target, kernels.layout, advance, field, engine)
    stepper = _stepper(target, graph.dim)
    shared = (engine.get_function_address("inner"), engine.get_function_address("prepare"), kernels.vectors)
    advance = stepper.get_function_address("advance")
    return Compiled(target, kernels.layout, advance, field, (engine, stepper), shared)


@lru_cache(maxsize=64)
def _stepper(target: Target, dim: int) -> Any:
    return _load(object_code(shared_stepper(target, dim), target))


def cache_folder() -> Path:
    """Where object code is kept."""
    if os.environ.get(CACHE):
        return Path(os.environ[CACHE])
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "strangecast"


def object_code(text: str, target: Target, *, keep: bool = True) -> bytes:
    """Object code of a module, from the folder or compiled and (with ``keep``) put there.

    Raises:
        MissingSymbolError: the module calls a function that is not in this process.
    """
    _check_symbols(text)
    if not keep:
        return _translate(text, target)
    path = cache_folder() / "kernels" / f"{_key(text, target)}.o"
    code = _read(path)
    if code is None:
        code = _translate(text, target)
        # A folder that cannot be written costs time, not the result.
        with suppress(ResultsError, OSError), atomic_path(path) as temporary:
            temporary.write_bytes(_MAGIC + hashlib.sha256(code).digest() + code)
    return code


def _read(path: Path) -> bytes | None:
    """What a file holds, or None where there is none or it is damaged."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    head, code = raw[: len(_MAGIC) + 32], raw[len(_MAGIC) + 32 :]
    return code if head == _MAGIC + hashlib.sha256(code).digest() else None


def _key(text: str, target: Target) -> str:
    import llvmlite

    llvm = _llvm()
    versions = f"{llvmlite.__version__} {llvm.llvm_version_info} {llvm.get_process_triple()} {target.level}"
    return hashlib.sha256(f"{versions}\n{text}".encode()).hexdigest()


def _check_symbols(text: str) -> None:
    llvm = _llvm()
    for line in text.splitlines():
        if line.startswith("declare") and "@llvm." not in line:
            name = line.split("@", 1)[1].split("(", 1)[0]
            if not llvm.address_of_symbol(name):
                raise MissingSymbolError(f"the C library of this machine offers no '{name}'")


def _translate(text: str, target: Target) -> bytes:
    module = _llvm().parse_assembly(text)
    module.verify()
    return _machine(target.level).emit_object(module)


def _load(code: bytes) -> Any:
    """An execution engine that holds the code."""
    llvm = _llvm()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _new_machine(""))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


@cache
def _machine(level: str) -> Any:
    return _new_machine(level)


def _new_machine(level: str) -> Any:
    llvm = _llvm()
    native = llvm.Target.from_triple(llvm.get_process_triple())
    return native.create_target_machine(cpu=level, opt=2, reloc="pic", codemodel="default", jit=True)


@cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm
