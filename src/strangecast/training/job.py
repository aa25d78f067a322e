"""The job of rule ``train``: train the members of a block whose key has changed, keep the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.hashing import file_digest
from strangecast.core.schemas import HISTORY
from strangecast.core.tables import read_parquet, write_parquet
from strangecast.emulators import run_folder
from strangecast.emulators.base import Emulator
from strangecast.emulators.build import locate
from strangecast.emulators.run_folder import HISTORY as HISTORY_FILE
from strangecast.emulators.run_folder import RUN, WEIGHTS, State
from strangecast.training.base import Training
from strangecast.training.checkpoint import Checkpoint, remove_checkpoints
from strangecast.training.device import describe, reproducible, resolve_device
from strangecast.training.loggers import NoLogger, open_logger
from strangecast.training.loop import Row, train
from strangecast.training.members import Member, read_members
from strangecast.training.prepare import prepare

CHUNK = 64  # most members in one torch batch; a member's bits do not depend on it


def train_block(
    plan: dict[str, Any],
    root: Path,
    *,
    device: str = "auto",
    reuse: bool = True,
    logger: str = "none",
    threads: int = 1,
    progress: Callable[[str], None] | None = print,
    checkpoint_seconds: float = 20.0,
) -> None:
    """Write ``history.parquet``, ``weights.safetensors`` and, last, ``run.json`` of a block.

    Args:
        plan: block plan.
        root: ``results/<scale>``.
        device: auto, cpu, cuda, rocm or mps.
        reuse: keep members whose key is unchanged, and go on from checkpoints.
        logger: option of conf/logger.
        threads: of torch on the CPU.
        progress: receives lines for people, or None.
        checkpoint_seconds: least time between checkpoints.

    Raises:
        ConfigError, DataError, ResultsError: what is wrong, before anything is written.
    """
    if plan["training"] is None:
        raise ConfigError(f"{plan['folder']}: this block is used without training, there is nothing to train")
    folder = root / plan["folder"]
    where = resolve_device(device, gpu=plan["training"].get("gpu", True))
    members = read_members(plan, root)
    kept = {k: v for k, v in run_folder.read_members(folder).items() if reuse}
    histories = _histories(folder)
    kept = {k: v for k, v in kept.items() if v[0]["run_id"] in histories}
    stale = [m for m in members if m.key not in kept]
    say = progress or (lambda line: None)
    _sweep(folder)
    if not stale and _is_current(plan, folder, members):
        remove_checkpoints(folder)
        say(f"{plan['folder']}: all {len(members)} members are up to date")
        for name in (HISTORY_FILE, WEIGHTS, RUN):
            os.utime(folder / name)
        return
    if not reuse:
        remove_checkpoints(folder)
    done = dict(kept)
    if stale:
        say(f"{plan['folder']}: training {len(stale)} of {len(members)} members on {describe(where)}")
        log = open_logger(logger, folder, plan["folder"])
        try:
            with reproducible(threads):
                for chunk in _chunks(plan, stale):
                    done |= _train_chunk(plan, folder, chunk, where, log, say, checkpoint_seconds, histories)
        finally:
            log.close()
    _write(plan, folder, members, done, histories)
    remove_checkpoints(folder)


def _histories(folder: Path) -> dict[str, list[Row]]:
    """History rows by run id; empty where the file is missing or damaged."""
    rows: dict[str, list[Row]] = {}
    with suppress(ResultsError):
        for row in read_parquet(folder / HISTORY_FILE, HISTORY).to_pylist():
            rows.setdefault(row["run_id"], []).append(row)
    return rows


def _sweep(folder: Path) -> None:
    """Remove temporary files that a killed job of this block left behind."""
    for left in [*folder.glob(".*.tmp"), *folder.glob("resume/*/.*.tmp")]:
        with suppress(OSError):
            left.unlink()


def _is_current(plan: dict[str, Any], folder: Path, members: list[Member]) -> bool:
    """Whether the three files are there, agree with each other and hold these members where the plan wants them."""
    try:
        run = run_folder.read_run(folder)
        held = [(m["run_id"], m["key"]) for m in run["members"]]
        wanted = [(m.plan["run_id"], m.key) for m in members]
        same = set(wanted) <= set(held) if plan.get("beside") else wanted == held[: len(wanted)]
        return same and all(file_digest(folder / name) == run["files"][name] for name in (WEIGHTS, HISTORY_FILE))
    except (ResultsError, OSError, KeyError, TypeError):
        return False


def _chunks(plan: dict[str, Any], stale: list[Member]) -> list[list[Member]]:
    cls = locate(plan["emulator"]["config"].get("_target_"), Emulator)
    if not cls.side_by_side or stale[0].alone:
        return [[m] for m in stale]
    training = locate(plan["training"]["config"].get("_target_"), Training)
    state = "state" in {*cls.can.needs, *training.needs}
    # A batch has one number of parameters and one size of state: what a member sees does not depend on its neighbours.
    alike: dict[tuple[int, int], list[Member]] = {}
    for m in stale:
        alike.setdefault((len(m.spec.parameters), m.state_size if state else 0), []).append(m)
    return [group[i : i + CHUNK] for group in alike.values() for i in range(0, len(group), CHUNK)]


def _train_chunk(
    plan: dict[str, Any],
    folder: Path,
    chunk: list[Member],
    device: torch.device,
    log: NoLogger,
    say: Callable[[str], None],
    checkpoint_seconds: float,
    histories: dict[str, list[Row]],
) -> dict[str, tuple[dict[str, Any], State]]:
    """Records and tensors of a chunk's members by key; their history rows go into ``histories``."""
    problem, validation = prepare(plan, chunk, device)
    emulator = problem.emulator
    ids = [m.plan["run_id"] for m in chunk]

    def named(rows: list[Row]) -> list[Row]:
        kept = (r for r in rows if r["member"] < len(ids))  # the rest is padding
        return [{"run_id": ids[r["member"]]} | {k: v for k, v in r.items() if k != "member"} for r in kept]

    checkpoint = Checkpoint(folder, [m.key for m in chunk], checkpoint_seconds)
    try:
        progress = train(problem, validation, checkpoint, say, lambda rows: log.log(named(rows)))
    finally:
        problem.close()
    if problem.told:
        say(problem.told)
    for run_id in ids:
        histories[run_id] = []
    for row in named(progress.rows):
        histories[row["run_id"]].append(row)
    stacked = {k: v.cpu() for k, v in emulator.stacked_state().items()}
    results = {}
    for s, m in enumerate(chunk):
        record = {
            "run_id": m.plan["run_id"],
            "key": m.key,
            "static_key": m.plan["static_key"],
            "data_hash": m.data_hash,
            "dataset": m.plan["dataset"],
            "seed": m.plan["seed"],
            "point": m.plan["point"],
            "init": m.plan["init"],
            "emulator": m.plan["emulator"],
            "status": "diverged" if progress.diverged[s] else "done",
            "train_seconds": progress.seconds / len(chunk),
            "best_update": int(progress.best_update[s]),
            "n_parameters": emulator.n_parameters,
            "device": describe(device),
        }
        if emulator.architecture:
            record["architecture"] = emulator.architecture
        results[m.key] = (record, {k: v[s] for k, v in stacked.items()})
    return results


