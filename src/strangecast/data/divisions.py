"""Ways to divide trajectories into training, validation and test parts.

One system
    By initial condition: accepted trajectories in the order of their keys fill train, then validation, then test, whole;
    what is left over stays unused. By parameter set: the same with all trajectories of a set together. By time: each
    trajectory is cut into consecutive blocks with a gap of context + horizon samples between them, so that no window of
    one block can touch, or directly continue, another.

Many systems
    By system: some systems are tested, the others train and validate. A skew product is held out from training where its
    driver or its response is. All other ways act on each system by itself; a count of null takes what the other parts leave, and a
    system with too few valid trajectories fills the parts in order as far as it reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from strangecast.core.errors import ConfigError, DataError, unknown
from strangecast.data.parts import PARTS
from strangecast.data.system_split import divided, split_systems
from strangecast.systems import catalogue

WAYS = ("system", "parameter", "initial_condition", "time")
Segment = tuple[int, str, int, int]
_BY_SYSTEM = {"by", "test_fraction", "test", "train", "seed", "among", "mixed", "validation_fraction", "within"}
_MIXED = {"test": "test", "unused": None}


def divide(
    accepted: Sequence[dict[str, Any]],
    split: dict[str, Any],
    gap: int,
    name: str,
    systems: dict[str, tuple[str, ...]] | None = None,
) -> list[Segment]:
    """Segments (trajectory, part, start, stop).

    Args:
        accepted: rows of the manifest, in key order (``system``, ``parameter_index`` and ``length`` are read).
        split: ``by`` is one of ``WAYS``: ``initial_condition`` and ``parameter`` take counts as ``train``,
            ``validation`` and ``test``, ``time`` takes shares, ``system`` is explained at :func:`parts_of_systems`.
        gap: context + horizon.
        name: of the dataset, for messages.
        systems: of a dataset of many, parents by name of every system, accepted or not; None where there is one system,
            which must have as many valid trajectories as the split asks for.

    Raises:
        ConfigError: an unknown way to split, or numbers that cannot work.
        DataError: too few or too short trajectories.
    """
    by = split.get("by")
    if by not in WAYS:
        raise ConfigError(f"dataset '{name}': {unknown('way to split', str(by), WAYS)}")
    if systems is None:
        return _of_one(list(range(len(accepted))), accepted, split, gap, name, lenient=False)
    members: dict[str, list[int]] = {}
    for i, row in enumerate(accepted):
        members.setdefault(row["system"], []).append(i)
    segments: list[Segment] = []
    if by != "system":
        for own in members.values():
            segments += _of_one(own, accepted, split, gap, name, lenient=True)
    else:
        parts, within = parts_of_systems(systems, split, name), split.get("within")
        for system, own in members.items():
            part = parts[system]
            if part == "train" and within is not None:
                segments += _of_one(own, accepted, within, gap, name, lenient=True)
            elif part is not None:
                segments += [(i, part, 0, accepted[i]["length"]) for i in own]
    for part in _asked(split):
        if not any(s[1] == part for s in segments):
            raise DataError(f"dataset '{name}': the split by {by} leaves nothing to the {part} part")
    return segments


def parts_of_systems(systems: dict[str, tuple[str, ...]], split: dict[str, Any], name: str) -> dict[str, str | None]:
    """Part of each system for a split by system, None where it is left out; known without any data.

    Args:
        systems: parents by name of system, () for a system without.
        split: ``test_fraction``, or ``test`` and ``train`` as numbers or lists of names, with ``seed`` (see
            ``system_split.divided``). They concern systems without parents: the dataset's and those behind its products,
            or, ``among: dysts``, all of dysts, so that datasets made of them hold out the same ones. ``mixed`` says what
            becomes of a product with one tested parent: test, or unused. Of the training systems ``validation_fraction`` validate, unless ``within`` divides each of them by itself.
        name: of the dataset, for messages.

    Raises:
        ConfigError: an unknown key or name, or numbers that cannot work.
    """
    for key in split:
        if key not in _BY_SYSTEM:
            raise ConfigError(f"dataset '{name}': {unknown('key of a split by system', str(key), _BY_SYSTEM)}")
    among = split.get("among") or "dataset"
    if among not in ("dataset", "dysts"):
        raise ConfigError(f"dataset '{name}': {unknown('choice of split.among', str(among), ['dataset', 'dysts'])}")
    own = list(dict.fromkeys(f for s, parents in systems.items() for f in parents or (s,)))
    mixed = split.get("mixed") or "test"
    if mixed not in _MIXED:
        raise ConfigError(f"dataset '{name}': {unknown('choice of split.mixed', str(mixed), _MIXED)}")
    names = own if among == "dataset" else _of_dysts()
    chosen = {k: v for k, v in split.items() if k in ("train", "test", "test_fraction", "seed") and v is not None}
    try:
        trained, tested = divided(names, chosen if len(chosen.keys() - {"seed"}) else chosen | {"test_fraction": 0.0})
        share = float(split.get("validation_fraction") or 0.0)
        if share and split.get("within") is not None:
            raise ConfigError("split: give validation_fraction or within, not both")
        trained, validated = split_systems(trained, share, int(split.get("seed") or 0) + 1)
    except ConfigError as e:
        raise ConfigError(f"dataset '{name}', {e}") from e
    part = dict.fromkeys(trained, "train") | dict.fromkeys(validated, "validation") | dict.fromkeys(tested, "test")
    found = {s: [part.get(f) for f in parents or (s,)] for s, parents in systems.items()}
    return {s: _strictest(parts, _MIXED[mixed]) for s, parts in found.items()}


def _of_dysts() -> list[str]:
    return [e.name for e in catalogue.entries().values() if e.kind in ("flow", "delay")]


def _strictest(parts: list[str | None], mixed: str | None) -> str | None:
    """Test where all parents are tested, ``mixed`` where one is, train only where all are trained on."""
    if "test" in parts:
        return "test" if set(parts) == {"test"} else mixed
    if None in parts:
        return None
    return "validation" if "validation" in parts else "train"


def _of_one(
    own: list[int], rows: Sequence[dict[str, Any]], split: dict[str, Any], gap: int, name: str, lenient: bool
) -> list[Segment]:
    """Segments of one system's trajectories ``own``, by initial condition, parameter set or time."""
    by = split.get("by")
    for key in split:
        if key not in ("by", *PARTS):
            raise ConfigError(f"dataset '{name}': {unknown('key of a split', str(key), ['by', *PARTS])}")
    if by == "time":
        shares = _shares(split, name)
        return [(i, *block) for i in own for block in blocks(rows[i]["length"], shares, gap, name)]
    if by not in ("initial_condition", "parameter"):
        raise ConfigError(f"dataset '{name}': {unknown('way to split one system', str(by), WAYS[1:])}")
    groups: dict[int, list[int]] = {}
    for n, i in enumerate(own):
        groups.setdefault(rows[i]["parameter_index"] if by == "parameter" else n, []).append(i)
    counts = _counts(split, len(groups), by, name, lenient)
    parts = [p for p, n in zip(PARTS, counts, strict=True) for _ in range(n)]
    found = zip(parts, groups.values(), strict=False)
    return [(i, part, 0, rows[i]["length"]) for part, group in found for i in group]


