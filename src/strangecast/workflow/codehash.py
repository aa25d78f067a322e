"""A hash of the code that can change a result: syntax trees, not files.

Roots are the module of a rule's job function and every ``_target_`` in its config. Their first-party imports are
followed transitively; comments, docstrings and empty syntax fields (which differ between Python versions) are left
out. So editing one emulator changes the hash of its own runs alone, and a comment changes nothing.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import site
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError
from strangecast.core.hashing import digest
from strangecast.workflow.cache import Cache

PACKAGE = Path(__file__).resolve().parent.parent


class CodeHash:
    """Hashes of transitive first-party code.

    Args:
        cache: remembers parsed sources by content.
        package: folder of the ``strangecast`` package.
    """

    def __init__(self, cache: Cache | None = None, package: Path = PACKAGE) -> None:
        self.cache = cache or Cache(None)
        self.package = package
        self._modules: dict[str, tuple[str, list[str]] | None] = {}
        self._closures: dict[frozenset[str], str] = {}

    def of(self, *roots: str, config: Any = None) -> str:
        """Hash of modules ``roots``, of every ``_target_`` in ``config``, and of all they import.

        Raises:
            ConfigError: a ``_target_`` names a module of this package that does not exist.
        """
        modules = frozenset([*roots, *(self._module_of(t) for t in targets(config))])
        if modules not in self._closures:
            self._closures[modules] = self._closure(modules)
        return self._closures[modules]

    def _closure(self, roots: frozenset[str]) -> str:
        seen: dict[str, str] = {}
        waiting = sorted(roots)
        while waiting:
            name = waiting.pop()
            parsed = self._parse(name)
            if parsed is None or name in seen:
                continue
            seen[name] = parsed[0]
            waiting += [m for m in parsed[1] if m not in seen]
        return digest(sorted(seen.items()))

    def _module_of(self, target: str) -> str:
        """The module part of a dotted ``_target_`` (drops class and attribute names)."""
        parts = target.split(".")
        own = parts[0] == self.package.name
        for n in range(len(parts) - 1, int(own), -1):
            if self._source(".".join(parts[:n])) is not None:
                return ".".join(parts[:n])
        if own:
            raise ConfigError(f"_target_ '{target}' names no module of {self.package.name}")
        return parts[0]

    def _source(self, module: str) -> Path | None:
        head, *rest = module.split(".")
        if head == self.package.name:
            base = self.package.joinpath(*rest)
        else:
            spec = importlib.machinery.PathFinder.find_spec(head)
            if spec is None or not spec.origin or not spec.has_location or _is_installed(Path(spec.origin)):
                return None
            top = Path(spec.origin)
            base = top.parent.joinpath(*rest) if top.name == "__init__.py" else top.with_suffix("")
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            if candidate.is_file():
                return candidate
        return None

    def _parse(self, module: str) -> tuple[str, list[str]] | None:
        if module not in self._modules:
            source = self._source(module)
            self._modules[module] = None if source is None else self._parse_file(module, source)
        return self._modules[module]

    def _parse_file(self, module: str, source: Path) -> tuple[str, list[str]]:
        text = source.read_bytes()
        key = f"code:3:{hashlib.sha256(text).hexdigest()}"
        found = self.cache.get(key)
        if found is None:
            tree = ast.parse(text)
            found = self.cache.put(key, [digest(_skeleton(tree)), sorted(_imports(tree))])
        package = module if source.name == "__init__.py" else module.rpartition(".")[0]
        own = {m for n in found[1] for m in self._resolve(module, package, n)}
        parents = {p for p in _parents(module) if self._source(p) is not None}
        return found[0], sorted(own | parents)

    def _resolve(self, module: str, package: str, imported: str) -> list[str]:
        """First-party modules meant by ``a.b:c`` (from a.b import c), ``a.b`` (import a.b) or ``..b:c`` (relative)."""
        base, _, name = imported.partition(":")
        level = len(base) - len(base.lstrip("."))
        if level:
            above = package.split(".")[: len(package.split(".")) - level + 1]
            base = ".".join([*above, base.lstrip(".")]).rstrip(".")
        if name and self._source(f"{base}.{name}") is not None:
            return [f"{base}.{name}"]
        return [base] if self._source(base) is not None and base != module else []


def targets(config: Any) -> list[str]:
    """Every ``_target_`` in a nested config."""
    if isinstance(config, dict):
        own = [config["_target_"]] if isinstance(config.get("_target_"), str) else []
        return own + [t for v in config.values() for t in targets(v)]
    if isinstance(config, (list, tuple)):
        return [t for v in config for t in targets(v)]
    return []


def _skeleton(node: Any) -> Any:
    """A JSON-like picture of a syntax tree without docstrings, positions, type comments and empty fields."""
    if isinstance(node, list):
        return [_skeleton(n) for n in node]
    if isinstance(node, ast.AST):
        fields = {}
        for name, value in ast.iter_fields(node):
            if name == "body" and isinstance(value, list) and _has_docstring(node, value):
                value = value[1:]
            if value is None or value == [] or name in ("kind", "type_comment", "type_ignores"):
                continue
            fields[name] = _skeleton(value)
        return [type(node).__name__, fields]
    return repr(node)


def _has_docstring(node: ast.AST, body: list[ast.stmt]) -> bool:
    return (
        isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and bool(body)
        and isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    )


def _imports(tree: ast.AST) -> Iterable[str]:
    """What a tree imports anywhere, but for what only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (f"{base}:{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from (i for other in node.orelse for i in _imports(ast.Module([other], [])))
        else:
            yield from _imports(node)


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def _is_installed(path: Path) -> bool:
    roots = [*site.getsitepackages(), site.getusersitepackages(), sysconfig.get_path("stdlib")]
    return any(path.is_relative_to(root) for root in roots)
