"""How often each validity test rejects catalogued flows at their default parameters.

``python -m strangecast.systems.validity.rates TESTS.yaml [TESTS.yaml ...]`` integrates every flow from several initial
conditions, measures its largest exponent, judges all trajectories by the tests of each file (such as those of
``conf/validity/``), and prints tables in Markdown. docs/validity.md holds its output. A rejection is called false where
the exponent of the flow is positive by two standard errors.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from strangecast.systems import catalogue
from strangecast.systems.attractor import Start
from strangecast.systems.base import System
from strangecast.systems.integrate import Solver
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.load import load_system
from strangecast.systems.lyapunov import Exponent, largest_exponent
from strangecast.systems.validity.lyapunov_sign import lyapunov_sign
from strangecast.systems.validity.panel import Known, check, run_panel
from strangecast.systems.validity.record import Record
from strangecast.systems.validity.verdict import Verdict


@dataclass(frozen=True)
class Sampling:
    """How trajectories are made: ``turns`` of ``per_turn`` samples, after at least ``transient`` turns."""

    turns: float = 32.0
    per_turn: float = 128.0
    transient: float = 20.0


@dataclass(frozen=True)
class Flow:
    """What was found of one flow.

    Attributes:
        name: of the catalogue.
        exponent, error: largest exponent and its standard error, per period.
        verdicts: of each trajectory, by set of tests and by test.
    """

    name: str
    exponent: float
    error: float
    verdicts: list[dict[str, dict[str, Verdict]]]

    @property
    def chaotic(self) -> bool:
        """Whether the exponent is positive beyond doubt."""
        return self.exponent == self.exponent and lyapunov_sign(self.exponent, self.error).passed


def judged(
    sets: dict[str, dict[str, Any]], names: Iterable[str], count: int, sampling: Sampling, periods: float
) -> Iterator[Flow]:
    """Each flow with the verdicts on its trajectories that finished.

    Args:
        sets: thresholds by test, by name of the set.
        names: of flows.
        count: initial conditions of each.
        sampling: of the trajectories.
        periods: over which exponents are measured.
    """
    for tests in sets.values():
        check(tests)
    for name in names:
        system = load_system(name)
        found: Exponent = largest_exponent(system, system.values, periods=periods)
        verdicts = []
        for i, values in trajectories(system, count, sampling):
            record = Record(values)
            known = Known((name, i), found.value, found.standard_error)
            verdicts.append({label: run_panel(record, tests, known) for label, tests in sets.items()})
        yield Flow(name, found.value * system.period, found.standard_error * system.period, verdicts)


def trajectories(system: System, count: int, sampling: Sampling) -> Iterator[tuple[int, np.ndarray]]:
    """Number and samples [T, C] of trajectories from keyed initial conditions on the attractor."""
    draws = [Start().draw(system, 0, i, sampling.transient) for i in range(count)]
    states, ends = np.array([state for state, _ in draws]), np.array([time for _, time in draws])
    same = {"solver": Solver(), "bounded": system.bounded, "period": system.period}
    away = integrate_ensemble(system.graph, states, (0.0, ends, 2), system.values, **same)
    kept = np.flatnonzero(away.finished)
    grid = np.arange(int(sampling.turns * sampling.per_turn)) * system.period / sampling.per_turn
    made = integrate_ensemble(system.graph, away.states[kept, 1], grid, system.values, **same)
    for i, k in enumerate(kept):
        if made.finished[i]:
            yield int(k), np.ascontiguousarray(system.observe(made.states[i], system.values))


def table(flows: list[Flow], label: str) -> str:
    """Markdown for one set: rejected trajectories by test, false ones among them, and of which flows those are."""
    total = sum(len(f.verdicts) for f in flows)
    chaotic = sum(len(f.verdicts) for f in flows if f.chaotic)
    names = list(next(f for f in flows if f.verdicts).verdicts[0][label])
    lines = ["| test | rejected | | false | | of the flows |", "|---|---:|---:|---:|---:|---|"]
    for test in [*names, None]:
        rejected = Counter({f.name: sum(_rejects(v[label], test) for v in f.verdicts) for f in flows})
        false = {f.name: rejected[f.name] for f in flows if f.chaotic and rejected[f.name]}
        wrong = sum(false.values())
        shown = ", ".join(f"{name} {k}" for name, k in sorted(false.items(), key=lambda x: (-x[1], x[0])))
        row = f"| {'any' if test is None else f'`{test}`'} | {rejected.total()} | {rejected.total() / total:.1%} "
        lines.append(row + f"| {wrong} | {wrong / max(chaotic, 1):.1%} | {shown} |")
    return "\n".join(lines)


def _rejects(verdicts: dict[str, Verdict], test: str | None) -> bool:
    """Whether a test, or any, failed."""
    if test is None:
        return not all(v.passed for v in verdicts.values())
    return not verdicts[test].passed


def main() -> None:
    """Parse, measure, print."""
    import yaml

    parser = argparse.ArgumentParser(prog="python -m strangecast.systems.validity.rates", description=__doc__)
    parser.add_argument("tests", type=Path, nargs="+", help="YAML of thresholds by test")
    parser.add_argument("--systems", nargs="+", help="default: every flow of the catalogue")
    parser.add_argument("--count", type=int, default=16, help="initial conditions of each flow")
    parser.add_argument("--turns", type=float, default=32.0)
    parser.add_argument("--per-turn", type=float, default=128.0)
    parser.add_argument("--periods", type=float, default=2000.0, help="over which exponents are measured")
    options = parser.parse_args()
    sets = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in options.tests}
    names = options.systems or [e.name for e in catalogue.entries().values() if e.kind == "flow"]
    sampling = Sampling(options.turns, options.per_turn)
    flows = list(judged(sets, names, options.count, sampling, options.periods))
    total, positive = sum(len(f.verdicts) for f in flows), [f for f in flows if f.chaotic]
    print(f"{total} trajectories of {len(flows)} flows, {sampling.turns:g} turns of {sampling.per_turn:g} samples.")
    print(f"{sum(len(f.verdicts) for f in positive)} of {len(positive)} flows with a positive exponent. Without:\n")
    print("| flow | exponent per period |\n|---|---:|")
    for flow in flows:
        if not flow.chaotic:
            print(f"| {flow.name} | {flow.exponent:.4f} ± {flow.error:.4f} |")
    for label in sets:
        print(f"\n{label}:\n\n{table(flows, label)}")


if __name__ == "__main__":
    main()