def _write(
    plan: dict[str, Any],
    folder: Path,
    members: list[Member],
    done: dict[str, tuple[dict[str, Any], State]],
    histories: dict[str, list[Row]],
) -> None:
    """History first, ``run.json`` last: after a crash at any moment the kept members are still whole.

    Members of the folder that the plan does not name (fewer seeds, a study deselected, a run made by hand) come after
    the planned ones, so that nothing already trained is lost. A plan that says ``beside`` leaves the order that is there
    and puts what is new last.
    """
    emulator, training = ({k: plan[part][k] for k in ("name", "config")} for part in ("emulator", "training"))
    held = {}
    for m in members:
        # the plan's own entries win over what a kept record says of the same run
        record = done[m.key][0] | {k: m.plan[k] for k in ("seed", "point", "init", "dataset")}
        held[m.plan["run_id"]] = record, done[m.key][1], m.spec
    first = done[members[0].key]
    for record, state, spec in run_folder.read_others(folder, emulator, training, list(held)):
        # data of another shape, or other pretrained weights, make tensors of another
        if _shapes(state) == _shapes(first[1]) and record.get("architecture") == first[0].get("architecture"):
            held[record["run_id"]] = record, state, spec
    if plan.get("beside"):
        before = [record["run_id"] for record, _ in run_folder.read_members(folder).values()]
        held = {r: held[r] for r in dict.fromkeys([*before, *held]) if r in held}
    rows = [row for run_id in held for row in histories.get(run_id, [])]
    table = pa.Table.from_pylist([{f.name: r[f.name] for f in HISTORY} for r in rows], _plain(HISTORY))
    write_parquet(folder / HISTORY_FILE, table, HISTORY)
    records, states, specs = zip(*held.values(), strict=True)
    run_folder.save(folder, emulator, training, specs, records, states)


def _shapes(state: State) -> dict[str, tuple[int, ...]]:
    return {k: tuple(v.shape) for k, v in state.items()}


def _plain(schema: pa.Schema) -> pa.Schema:
    """The schema without dictionary encoding, for building from Python rows."""
    return pa.schema([(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema])