def _counts(split: dict[str, Any], there: int, by: str, name: str, lenient: bool) -> list[int]:
    asked = [split.get(p) for p in PARTS]
    fixed = [int(n) for n in asked if n is not None]
    if min(fixed, default=0) < 0 or len(fixed) < 2:
        raise ConfigError(f"dataset '{name}': a split needs counts, at most one of them null, found {asked}")
    if sum(fixed) > there and not lenient:
        what = "trajectories" if by == "initial_condition" else "parameter sets"
        raise DataError(f"dataset '{name}': the split needs {sum(fixed)} {what}, {there} are valid")
    return [max(0, there - sum(fixed)) if n is None else int(n) for n in asked]


def _asked(split: dict[str, Any]) -> list[str]:
    """Parts that must not stay empty."""
    if split["by"] != "system":
        return [p for p in PARTS if split.get(p) is None or float(split[p]) > 0]
    return [] if split.get("test") == [] or split.get("test_fraction") == 0 else ["test"]


def _shares(split: dict[str, Any], name: str) -> list[float]:
    shares = [float(split.get(p) or 0.0) for p in PARTS]
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ConfigError(f"dataset '{name}': the shares of a split in time must add up to 1, found {shares}")
    return shares


def blocks(length: int, shares: list[float], gap: int, name: str) -> list[tuple[str, int, int]]:
    """Consecutive blocks (part, start, stop) of one trajectory, ``gap`` samples apart.

    Raises:
        DataError: it is too short for them.
    """
    used = [k for k, share in enumerate(shares) if share > 0]
    usable = length - gap * (len(used) - 1)
    if shares[2] > 0 and shares[2] * usable < gap:
        needed = gap * (len(used) - 1) + int(gap / shares[2]) + 1
        raise DataError(
            f"dataset '{name}': a trajectory of {length} samples is too short to be split in time: the test block must "
            f"hold context + horizon = {gap} samples and the blocks keep that distance, so {needed} samples are needed"
        )
    if usable < len(used):
        raise DataError(f"dataset '{name}': {length} samples leave nothing beside gaps of {gap}")
    found, start, share = [], 0, 0.0
    for n, k in enumerate(used):
        share += shares[k]
        stop = length if k == used[-1] else int(usable * share) + gap * n
        found.append((PARTS[k], start, stop))
        start = stop + gap
    return found
