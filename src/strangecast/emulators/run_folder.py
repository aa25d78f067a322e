"""A run folder: ``weights.safetensors`` with members on axis 0, and ``run.json`` that says what they are.

The weights file repeats in its header what ``run.json`` says of the members, each with a digest of its tensors. So it
is whole by itself: after a crash between the two files the next job still knows which member it holds and that it is
sound. What differs between two equal runs (seconds, device) stands in ``run.json`` alone, and the header is one entry
(safetensors writes several in any order), so that equal weights are equal files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from strangecast.core.atomic import atomic_path
from strangecast.core.errors import ConfigError, ResultsError, unknown
from strangecast.core.format import FORMAT
from strangecast.core.hashing import file_digest
from strangecast.core.provenance import versions
from strangecast.core.run_file import RUN, read_run
from strangecast.core.seal import write_sealed_json
from strangecast.core.spec import Spec
from strangecast.emulators.base import Emulator
from strangecast.emulators.build import build

WEIGHTS, HISTORY = "weights.safetensors", "history.parquet"
HEADER = "strangecast"
CIRCUMSTANCES = ("train_seconds", "device")
State = dict[str, Tensor]


def digest_state(state: State) -> str:
    """Hex SHA-256 of names, dtypes, shapes and bytes of one member's tensors."""
    h = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        h.update(f"{name}:{value.dtype}:{tuple(value.shape)};".encode())
        h.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return h.hexdigest()


def save(
    folder: Path,
    emulator: dict[str, Any],
    training: dict[str, Any] | None,
    specs: Sequence[Spec],
    members: Sequence[dict[str, Any]],
    states: Sequence[State],
) -> None:
    """Write the weights, then ``run.json`` last, each atomically.

    Args:
        folder: the block's folder.
        emulator: ``{"name", "config"}``.
        training: ``{"name", "config"}`` or None.
        specs: per member.
        members: per member a record with at least ``run_id``, ``key`` and ``emulator`` (member-varying values), and
            ``architecture`` where the configuration alone does not rebuild it.
        states: per member its tensors, without member axis.
    """
    records = [m | {"weights": digest_state(s)} for m, s in zip(members, states, strict=True)]
    stacked = {k: torch.stack([s[k].detach().cpu() for s in states]).contiguous() for k in states[0]}
    lasting = [{k: v for k, v in r.items() if k not in CIRCUMSTANCES} for r in records]
    common = {"format": FORMAT, "emulator": emulator, "training": training, "specs": [s.to_json() for s in specs]}
    header = {HEADER: json.dumps(common | {"members": lasting}, sort_keys=True)}
    with atomic_path(folder / WEIGHTS) as temporary:
        save_file(stacked, temporary, metadata=header)
    files = {name: file_digest(folder / name) for name in (WEIGHTS, HISTORY) if (folder / name).exists()}
    write_sealed_json(folder / RUN, common | {"members": records, "files": files, "versions": versions()})


def read_members(folder: Path) -> dict[str, tuple[dict[str, Any], State]]:
    """Sound members of a folder by key, as (record, tensors); empty where there are none or they are damaged.

    Raises:
        ResultsError: the folder is of another format version.
    """
    try:
        header, stacked = _read_weights(folder)
    except (SafetensorError, KeyError, TypeError, ValueError, OSError):
        return {}
    if header["format"] != FORMAT:
        raise ResultsError(_other_format(folder / WEIGHTS, header["format"]))
    circumstances = _circumstances(folder)
    found = {}
    for i, record in enumerate(header["members"]):
        state = {k: v[i] for k, v in stacked.items()}
        if digest_state(state) == record.get("weights"):
            found[record["key"]] = (circumstances.get(record["key"], {}) | record, state)
    return found


def read_others(
    folder: Path, emulator: dict[str, Any], training: dict[str, Any] | None, planned: Container[str]
) -> list[tuple[dict[str, Any], State, Spec]]:
    """Sound members that are not ``planned`` (run ids), of just this emulator and training: (record, tensors, spec).

    Empty where the folder's emulator or training is another, as they no longer are what ``run.json`` would say.

    Raises:
        ResultsError: as :func:`read_members`.
    """
    found = read_members(folder)
    if not found:
        return []
    header, _ = _read_weights(folder)
    if [header["emulator"], header["training"]] != json.loads(json.dumps([emulator, training])):
        return []
    others = {m["key"]: Spec.from_json(s) for m, s in zip(header["members"], header["specs"], strict=True)}
    return [(*found[k], spec) for k, spec in others.items() if k in found and found[k][0]["run_id"] not in planned]


def _read_weights(folder: Path) -> tuple[dict[str, Any], State]:
    """Header and stacked tensors of the weights file."""
    with safe_open(folder / WEIGHTS, framework="pt") as f:
        header = json.loads((f.metadata() or {}).get(HEADER, '{"format": "none"}'))
        if header["format"] == FORMAT:
            return header, {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118 - not a dict
        return header, {}


def _circumstances(folder: Path) -> dict[str, dict[str, Any]]:
    """Seconds and device of the members by key, as far as a ``run.json`` tells."""
    try:
        members = read_run(folder)["members"]
        return {m["key"]: {k: m[k] for k in CIRCUMSTANCES if k in m} for m in members}
    except (ResultsError, KeyError, TypeError):
        return {}


def load(path: Path | str, member: int | str | Sequence[int | str] | None = None) -> Emulator:
    """The emulator in a run folder, with all members, one, or some of them in the order asked for.

    Args:
        path: the block's folder.
        member: position or run id, several of them, or None for all.

    Raises:
        ResultsError: missing or damaged files, another format version, a member that is not there, an emulator
            that this installation does not have, weights that do not fit it.
    """
    folder = Path(path)
    run = read_run(folder)
    records = run["members"]
    asked = range(len(records)) if member is None else [member] if isinstance(member, (int, str)) else member
    chosen = [_position(folder, records, m) for m in asked]
    try:
        header, stacked = _read_weights(folder)
        held = [m["key"] for m in header["members"]]
    except FileNotFoundError as e:
        raise ResultsError(f"{folder / WEIGHTS} does not exist; train the run first") from e
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as e:
        raise ResultsError(f"{folder / WEIGHTS} is damaged; delete it and run the rule train again") from e
    if held != [m["key"] for m in records]:
        raise ResultsError(f"{folder}: weights and run.json are of different runs (an interrupted job); train again")
    specs = [Spec.from_json(run["specs"][i]) for i in chosen]
    values = [records[i].get("emulator") or {} for i in chosen]
    try:
        config = run["emulator"]["config"] | (records[chosen[0]].get("architecture") or {})
        emulator = build(config, specs, values)
        emulator.load_stacked_state({k: v[chosen] for k, v in stacked.items()})
    except ConfigError as e:
        raise ResultsError(f"{folder} cannot be loaded: {e}") from e
    return emulator


def _position(folder: Path, records: list[dict[str, Any]], member: int | str) -> int:
    if isinstance(member, int):
        if 0 <= member < len(records):
            return member
        raise ResultsError(f"{folder} has members 0 to {len(records) - 1}, not {member}")
    ids = [m["run_id"] for m in records]
    if member in ids:
        return ids.index(member)
    raise ResultsError(f"{folder}: {unknown('member', member, ids)}")


def _other_format(path: Path, found: Any) -> str:
    return f"{path} is of results format {found}, this version reads {FORMAT}; nothing was changed"
