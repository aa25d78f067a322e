"""Ways to divide trajectories into training, validation and test parts.

One system
    By initial condition: accepted trajectories in the order of their keys fill train, then validation, then test, whole;
    what is left over stays unused. By parameter set: the same with all trajectories of a set together. By time: each
    trajectory is cut into consecutive blocks with a gap of context + horizon samples between them, so that no window of
    one block can touch, or directly continue, another.

Many systems
    By system: some systems are tested, the others train and validate. A skew product is tested where its driver or its
    response is. All other ways act on each system by itself; a count of null takes what the other parts leave, and a
    system with too few valid trajectories fills the parts in order as far as it reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from strangecast.core.errors import ConfigError, DataError, unknown

PARTS = ("train", "validation", "test")
WAYS = ("system", "parameter", "initial_condition", "time")
Segment = tuple[int, str, int, int]
_BY_SYSTEM = {"by", "test_fraction", "validation_fraction", "seed", "test", "validation", "within"}


def divide(accepted: Sequence[dict[str, Any]], split: dict[str, Any], gap: int, name: str, many: bool) -> list[Segment]:
    """Segments (trajectory, part, start, stop).

    Args:
        accepted: rows of the manifest, in key order (``system``, ``parents``, ``parameter_index``, ``length`` are read).
        split: ``by`` is one of ``WAYS``; see :func:`assign` and :func:`parts_of_systems` for the other keys.
        gap: context + horizon.
        name: of the dataset, for messages.
        many: whether it holds many systems; one system must have as many valid trajectories as the split asks for.

    Raises:
        ConfigError: an unknown way to split, or numbers that cannot work.
        DataError: too few or too short trajectories.
    """
    by = split.get("by")
    if by not in WAYS:
        raise ConfigError(f"dataset '{name}': {unknown('way to split', str(by), WAYS)}")
    if not many:
        return _of_one(list(range(len(accepted))), accepted, split, gap, name, lenient=False)
    systems: dict[str, list[int]] = {}
    for i, row in enumerate(accepted):
        systems.setdefault(row["system"], []).append(i)
    segments: list[Segment] = []
    if by != "system":
        for own in systems.values():
            segments += _of_one(own, accepted, split, gap, name, lenient=True)
    else:
        parts = parts_of_systems({s: tuple(accepted[own[0]]["parents"]) for s, own in systems.items()}, split, name)
        within = split.get("within")
        for system, own in systems.items():
            if parts[system] == "train" and within is not None:
                segments += _of_one(own, accepted, within, gap, name, lenient=True)
            else:
                segments += [(i, parts[system], 0, accepted[i]["length"]) for i in own]
    for part in _asked(split):
        if not any(s[1] == part for s in segments):
            raise DataError(f"dataset '{name}': the split by {by} leaves nothing to the {part} part")
    return segments


def parts_of_systems(systems: dict[str, tuple[str, ...]], split: dict[str, Any], name: str) -> dict[str, str]:
    """Part of each system for a split by system.

    Args:
        systems: parents by name of system, () for a system without.
        split: ``test`` (names, of systems or of parents) or ``test_fraction`` with ``seed``; likewise ``validation`` or
            ``validation_fraction`` of what the test leaves, unless ``within`` divides the training systems further.
        name: of the dataset, for messages.

    Raises:
        ConfigError: an unknown key or name, or a share outside 0 to 1.
    """
    for key in split:
        if key not in _BY_SYSTEM:
            raise ConfigError(f"dataset '{name}': {unknown('key of a split by system', str(key), _BY_SYSTEM)}")
    founders = sorted({f for s, parents in systems.items() for f in parents or (s,)})
    seed = int(split.get("seed") or 0)
    rest, tested = _chosen(founders, systems, split, "test", seed, name)
    validated: set[str] = set()
    if split.get("within") is None:
        validated = _chosen(rest, systems, split, "validation", seed + 1, name)[1]
    found = {}
    for system, parents in systems.items():
        related = {system, *parents}
        found[system] = "test" if related & tested else "validation" if related & validated else "train"
    return found


def _chosen(
    names: list[str], systems: dict[str, tuple[str, ...]], split: dict[str, Any], part: str, seed: int, dataset: str
) -> tuple[list[str], set[str]]:
    """``names`` without those that ``part`` takes, and those that it takes."""
    listed, share = split.get(part), split.get(f"{part}_fraction")
    if listed is not None and share is not None:
        raise ConfigError(f"dataset '{dataset}': give {part} (names) or {part}_fraction, not both")
    if listed is not None:
        allowed = {*systems, *(p for parents in systems.values() for p in parents)}
        for one in listed:
            if one not in allowed:
                raise ConfigError(f"dataset '{dataset}': {part}: {unknown('system', str(one), allowed)}")
        return [n for n in names if n not in listed], set(listed)
    from strangecast.data.system_split import split_systems

    rest, taken = split_systems(names, float(share or 0.0), seed)
    return list(rest), set(taken)


def assign(lengths: list[int], split: dict[str, Any], gap: int, name: str) -> list[Segment]:
    """Segments for trajectories of one system of the given lengths.

    Args:
        lengths: samples of each accepted trajectory, in key order.
        split: ``{by: initial_condition, train, validation, test}`` with counts, or ``{by: time, ...}`` with shares.
        gap: context + horizon, the distance between blocks when one trajectory is cut in time.
        name: of the dataset, for messages.

    Raises:
        ConfigError: another way to split, or shares that cannot work.
        DataError: too few or too short trajectories.
    """
    if split["by"] not in ("initial_condition", "time"):
        ways = ["initial_condition", "parameter", "time"]
        raise ConfigError(f"dataset '{name}': {unknown('way to split one system', str(split['by']), ways)}")
    rows = [{"length": n, "parameter_index": 0} for n in lengths]
    return _of_one(list(range(len(rows))), rows, split, gap, name, lenient=False)


def _of_one(
    own: list[int], rows: Sequence[dict[str, Any]], split: dict[str, Any], gap: int, name: str, lenient: bool
) -> list[Segment]:
    """Segments of one system's trajectories ``own``, by initial condition, parameter set or time."""
    by = split.get("by")
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
    asked = [split[p] for p in PARTS]
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
    tested = bool(split.get("test")) or float(split.get("test_fraction") or 0) > 0
    return ["train", "test"] if tested else ["train"]


def _shares(split: dict[str, Any], name: str) -> list[float]:
    shares = [float(split[p]) for p in PARTS]
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
