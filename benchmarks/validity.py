"""Cost of validity tests per trajectory, against ``dysts.attractor`` with statsmodels on the same arrays.

Sixteen flows at default parameters and the same with parameters perturbed by 30 %, sampled as Panda samples them: 5120
points over 40 periods, of which 3892 are left after both of its cuts. Every test runs on every trajectory on both
sides, with Panda's thresholds, whether an earlier one failed or not, and both must accept the same trajectories. (Single
verdicts may differ on a record that is at rest: theirs judge what the solver left of noise.) Medians of CPU time over
trajectories, one thread, compiled code warm.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import strangecast
from benchmarks.table import Row, main, row
from strangecast.core.streams import stream
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.load import load_system
from strangecast.systems.validity.kind import kind
from strangecast.systems.validity.panel import Known, run_panel

SYSTEMS = (
    "Lorenz", "Rossler", "Chua", "Thomas", "Halvorsen", "Aizawa", "Hopfield", "ForcedVanDerPol", "HyperRossler",
    "LorenzCoupled", "DoublePendulum", "MacArthur", "SprottA", "HindmarshRose", "DequanLi", "CellCycle",
)  # fmt: skip
PERTURBATION = 0.3
CONF = Path(strangecast.__file__).parent / "conf" / "validity"


def trajectories(systems: tuple[str, ...]) -> dict[str, np.ndarray]:
    """[T, C] by name; perturbed ones that do not finish are drawn again."""
    found = {}
    for name in systems:
        system = load_system(name)
        grid = np.linspace(0.0, 40.0, 5120) * system.period
        for label in ("default", "perturbed"):
            for attempt in range(20):
                draw = stream("benchmark", name, attempt).standard_normal(len(system.values))
                values = system.values * (1 + PERTURBATION * draw * (label == "perturbed"))
                made = integrate_ensemble(
                    system.graph, system.initial_condition[None], grid, values,
                    bounded=system.bounded, period=system.period,
                )  # fmt: skip
                if made.finished.all():
                    kept = system.observe(made.states[0], values)[1024:]
                    found[f"{name} {label}"] = np.ascontiguousarray(kept[int(0.05 * len(kept)) :])
                    break
    return found


def peers() -> dict[str, Callable[[np.ndarray], bool]]:
    """The peer's tests [C, T] -> passed, with the thresholds of Panda's data scripts."""
    from dysts import attractor as a

    return {
        "not_linear": lambda x: a.check_not_linear(x, 0.99),
        "boundedness": lambda x: a.check_boundedness(x, 1e4, 15),
        "fixed_point": lambda x: a.check_not_fixed_point(x, 0.1, 1e-3),
        "zero_one": lambda x: a.check_zero_one_test(x, 0.2, "score"),
        "power_spectrum": lambda x: a.check_power_spectrum(x, 1e-5, 1e-5, 4),
        "stationarity": lambda x: a.check_stationarity(x, 0.05),
        "limit_cycle": lambda x: a.check_not_limit_cycle(x, 1e-3, 0.1, 200, 50, 1, True),
    }


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds and result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def measure(quick: bool) -> list[Row]:
    """Time both sides on 32 trajectories (quick: 4)."""
    panda, default = (
        yaml.safe_load((CONF / f"{name}.yaml").read_text(encoding="utf-8")) for name in ("panda", "default")
    )
    arrays = trajectories(SYSTEMS[:2] if quick else SYSTEMS)
    theirs = peers()
    warnings.simplefilter("ignore")  # after the import of statsmodels, which has its own opinion
    default_set = [test for test in theirs if test != "limit_cycle"]
    own = {test: {test: panda[test]} for test in default_set} | {"limit_cycle": {"limit_cycle": default["limit_cycle"]}}
    run_panel(next(iter(arrays.values())), panda | default)
    kind(next(iter(arrays.values())))
    np.random.seed(0)
    ours_s: dict[str, list[float]] = {}
    theirs_s: dict[str, list[float]] = {}
    agree = dict.fromkeys(theirs, 0)
    accepted = []
    for name, values in arrays.items():
        x = np.ascontiguousarray(values.T)
        known = Known(key=(name,))
        passes: tuple[list[bool], list[bool]] = ([], [])
        for test, check in theirs.items():
            t, passed = seconds(lambda check=check, x=x: check(x))
            theirs_s.setdefault(test, []).append(t)
            t, verdicts = seconds(lambda test=test, values=values, known=known: run_panel(values, own[test], known))
            ours_s.setdefault(test, []).append(t)
            agree[test] += verdicts[test].passed == bool(passed)
            if test in default_set:
                passes[0].append(verdicts[test].passed)
                passes[1].append(bool(passed))
        accepted.append((all(passes[0]), all(passes[1])))
        together = {test: panda[test] for test in default_set}
        ours_s.setdefault("default_set", []).append(seconds(lambda: run_panel(values, together, known))[0])  # noqa: B023
        ours_s.setdefault("own_set", []).append(seconds(lambda: run_panel(values, default, known))[0])  # noqa: B023
        ours_s.setdefault("kind", []).append(seconds(lambda: kind(values))[0])  # noqa: B023
    odd = [name for name, (a, b) in zip(arrays, accepted, strict=True) if a != b]
    if odd:
        raise RuntimeError(f"the two sides do not accept the same trajectories: {odd}")
    reference = np.sum([theirs_s[test] for test in default_set], axis=0)
    peer = "dysts.attractor"
    n = len(arrays)
    rows = [
        row("default_set", peer, *_medians(ours_s["default_set"], reference), "ms",
            note=f"six tests of Panda, its thresholds; the same {sum(a for a, _ in accepted)} of {n} accepted; "
            f"by sums over trajectories {sum(reference) / sum(ours_s['default_set']):.0f}"),
        row("own_set", peer, *_medians(ours_s["own_set"], reference), "ms", note="our eleven tests against its six"),
        row("kind", peer, *_medians(ours_s["kind"], reference), "ms", note="kind of attractor against its six tests"),
    ]  # fmt: skip
    for test in theirs:
        note = f"verdicts agree on {agree[test]} of {n}"
        if test == "limit_cycle":
            note += "; different tests"
        rows.append(row(test, peer, *_medians(ours_s[test], theirs_s[test]), "ms", note=note))
    return rows


def _medians(ours: Any, theirs: Any) -> tuple[float, float]:
    """Milliseconds."""
    return 1e3 * float(np.median(ours)), 1e3 * float(np.median(theirs))


if __name__ == "__main__":
    main("validity", measure)
