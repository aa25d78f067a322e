"""Numbers without a value: Python code computes with them, and what it computed is a graph.

A ``Builder`` collects operations, equal ones once; a ``Symbol`` is the number of one of them and behaves like a float,
in expressions and under NumPy's functions (``symbol_arrays.py``). Known numbers stay Python floats until they meet a
symbol, so constants fold by themselves. Rewriting is limited to what leaves every bit of a result in place, but for the
sign of a zero: ``1 x``, ``x + 0``, ``-(-x)``, signs moved out of products, division by a power of two. Two things
differ in the last bits from what was written: integer powers 2 to 16 become products, and power 0.5 a square root.
``0 x`` stays, because it is not zero where x is not a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from strangecast.core.errors import ConfigError
from strangecast.systems.graph import LEAVES, Graph, Node, evaluate

Scalar = Any  # a Symbol or a float
LARGEST_PRODUCT = 16

DECIDES = (
    "decides by the value of a state, time or parameter (if, while, and, or, ==), which a trace cannot follow; use "
    "np.where, np.minimum, np.maximum or np.heaviside"
)
_VALUE = (
    "asks for the value of a traced number (float(), int(), a function that is not NumPy's, or storing it in an array "
    "of floats made elsewhere); use functions of NumPy, and np.array([...]) of the results"
)


class Builder:
    """Collects the operations of one graph.

    Args:
        dim: D, number of state coordinates.
        n_parameters: P.

    Attributes:
        time: symbol.
        state: [D] symbols.
        parameters: [P] symbols.
    """

    def __init__(self, dim: int, n_parameters: int) -> None:
        self.dim, self.n_parameters = dim, n_parameters
        self._nodes: list[Node] = []
        self._known: dict[tuple, int] = {}
        self.time = self.add("time")
        self.state = [self.add("state", value=i) for i in range(dim)]
        self.parameters = [self.add("parameter", value=i) for i in range(n_parameters)]

    def add(self, op: str, args: Sequence[Scalar] = (), value: float | int | None = None) -> Symbol:
        """The symbol of an operation, the old one where it exists. Nothing is rewritten: that is ``operate``."""
        numbers = tuple(self._number(a) for a in args)
        if op in ("add", "mul"):
            numbers = tuple(sorted(numbers))
        key = (op, numbers, value.hex() if isinstance(value, float) else value)
        if key not in self._known:
            self._known[key] = len(self._nodes)
            self._nodes.append(Node(op, numbers, value))
        return Symbol(self, self._known[key])

    def delayed(self, coordinate: int, lag: Scalar) -> Symbol:
        """Coordinate number ``coordinate`` at ``t - lag``."""
        return self.add("delayed", (lag,), int(coordinate))

    def node(self, number: int) -> Node:
        """The operation behind a number."""
        return self._nodes[number]

    def graph(self, outputs: Sequence[Scalar]) -> Graph:
        """The program that computes ``outputs``, without anything they do not need."""
        wanted = [self._number(o) for o in outputs]
        alive, waiting = set(wanted), list(set(wanted))
        while waiting:
            for a in self._nodes[waiting.pop()].args:
                if a not in alive:
                    alive.add(a)
                    waiting.append(a)
        new = {old: i for i, old in enumerate(sorted(alive))}
        nodes = [self._nodes[old] for old in new]
        nodes = [Node(n.op, tuple(new[a] for a in n.args), n.value) for n in nodes]
        return Graph(tuple(nodes), tuple(new[w] for w in wanted), self.dim, self.n_parameters)

    def _number(self, scalar: Scalar) -> int:
        if isinstance(scalar, Symbol):
            if scalar.builder is not self:
                raise ConfigError("numbers of two different traces meet in one expression")
            return scalar.number
        return self.add("constant", value=float(scalar)).number


class Symbol(NDArrayOperatorsMixin):
    """A number of a graph under construction. A comparison gives 1.0 or 0.0 as a symbol, for ``np.where``."""

    __slots__ = ("builder", "number")
    __hash__ = object.__hash__

    def __init__(self, builder: Builder, number: int) -> None:
        self.builder, self.number = builder, number

    @property
    def node(self) -> Node:
        """The operation it stands for."""
        return self.builder.node(self.number)

    @property
    def args(self) -> list[Scalar]:
        """The arguments of its operation; constants as floats."""
        nodes = [(a, self.builder.node(a)) for a in self.node.args]
        return [n.value if n.op == "constant" else Symbol(self.builder, a) for a, n in nodes]

    def __repr__(self) -> str:
        return f"<{self.node.op} {self.number}>"

    def __bool__(self) -> bool:
        raise ConfigError(DECIDES)

    def __float__(self) -> float:
        raise ConfigError(_VALUE)

    __int__ = __index__ = __complex__ = __round__ = __trunc__ = __float__

    def __floor__(self) -> Scalar:
        return operate("floor", self)

    def __ceil__(self) -> Scalar:
        return -operate("floor", -self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from strangecast.systems.symbol_arrays import call

        return call(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Callable, types: Any, args: Sequence, kwargs: dict) -> Any:
        from strangecast.systems.symbol_arrays import call_function

        return call_function(function, args, kwargs)


# NumPy calls these on the entries of a plain object array, as in np.sin(np.array([x, y])).
for _name in ("sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan"):
    setattr(Symbol, _name, lambda self, _op=_name: operate(_op, self))


def operate(op: str, *args: Scalar, value: float | None = None) -> Scalar:
    """One operation on symbols and floats: a float where all are known, else a symbol.

    Args:
        op: of ``graph.OPERATIONS``, no leaf.
        args: its arguments.
        value: of ``heaviside`` at zero.
    """
    args = tuple(a if isinstance(a, Symbol) else _known(a) for a in args)
    builder = next((a.builder for a in args if isinstance(a, Symbol)), None)
    if builder is None:
        nodes = [Node("constant", (), a) for a in args]
        small = Graph((*nodes, Node(op, tuple(range(len(args))), value)), (len(args),), 0, 0)
        return float(evaluate(small, 0.0, np.zeros(0), np.zeros(0))[0])
    short = _SHORT[op](*args) if op in _SHORT else None
    return builder.add(op, args, value) if short is None else short


def where(condition: Scalar, true: Scalar, false: Scalar) -> Scalar:
    """``true`` where the condition is not zero, else ``false``."""
    return operate("where", condition, true, false)


def less(a: Scalar, b: Scalar) -> Scalar:
    """1.0 where a < b, else 0.0."""
    return operate("less", a, b)


def minimum(a: Scalar, b: Scalar) -> Scalar:
    """The smaller one."""
    return operate("min", a, b)


def maximum(a: Scalar, b: Scalar) -> Scalar:
    """The greater one."""
    return operate("max", a, b)


def apply(
    graph: Graph,
    t: Scalar,
    state: Sequence[Scalar],
    parameters: Sequence[Scalar],
    delayed: Callable[[int, Scalar], Scalar] | None = None,
) -> list[Scalar]:
    """The outputs of a graph as functions of other symbols, such as the states of a larger system.

    Args:
        graph: what to compute.
        t: takes the place of time.
        state: [D] in place of the state.
        parameters: [P] in place of the parameters.
        delayed: ``delayed(i, lag)``, in place of coordinate i at ``t - lag``; only where the graph has lags.
    """
    if len(state) != graph.dim or len(parameters) != graph.n_parameters:
        raise ConfigError(
            f"a graph of {graph.dim} coordinates and {graph.n_parameters} parameters was given {len(state)} and "
            f"{len(parameters)}"
        )
    if graph.lags and delayed is None:
        raise ConfigError("a graph with delays needs to be told what stands for its delayed coordinates")
    values: list[Scalar] = []
    for node in graph.nodes:
        args = [values[a] for a in node.args]
        if node.op not in LEAVES:
            values.append(operate(node.op, *args, value=node.value))
        elif node.op == "constant":
            values.append(node.value)
        elif node.op == "time":
            values.append(t)
        elif node.op == "delayed":
            values.append(delayed(node.value, args[0]))
        else:
            values.append((state if node.op == "state" else parameters)[node.value])
    return [values[o] for o in graph.outputs]


def _known(number: Any) -> float:
    if isinstance(number, (Real, np.bool_)):
        return float(number)
    raise ConfigError(f"computes with {number!r}, which is no real number")


def _is(scalar: Scalar, number: float) -> bool:
    return isinstance(scalar, float) and scalar == number


def _negated(scalar: Scalar) -> Scalar:
    """x where the scalar is -x, else None."""
    return scalar.args[0] if isinstance(scalar, Symbol) and scalar.node.op == "neg" else None


def _neg(a: Scalar) -> Scalar:
    return _negated(a)


def _add(a: Scalar, b: Scalar) -> Scalar:
    if _is(a, 0.0) or _is(b, 0.0):
        return b if _is(a, 0.0) else a
    for x, y in ((a, b), (b, a)):
        if (minus := _negated(y)) is not None:
            return operate("sub", x, minus)
    return None


def _sub(a: Scalar, b: Scalar) -> Scalar:
    if _is(b, 0.0):
        return a
    if _is(a, 0.0):
        return operate("neg", b)
    return None if (minus := _negated(b)) is None else operate("add", a, minus)


def _mul(a: Scalar, b: Scalar) -> Scalar:
    for x, y in ((a, b), (b, a)):
        if _is(x, 1.0):
            return y
        if _is(x, -1.0):
            return operate("neg", y)
        if (minus := _negated(y)) is not None:
            return operate("mul", -x, minus) if isinstance(x, float) else operate("neg", operate("mul", x, minus))
    return None


def _div(a: Scalar, b: Scalar) -> Scalar:
    if isinstance(b, float) and math.isfinite(b) and abs(math.frexp(b)[0]) == 0.5 and math.isfinite(1 / b):
        return operate("mul", a, 1 / b)
    if (minus := _negated(a)) is not None:
        return operate("div", minus, -b) if isinstance(b, float) else operate("neg", operate("div", minus, b))
    if (minus := _negated(b)) is not None:
        return operate("div", -a, minus) if isinstance(a, float) else operate("neg", operate("div", a, minus))
    return None


def _pow(a: Scalar, b: Scalar) -> Scalar:
    if not isinstance(b, float):
        return None
    if b == 0.0:
        return 1.0  # of anything, as in NumPy
    if b in (0.5, -0.5):
        root = operate("sqrt", a)
    elif b == int(b) if abs(b) <= LARGEST_PRODUCT else False:
        root = _product(a, abs(int(b)))
    else:
        return None
    return root if b > 0 else operate("div", 1.0, root)


def _product(a: Scalar, n: int) -> Scalar:
    if n == 1:
        return a
    half = _product(a, n // 2)
    square = operate("mul", half, half)
    return operate("mul", square, a) if n % 2 else square


def _where(condition: Scalar, true: Scalar, false: Scalar) -> Scalar:
    if isinstance(condition, float):
        return true if condition != 0.0 else false
    same = isinstance(true, Symbol) and isinstance(false, Symbol) and true.number == false.number
    return true if same else None


_SHORT = {"neg": _neg, "add": _add, "sub": _sub, "mul": _mul, "div": _div, "pow": _pow, "where": _where}
