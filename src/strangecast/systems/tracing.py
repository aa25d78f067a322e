"""From Python right-hand sides to graphs: run the body once on symbols and keep what it computed.

The body is run as a copy of the function whose globals are its own but for a few names: ``min``, ``max`` and ``abs``
accept symbols, ``np.array``, ``np.zeros`` and their like make arrays that hold them, ``math.sin`` means ``np.sin``, and
functions compiled by numba are taken as the Python they were made from. Nothing is patched, so nothing has to be
restored, and traces may run side by side.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import reduce
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from strangecast.core.errors import ConfigError, StrangecastError
from strangecast.systems.graph import Graph
from strangecast.systems.symbol_arrays import SymbolArray, symbol_array
from strangecast.systems.symbols import Builder, Scalar, Symbol, maximum, minimum

RightHandSide = Callable[[Any, Any, Any], Any]


def trace(
    function: RightHandSide, dim: int, n_parameters: int, *, outputs: int | None = None, name: str = "this system"
) -> Graph:
    """The graph of ``function(t, state [D], parameters [P])``.

    Args:
        function: returns ``outputs`` numbers. It may use NumPy, ``math`` and loops over known ranges, but not decide
            by the value of its arguments.
        dim: D.
        n_parameters: P.
        outputs: how many numbers it has to return, D by default.
        name: for messages.

    Raises:
        ConfigError: it returned another number of values, decided by a value, called what no graph has, or failed.
    """
    builder = Builder(dim, n_parameters)
    inputs = (builder.time, symbol_array(builder.state), symbol_array(builder.parameters))
    return _finish(builder, retargeted(function), inputs, dim if outputs is None else outputs, name)


def trace_flow(flow: Any) -> Graph:
    """The graph of an ODE flow of dysts, an instance of its class.

    Parameters are numbered as they stand when sorted by name, entries of arrays in C order.
    """
    builder, symbols = _start(flow, flow.dimension)
    state = symbol_array(builder.state)
    if overrides_rhs(type(flow)):
        return _finish(builder, _Instance(flow, symbols).rhs, (state, builder.time), flow.dimension, flow.name)
    inputs = (*state, builder.time, *symbols.values())
    return _finish(builder, retargeted(flow._rhs), inputs, flow.dimension, flow.name)


def trace_delay(flow: Any) -> Graph:
    """The graph of a delay flow of dysts: one coordinate, read now and ``tau`` ago."""
    builder, symbols = _start(flow, 1)
    past = builder.delayed(0, symbols["tau"])
    inputs = (builder.state[0], past, builder.time, *symbols.values())
    return _finish(builder, retargeted(flow._rhs), inputs, 1, flow.name)


def trace_observation(flow: Any) -> Graph | None:
    """The graph of the map that keeps the coordinates of a flow of dysts bounded, or None where it has none."""
    if not hasattr(type(flow), "_postprocessing"):
        return None
    builder, symbols = _start(flow, flow.dimension)
    observe = _Instance(flow, symbols)._postprocessing
    return _finish(builder, observe, tuple(builder.state), flow.dimension, f"{flow.name}'s observation")


def overrides_rhs(flow: type) -> bool:
    """Whether a class of dysts computes its right-hand side from attributes of the instance."""
    from dysts.base import DynSys

    return flow.rhs is not DynSys.rhs


def retargeted(function: Any) -> Any:
    """A copy of a Python function, or of what numba compiled from one, that accepts symbols; others as they are."""
    while isinstance(function, staticmethod):
        function = function.__func__
    if isinstance(function, MethodType):
        return MethodType(retargeted(function.__func__), function.__self__)
    function = getattr(function, "py_func", function)
    if not isinstance(function, FunctionType):
        return function
    namespace = dict(function.__globals__)
    for name, value in function.__globals__.items():
        if value is np or value is math:
            namespace[name] = _NUMPY if value is np else _MATH
        elif isinstance(inner := getattr(value, "py_func", None), FunctionType):
            same = inner.__globals__ is function.__globals__
            namespace[name] = _copy(inner, namespace) if same else retargeted(inner)
    namespace |= {"min": _least, "max": _greatest, "abs": np.abs}
    return _copy(function, namespace)


class _Instance:
    """An instance of dysts whose parameters are symbols and whose methods accept them; nothing is written to it."""

    def __init__(self, flow: Any, symbols: dict[str, Any]) -> None:
        self._flow, self._symbols = flow, symbols

    def __getattr__(self, name: str) -> Any:
        if name in self._symbols:
            return self._symbols[name]
        found = inspect.getattr_static(type(self._flow), name, None)
        if isinstance(found, staticmethod):
            return retargeted(found)
        return MethodType(retargeted(found), self) if isinstance(found, FunctionType) else getattr(self._flow, name)


class _Module:
    """A module some of whose functions are replaced."""

    def __init__(self, module: ModuleType, replaced: dict[str, Any]) -> None:
        self._module = module
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _copy(function: FunctionType, namespace: dict[str, Any]) -> FunctionType:
    copied = FunctionType(function.__code__, namespace, function.__name__, function.__defaults__, function.__closure__)
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied


def _start(flow: Any, dim: int) -> tuple[Builder, dict[str, Any]]:
    """A builder, and for every parameter of a dysts instance, sorted by name, its symbol or array of symbols."""
    defaults = dict(zip(sorted(flow.params), flow.param_list, strict=True))
    builder = Builder(dim, sum(int(np.size(v)) for v in defaults.values()))
    symbols, at = {}, 0
    for key, default in defaults.items():
        entries = builder.parameters[at : at + int(np.size(default))]
        symbols[key] = symbol_array(entries).reshape(np.shape(default)) if np.ndim(default) else entries[0]
        at += len(entries)
    return builder, symbols


def _finish(builder: Builder, function: Callable[..., Any], inputs: tuple, wanted: int, name: str) -> Graph:
    try:
        found = _flat(function(*inputs))
        if len(found) != wanted:
            raise ConfigError(f"returns {len(found)} numbers, {wanted} are needed")
        return builder.graph(found)
    except StrangecastError as e:
        raise ConfigError(f"the function of {name} {e}") from None
    except Exception as e:
        raise ConfigError(f"the function of {name} fails when it is traced: {type(e).__name__}: {e}") from e


def _flat(result: Any) -> list[Scalar]:
    if isinstance(result, (list, tuple, np.ndarray)) and np.ndim(result := symbol_array(result)):
        return [entry for part in result.reshape(-1) for entry in _flat(part)]
    if isinstance(result, np.ndarray):
        result = result[()]
    if not isinstance(result, Symbol) and not isinstance(result, (int, float, np.number, np.bool_)):
        raise ConfigError(f"returns {result!r}, which is no number")
    return [result if isinstance(result, Symbol) else float(result)]


def _least(*values: Any, **keywords: Any) -> Any:
    return _chosen(min, minimum, values, keywords)


def _greatest(*values: Any, **keywords: Any) -> Any:
    return _chosen(max, maximum, values, keywords)


def _chosen(plain: Callable, symbolic: Callable, values: tuple, keywords: dict) -> Any:
    entries = list(values[0]) if len(values) == 1 else list(values)
    if keywords or not any(isinstance(v, Symbol) for v in entries):
        return plain(*values, **keywords)
    return reduce(symbolic, entries)


def _array(values: Any, dtype: Any = None, **keywords: Any) -> SymbolArray:
    return symbol_array(values)


def _filled(number: float) -> Callable[..., SymbolArray]:
    return lambda shape, *_, **__: symbol_array(np.full(shape, number))


def _full(shape: int | Sequence[int], fill_value: Any, *_: Any, **__: Any) -> SymbolArray:
    return symbol_array(np.full(shape, fill_value, dtype=object))


_NUMPY: Any = _Module(
    np,
    {
        "array": _array, "asarray": _array, "asanyarray": _array, "ascontiguousarray": _array,
        "zeros": _filled(0.0), "empty": _filled(0.0), "ones": _filled(1.0), "full": _full,
    },
)  # fmt: skip
_AS_IN_NUMPY = {"fabs": "abs", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "pow": "power"}
_SAME = (
    "sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "floor", "ceil", "expm1", "log1p", "log2",
    "log10", "hypot", "radians",
)  # fmt: skip
_MATH: Any = _Module(math, {n: getattr(np, _AS_IN_NUMPY.get(n, n)) for n in (*_SAME, *_AS_IN_NUMPY)})
