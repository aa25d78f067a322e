"""Who computes updates: the protocol, and the default by autograd and a torch optimiser.

An engine owns everything between two validations: sampling, loss, gradient, clip, optimiser. A compiled whole-step
graph, a kernel or a closed form replaces :meth:`Engine.advance` and is tested equal to the training's ``loss``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from strangecast.core.streams import key64
from strangecast.data.prefetch import Prefetched
from strangecast.data.training_batches import Batch, TrainingWindows
from strangecast.emulators.base import Emulator
from strangecast.training.draws import UpdateRandom
from strangecast.training.schedules import Schedule

if TYPE_CHECKING:
    from strangecast.training.base import Training

ALIGNED = 16  # numbers; every parameter starts on a 64-byte boundary, whatever its neighbours' sizes


@dataclass
class Problem:
    """One chunk of members to train.

    Attributes:
        emulator: S members, initialised, on the device.
        training: the methodology.
        data: windows of the S members.
        streams: [S] uint64, the members' stream keys.
        device: where it is computed.
        system: the members' systems, S of them, where the training or the emulator needs them; else None.
        rank: number of this device where several train one member; each draws batches of its own.
    """

    emulator: Emulator
    training: Training
    data: TrainingWindows
    streams: np.ndarray
    device: torch.device
    system: Any = None
    rank: int = 0
    batch_keys: np.ndarray = field(init=False)
    draw_keys: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        where = (self.rank,) if self.rank else ()
        self.batch_keys = np.array([key64("batch", int(k), *where) for k in self.streams], np.uint64)
        self.draw_keys = np.array([key64("loss", int(k), *where) for k in self.streams], np.uint64)

    def batch(self, n: int) -> Batch:
        """The batch of update ``n``, placed."""
        return self.placed(self.data.batch(n, self.batch_keys, self.training.batch_size))

    def placed(self, batch: Batch) -> Batch:
        """A batch on the device, with the systems where they are needed."""
        batch = on_device(batch, self.device)
        return batch if self.system is None else replace(batch, context=replace(batch.context, system=self.system))

    @property
    def told(self) -> str | None:
        """What there is to say about its data when all is done, for people."""
        told = getattr(self.data.data if isinstance(self.data, Prefetched) else self.data, "told", None)
        return told and told()

    def close(self) -> None:
        """Stop what makes batches ahead."""
        if isinstance(self.data, Prefetched):
            self.data.close()


@dataclass
class State:
    """Everything from which training goes on to the same last bit.

    Attributes:
        update: updates made.
        tensors: named, member axis first; the engine may hold on to them and change them in place.
    """

    update: int
    tensors: dict[str, Tensor]


class Engine(ABC):
    """Computes updates of one :class:`Problem`; the emulator's parameters always hold the current weights."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    @abstractmethod
    def start(self) -> State:
        """The state before the first update."""

    @abstractmethod
    def restore(self, state: State) -> State:
        """Go on from a saved state (tensors on the CPU); returns the live one."""

    @abstractmethod
    def advance(self, state: State, n: int, active: Tensor) -> tuple[State, Tensor]:
        """Make ``n`` updates.

        Args:
            state: as returned before.
            n: number of updates.
            active: [S] bool; members that have stopped are not changed any more (their loss is still given).

        Returns:
            the new state and losses [n, S], float64 on the CPU.
        """

    def learning_rate(self, update: int) -> float:
        """The rate of the last update made, for the history; NaN where there is none."""
        return float("nan")

    def unoptimised(self) -> dict[str, Tensor]:
        """What a loss may change besides what is optimised, live: the emulator's buffers, the training's state."""
        buffers = {f"buffer.{k}": v for k, v in self.problem.emulator.named_buffers()}
        return buffers | {f"training.{k}": v for k, v in self.problem.training.state().items()}

    def load_unoptimised(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of :meth:`unoptimised`; other names are ignored."""
        with torch.no_grad():
            for k, v in self.problem.emulator.named_buffers():
                v.copy_(tensors[f"buffer.{k}"])
        self.problem.training.load_state({k: tensors[f"training.{k}"] for k in self.problem.training.state()})


class Autograd(Engine):
    """Autograd and a torch optimiser on all members at once.

    All parameters of a member lie in one row of a flat tensor [S, P] (each padded to 64 bytes): the optimiser is a few
    elementwise operations, its state has the member axis, and the clip is a norm over rows. An update whose gradient
    is not finite is skipped for that member alone: its parameters, moments and buffers stay what they were (the
    optimiser's count of steps is common to all members and goes on).

    Args:
        problem: what to train.
        optimizer: makes a torch optimiser from a list of parameters; elementwise in its parameters.
        schedule: factor of the learning rate at a fraction of the updates.
        clip: greatest Euclidean norm of a member's gradient, or None.
    """

    def __init__(
        self,
        problem: Problem,
        optimizer: Callable[[list[Tensor]], torch.optim.Optimizer],
        schedule: Schedule,
        clip: float | None,
    ) -> None:
        super().__init__(problem)
        emulator, training = problem.emulator, problem.training
        named = {f"emulator.{k}": p for k, p in emulator.named_parameters()} | {
            f"training.{k}": p for k, p in training.parameters().items()
        }
        rows = emulator.S
        self._own = _flatten([p for k, p in named.items() if k.startswith("emulator.")], rows, emulator.side_by_side)
        self._flat = [self._own] + (
            [_flatten([p for k, p in named.items() if k.startswith("training.")], rows, True)]
            if training.parameters()
            else []
        )
        self._optimizer = optimizer([f.values for f in self._flat])
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
        self._schedule = schedule
        self._clip = clip

    def start(self) -> State:
        """Parameters as they are, and the optimiser's state before its first step."""
        self._zero_step()
        return State(0, self._live())

    def restore(self, state: State) -> State:
        """Copy saved tensors into the live ones."""
        self._zero_step()
        with torch.no_grad():
            for name, value in self._optimised().items():
                value.copy_(state.tensors[name])
        self.load_unoptimised(state.tensors)
        return State(state.update, self._live())

    def advance(self, state: State, n: int, active: Tensor) -> tuple[State, Tensor]:
        """See :meth:`Engine.advance`."""
        p = self.problem
        losses = []
        active = active.to(p.device)
        for update in range(state.update, state.update + n):
            rng = UpdateRandom(p.draw_keys, update)
            kept = _copies(self.unoptimised())
            loss = p.training.loss(p.emulator, p.batch(update), system=p.system, rng=rng, step=update)
            held = ~(self._gradient(loss.sum()) & active)
            hold = p.device.type != "cpu" or bool(held.any())  # to ask a GPU would cost more than the copies
            kept |= _copies(self._optimised()) if hold else {}
            factor = self._factor(update)
            for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
                group["lr"] = rate * factor
            self._optimizer.step()
            if hold:
                self._put_back(kept, held)
            losses.append(loss.detach())
        return State(state.update + n, self._live()), torch.stack(losses).double().cpu()

    def learning_rate(self, update: int) -> float:
        """Of the first parameter group."""
        return self._rates[0] * self._factor(max(update - 1, 0))

    def _factor(self, update: int) -> float:
        return self._schedule(update / max(self.problem.training.updates, 1))

    def _put_back(self, kept: dict[str, Tensor], held: Tensor) -> None:
        """Give the members ``held`` [S] back what they had."""
        for k, v in self._optimised().items():
            if v.ndim:  # not the count of steps
                v.copy_(torch.where(_along(held, v), kept[k], v))
        mixed = {k: torch.where(_along(held, v), kept[k], v) for k, v in self.unoptimised().items()}
        if mixed:
            self.load_unoptimised(mixed)

    def _gradient(self, total: Tensor) -> Tensor:
        """Set the clipped gradient; [S], whether a member's is finite (it is zero where not)."""
        leaves = [leaf for f in self._flat for leaf in f.leaves]
        gradients = iter(torch.autograd.grad(total, leaves, allow_unused=True))
        for f in self._flat:
            for leaf, where in zip(f.leaves, f.places, strict=True):
                g = next(gradients)
                f.values.grad[:, where] = 0.0 if g is None else g.reshape(f.values.shape[0], leaf.numel() // f.rows)
        square = sum(f.values.grad.square().sum(1) for f in self._flat)
        factor = torch.ones_like(square)
        if self._clip is not None:
            factor = (self._clip / square.sqrt()).clamp(max=1.0)
        sound = torch.isfinite(square)
        for f in self._flat:
            f.values.grad = torch.where(sound[:, None], f.values.grad * factor[:, None], 0.0)
        return sound

    def _zero_step(self) -> None:
        """Let the optimiser create its state by a step that changes nothing, then wind it back."""
        values = [f.values.detach().clone() for f in self._flat]
        for f in self._flat:
            f.values.grad.zero_()
        self._optimizer.step()
        with torch.no_grad():
            for f, old in zip(self._flat, values, strict=True):
                f.values.copy_(old)
                for v in self._optimizer.state[f.values].values():
                    if isinstance(v, Tensor):
                        v.zero_()

    def _live(self) -> dict[str, Tensor]:
        return self._optimised() | self.unoptimised()

    def _optimised(self) -> dict[str, Tensor]:
        tensors = {}
        for i, f in enumerate(self._flat):
            tensors[f"{i}.values"] = f.values.data
            for k, v in sorted(self._optimizer.state[f.values].items()):
                if isinstance(v, Tensor):
                    tensors[f"{i}.optimizer.{k}"] = v
        return tensors


@dataclass
class _Flat:
    values: torch.nn.Parameter  # [S, P]
    leaves: list[Tensor]  # views into values
    places: list[slice]
    rows: int


def _copies(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v.detach().clone() for k, v in tensors.items()}


def _along(members: Tensor, like: Tensor) -> Tensor:
    """[S] shaped to broadcast against ``like`` [S, ...]; a lone member's tensors may have no member axis."""
    return members.view(-1, *(1,) * (like.ndim - 1)) if like.ndim else members.view(())


def _flatten(parameters: list[Tensor], S: int, side_by_side: bool) -> _Flat:
    """Move parameters [S, ...] into one [S, P] tensor; they become views of it and stay leaves of the graph."""
    rows = S if side_by_side else 1
    sizes = [p.numel() // rows for p in parameters]
    starts = np.cumsum([0, *(-(-n // ALIGNED) * ALIGNED for n in sizes)])
    like = parameters[0]
    values = torch.zeros(rows, int(starts[-1]), dtype=like.dtype, device=like.device)
    places = [slice(int(a), int(a) + n) for a, n in zip(starts, sizes, strict=False)]
    for p, where in zip(parameters, places, strict=True):
        values[:, where] = p.detach().reshape(rows, -1)
        p.data = values[:, where].view(p.shape)
    flat = torch.nn.Parameter(values)
    flat.grad = torch.zeros_like(values)
    return _Flat(flat, parameters, places, rows)


class ClosedForm(Engine):
    """One "update" that solves for the minimiser of the training's loss over all training data."""

    def start(self) -> State:
        """Parameters, buffers and what the training owns."""
        return State(0, self._live())

    def restore(self, state: State) -> State:
        """Copy saved tensors into the live ones."""
        with torch.no_grad():
            for k, v in self.problem.emulator.named_parameters():
                v.copy_(state.tensors[f"emulator.{k}"])
        self.load_unoptimised(state.tensors)
        return State(state.update, self._live())

    def _live(self) -> dict[str, Tensor]:
        return {f"emulator.{k}": v for k, v in self.problem.emulator.named_parameters()} | self.unoptimised()

    def advance(self, state: State, n: int, active: Tensor) -> tuple[State, Tensor]:
        """Fit; the loss given is that of one batch at the solution."""
        p = self.problem
        p.emulator.fit([p.data.series(s) for s in range(p.emulator.S)])
        rng = UpdateRandom(p.draw_keys, state.update)
        with torch.no_grad():
            loss = p.training.loss(p.emulator, p.batch(state.update), system=p.system, rng=rng, step=state.update)
        return State(state.update + n, self._live()), loss.double().cpu()[None].expand(n, -1)


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device; itself on the CPU."""
    if device.type == "cpu":
        return batch

    def move(value: Any) -> Any:
        return value.to(device, non_blocking=True) if isinstance(value, Tensor) else value

    context = replace(batch.context, **{f.name: move(getattr(batch.context, f.name)) for f in fields(batch.context)})
    return replace(batch, context=context, target=move(batch.target), times=move(batch.times))
