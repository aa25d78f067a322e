"""Arrays of symbols under NumPy's functions.

``SymbolArray`` is an object array whose universal functions become operations of the graph, entry by entry; all that
NumPy builds from these (sums, products, matrix products, least and greatest values, means, norms) works of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.systems.graph import UNARY
from strangecast.systems.symbols import DECIDES, Scalar, Symbol, less, maximum, minimum, operate, where


class SymbolArray(np.ndarray):
    """An array of symbols and numbers."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return call(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Callable, types: Any, args: Sequence, kwargs: dict) -> Any:
        return call_function(function, args, kwargs)


def symbol_array(values: Any) -> SymbolArray:
    """Nested sequences or an array of symbols and numbers as a ``SymbolArray``."""
    return np.array(values, dtype=object).view(SymbolArray)


def call(ufunc: np.ufunc, method: str, inputs: Sequence, kwargs: dict) -> Any:
    """What a universal function or one of its methods gives for symbols.

    Raises:
        ConfigError: there is no such operation on a graph, or its result would decide the way of a program.
    """
    name = ufunc.__name__
    arrays = [_plain(x) for x in inputs]
    if ufunc in _PRODUCTS and method == "__call__":
        result = ufunc(*arrays)
    else:
        if name in ("equal", "not_equal"):
            raise ConfigError(DECIDES)
        if name not in _ENTRIES:
            raise ConfigError(f"calls a function that no graph has: {unknown('function', name, _ENTRIES)}")
        if method not in _METHODS:
            raise ConfigError(f"calls np.{name}.{method}, which no graph has")
        result = _METHODS[method](_ENTRIES[name], *arrays, **_without_defaults(kwargs))
    target = kwargs.get("out", (None,))[0]
    if isinstance(target, np.ndarray):  # a symbol as target is `x += y`, which gives a new one
        if target.dtype != object:
            raise ConfigError("stores traced numbers in an array of floats; make it with np.zeros_like(state)")
        target.view(np.ndarray)[...] = result
        return target
    return result.view(SymbolArray) if isinstance(result, np.ndarray) else result


def call_function(function: Callable, args: Sequence, kwargs: dict) -> Any:
    """What a function of NumPy that is no universal function gives for symbols."""
    if function is np.where:
        if len(args) != 3:
            raise ConfigError(DECIDES)
        result = _elementwise(where, *(_plain(a) for a in args))
        return result.view(SymbolArray) if isinstance(result, np.ndarray) else result
    args, kwargs = _wrapped(tuple(args)), {k: _wrapped(v) for k, v in kwargs.items()}
    result = np.ndarray.__array_function__(symbol_array([]), function, (SymbolArray,), args, kwargs)
    if not isinstance(result, np.ndarray) or result.dtype != object:
        return result
    return result.view(SymbolArray) if result.ndim else result[()]


def _plain(x: Any) -> np.ndarray:
    if isinstance(x, np.ndarray):
        return x.view(np.ndarray)
    cell = np.empty((), object)
    cell[()] = x
    return np.asarray(x, object) if isinstance(x, (list, tuple)) else cell


def _wrapped(x: Any) -> Any:
    """Symbols as arrays of no dimension, also in lists."""
    if isinstance(x, Symbol):
        return _plain(x).view(SymbolArray)
    return type(x)(_wrapped(v) for v in x) if type(x) in (list, tuple) else x


def _without_defaults(kwargs: dict) -> dict:
    kept = {k: v for k, v in kwargs.items() if k in ("axis", "keepdims", "initial", "where") and v is not np._NoValue}
    if kept.pop("where", True) is not True:
        raise ConfigError("calls a function of NumPy with where=, which no graph has; use np.where")
    return kept


def _elementwise(entry: Callable[..., Scalar], *arrays: np.ndarray) -> Any:
    arrays = np.broadcast_arrays(*arrays)
    result = np.empty(arrays[0].shape, object)
    for i in np.ndindex(result.shape):
        result[i] = entry(*(a[i] for a in arrays))
    return result if result.ndim else result[()]


