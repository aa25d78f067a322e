"""The members of a block plan with what they train on and start from, and the keys that follow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.hashing import digest
from strangecast.core.run_file import run_key
from strangecast.core.spec import Spec
from strangecast.data.store import Dataset
from strangecast.emulators import run_folder
from strangecast.emulators.base import Emulator
from strangecast.emulators.build import locate
from strangecast.emulators.run_folder import State


@dataclass(frozen=True)
class Member:
    """A member of the plan and what its key is made of.

    Attributes:
        plan: its entry in the block plan.
        datasets: what it trains on; one, or many where its emulator learns from pooled systems. Of a stream those that
            select its weights.
        spec: what its emulator may know of them.
        data_hash: content of the data.
        key: of the run: static key, data, parent.
        parent: tensors it starts from, or None.
    """

    plan: dict[str, Any]
    datasets: tuple[Dataset, ...]
    spec: Spec
    data_hash: str
    key: str
    parent: State | None

    @property
    def run_id(self) -> str:
        """Of the plan."""
        return self.plan["run_id"]

    @property
    def pooled(self) -> bool:
        """Whether it learns from several systems."""
        return len(self.datasets) > 1 or self.datasets[0].many or bool(self.stream and self.stream["many"])

    @property
    def state_size(self) -> int:
        """Numbers in the full state of its system, grid included."""
        first = self.datasets[0].segments("train")[0].trajectory_id
        return self.datasets[0].state(first).shape[1]

    @property
    def stream(self) -> dict[str, Any] | None:
        """``{name, many, config}`` where its training data are made while it trains, else None."""
        return self.plan.get("stream")

    @property
    def alone(self) -> bool:
        """Whether it is trained without others at its side."""
        return self.pooled or self.stream is not None


def read_members(plan: dict[str, Any], root: Path) -> list[Member]:
    """All members of a block plan, in its order.

    Raises:
        ConfigError: an emulator of one system is given several, or uneven sampling it cannot handle.
        ResultsError: data or the run a member starts from are missing or damaged.
    """
    cls = locate(plan["emulator"]["config"].get("_target_"), Emulator)
    datasets = {name: Dataset.open(root / d["folder"]) for name, d in plan["datasets"].items()}
    parents = _parents(plan, root)
    members = []
    for m in plan["members"]:
        own = tuple(datasets[name] for name in m["datasets"])
        record, state = None, None
        if m["init"]:
            if m["init"] not in parents:
                raise ResultsError(
                    f"{plan['folder']}: run {m['init']}, which {m['run_id']} starts from, is not trained"
                )
            record, state = parents[m["init"]]
        contents = [d.content for d in own]
        key = run_key(m["static_key"], contents, record["key"] if record else None)
        made = [*contents, m["stream"]] if m.get("stream") else contents
        member = Member(m, own, _spec(m, own), made[0] if len(made) == 1 else digest(made), key, state)
        if member.pooled and not cls.can.pooled:
            raise ConfigError(
                f"{plan['folder']}: {cls.__name__} learns one system at a time, {m['run_id']} has several"
            )
        if not member.pooled:
            _check_sampling(cls, own[0])
        members.append(member)
    return members


def _parents(plan: dict[str, Any], root: Path) -> dict[str, tuple[dict[str, Any], State]]:
    if not plan["init"]:
        return {}
    found = run_folder.read_members(root / plan["init"]["folder"]).values()
    return {record["run_id"]: (record, state) for record, state in found}


def _spec(plan: dict[str, Any], datasets: tuple[Dataset, ...]) -> Spec:
    if plan.get("stream") and plan["stream"]["many"]:
        # What selects the weights may agree in more than what they are trained on.
        return Spec((), context_range=Spec.common([d.spec for d in datasets]).context_range, system=plan["run_id"])
    if len(datasets) == 1:
        return datasets[0].spec
    return Spec.common([d.spec for d in datasets], plan["run_id"])


def _check_sampling(cls: type[Emulator], dataset: Dataset) -> None:
    if dataset.spec.dt is None and not cls.can.irregular:
        raise ConfigError(
            f"dataset {dataset.name} is not sampled evenly, which {cls.__name__} needs: resample it to one interval, or "
            "train an emulator with irregular: true under can"
        )
