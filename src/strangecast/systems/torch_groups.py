"""A graph evaluated in groups: operations of one kind at one depth become one torch operation on the last axis.

On a lattice, where every site does the same, this takes a handful of calls whatever the number of sites; on small or
irregular graphs the gathering costs more than it saves. ``worth_grouping`` tells them apart by counting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from strangecast.systems.graph import LEAVES, Graph

# A call in a group moves more data than one on a single coordinate, and gathers copy: measured at about twice the time.
_DEARER = 2.0

Place = slice | Tensor | None  # of a group's arguments in what is known so far; None where they are fixed


class Groups:
    """``groups(t, state [*lead, D], prepared) -> [*lead, D']``.

    Args:
        graph: without lags.
        still: per node whether parameters alone determine it.
        handed: the nodes whose values ``prepare`` is given, in this order.
        library: ``function(*tensors, value=None)`` per operation.

    Attributes:
        calls: of torch in one evaluation.
    """

    def __init__(
        self, graph: Graph, still: Sequence[bool], handed: Sequence[int], library: dict[str, Callable[..., Tensor]]
    ) -> None:
        self.graph = graph
        self._library = library
        self._handed = {node: place for place, node in enumerate(handed)}
        self._timed = not graph.autonomous
        where = {i: n.value for i, n in enumerate(graph.nodes) if n.op == "state"}
        where |= {i: graph.dim for i, n in enumerate(graph.nodes) if n.op == "time"}
        depth = dict.fromkeys(where, 0)
        groups: dict[tuple, list[int]] = {}
        for i, node in enumerate(graph.nodes):
            if not still[i] and node.op not in LEAVES:
                depth[i] = 1 + max(depth[a] for a in node.args if not still[a])
                kinds = tuple(still[a] for a in node.args)
                groups.setdefault((depth[i], node.op, repr(node.value), kinds), []).append(i)
        known = graph.dim + self._timed
        self._levels: list[list[tuple[str, Any, list[Place]]]] = [[] for _ in range(max(depth.values(), default=0))]
        self._fixed: list[list[int]] = []  # nodes of each argument that is fixed, in the order of use
        for key in sorted(groups):
            members = groups[key]
            places: list[Place] = []
            for position, fixed in enumerate(key[3]):
                nodes = [graph.nodes[i].args[position] for i in members]
                if fixed:
                    self._fixed.append(nodes)
                places.append(None if fixed else _place([where[n] for n in nodes]))
            where |= {i: known + place for place, i in enumerate(members)}
            known += len(members)
            self._levels[key[0] - 1].append((key[1], graph.nodes[members[0]].value, places))
        self._constant_outputs = list(dict.fromkeys(o for o in graph.outputs if still[o]))
        where |= {o: known + place for place, o in enumerate(self._constant_outputs)}
        self._fixed.append(self._constant_outputs)
        self._outputs = _place([where[o] for o in graph.outputs])
        self._device = torch.device("cpu")
        gathers = [p for level in self._levels for *_, places in level for p in places if p is not None]
        self.calls = len(gathers) + sum(len(level) + 1 for level in self._levels) + 1

    def prepare(self, fixed: Sequence[Any], like: Tensor) -> list[Tensor]:
        """The fixed arguments of all groups, [*, n] each, from the values that were handed over."""
        return [self._stacked(nodes, fixed, like) for nodes in self._fixed]

    def __call__(self, t: Any, state: Tensor, prepared: list[Tensor]) -> Tensor:
        if state.device != self._device:
            self._move(state.device)
        lead = state.shape[:-1]
        known = torch.cat([state, t.expand(lead)[..., None]], -1) if self._timed else state
        at = iter(prepared)
        for level in self._levels:
            new = [known]
            for op, value, places in level:
                args = [next(at) if place is None else _taken(known, place) for place in places]
                found = self._library[op](*args, value=value)
                new.append(found)
            known = torch.cat(new, -1)
        if self._constant_outputs:
            known = torch.cat([known, next(at).expand(*lead, len(self._constant_outputs))], -1)
        return _taken(known, self._outputs)

    def _move(self, device: torch.device) -> None:
        moved = lambda place: place.to(device) if isinstance(place, Tensor) else place  # noqa: E731
        self._levels = [[(op, v, [moved(p) for p in places]) for op, v, places in level] for level in self._levels]
        self._outputs, self._device = moved(self._outputs), device

    def _stacked(self, nodes: list[int], fixed: Sequence[Any], like: Tensor) -> Tensor:
        values = [fixed[self._handed[n]] if n in self._handed else float(self.graph.nodes[n].value) for n in nodes]
        if not any(isinstance(v, Tensor) for v in values):
            return like.new_tensor(values)
        tensors = [v if isinstance(v, Tensor) else like.new_tensor(v) for v in values]
        return torch.stack(torch.broadcast_tensors(*tensors), -1)


def worth_grouping(groups: Groups, operations: int) -> bool:
    """Whether groups beat ``operations`` single calls."""
    return _DEARER * groups.calls < operations


def _place(positions: list[int]) -> Place:
    first = positions[0] if positions else 0
    if positions == list(range(first, first + len(positions))):
        return slice(first, first + len(positions))
    return torch.tensor(positions)


def _taken(known: Tensor, place: Place) -> Tensor:
    return known[..., place] if isinstance(place, slice) else known.index_select(-1, place)