def _reduce(
    entry: Callable[..., Scalar], array: np.ndarray, axis: Any = 0, keepdims: bool = False, initial: Any = None
) -> Any:
    axes = range(array.ndim) if axis is None else np.atleast_1d(axis)
    axes = tuple(int(a) % max(array.ndim, 1) for a in axes)
    kept = [a for a in range(array.ndim) if a not in axes]
    rows = array.transpose([*kept, *axes]).reshape([array.shape[a] for a in kept] + [-1])
    result = np.empty(rows.shape[:-1], object)
    for i in np.ndindex(result.shape):
        values = list(rows[i]) if initial is None else [initial, *rows[i]]
        if not values:
            raise ConfigError("reduces an array without entries")
        total = values[0]
        for v in values[1:]:
            total = entry(total, v)
        result[i] = total
    if keepdims:
        return result.reshape([1 if a in axes else array.shape[a] for a in range(array.ndim)])
    return result if result.ndim else result[()]


def _accumulate(entry: Callable[..., Scalar], array: np.ndarray, axis: int = 0) -> np.ndarray:
    result = np.moveaxis(array.astype(object), axis, 0)
    for k in range(1, len(result)):
        result[k] = _elementwise(entry, _plain(result[k - 1]), _plain(result[k]))
    return np.moveaxis(result, 0, axis)


def _outer(entry: Callable[..., Scalar], a: np.ndarray, b: np.ndarray) -> Any:
    return _elementwise(entry, a.reshape(a.shape + (1,) * b.ndim), b)


def _heaviside(x: Scalar, at_zero: Scalar) -> Scalar:
    if isinstance(at_zero, Symbol):
        raise ConfigError("gives np.heaviside a second argument that is no number")
    return operate("heaviside", x, value=float(at_zero))


def _named(op: str) -> Callable[..., Scalar]:
    return lambda *args: operate(op, *args)


_PRODUCTS = {getattr(np, n) for n in ("matmul", "vecdot", "matvec", "vecmat") if hasattr(np, n)}
_METHODS = {"__call__": _elementwise, "reduce": _reduce, "accumulate": _accumulate, "outer": _outer}
_RENAMED = {
    "negative": "neg", "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "pow",
    "float_power": "pow", "minimum": "min", "fmin": "min", "maximum": "max", "fmax": "max", "absolute": "abs",
    "fabs": "abs", "arctan2": "arctan2", "remainder": "mod", "less": "less",
}  # fmt: skip
_ENTRIES: dict[str, Callable[..., Scalar]] = {
    **{op: _named(op) for op in UNARY if op not in ("neg", "abs", "heaviside")},
    **{name: _named(op) for name, op in _RENAMED.items()},
    "heaviside": _heaviside,
    "positive": lambda x: x,
    "square": lambda x: operate("mul", x, x),
    "reciprocal": lambda x: operate("div", 1.0, x),
    "hypot": lambda x, y: operate("sqrt", operate("add", operate("mul", x, x), operate("mul", y, y))),
    "exp2": lambda x: operate("pow", 2.0, x),
    "expm1": lambda x: operate("sub", operate("exp", x), 1.0),
    "log1p": lambda x: operate("log", operate("add", 1.0, x)),
    "log2": lambda x: operate("div", operate("log", x), float(np.log(2.0))),
    "log10": lambda x: operate("div", operate("log", x), float(np.log(10.0))),
    "radians": lambda x: operate("mul", x, float(np.pi / 180)),
    "deg2rad": lambda x: operate("mul", x, float(np.pi / 180)),
    "floor_divide": lambda x, y: operate("floor", operate("div", x, y)),
    "ceil": lambda x: operate("neg", operate("floor", operate("neg", x))),
    "clip": lambda x, low, high: minimum(maximum(x, low), high),
    "greater": lambda x, y: less(y, x),
    "less_equal": lambda x, y: operate("sub", 1.0, less(y, x)),
    "greater_equal": lambda x, y: operate("sub", 1.0, less(x, y)),
    "logical_not": lambda x: where(x, 0.0, 1.0),
    "logical_and": lambda x, y: where(x, where(y, 1.0, 0.0), 0.0),
    "logical_or": lambda x, y: where(x, 1.0, where(y, 1.0, 0.0)),
}
_ENTRIES |= {f"bitwise_{n}": _ENTRIES[f"logical_{n}"] for n in ("and", "or")} | {"invert": _ENTRIES["logical_not"]}
