"""CPU time for one trajectory of 4096 points over 40 periods, at equal error, against what people run today.

``panda``: dysts' own integration as Panda calls it. ``dop853``: SciPy with a compiled right-hand side. ``compiled``:
numbalsoda, compiled all through. Ours is taken at the coarsest tolerance whose error after one Lyapunov time is no
larger than the peer's. The row of a case holds geometric means over 25 systems (``integration/problems.py``); a row for
each system follows. Compile time is in none of them: it has its own rows, but for ``skew``, where it is inside.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.integration import peers
from benchmarks.integration.problems import SYSTEMS, Problem, careful, cpu, solver
from benchmarks.table import Row, main, row
from strangecast.core.streams import stream
from strangecast.systems import catalogue
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.lanes.targets import available, choose
from strangecast.systems.load import load_system

PERTURBED = (
    "Lorenz",
    "Rossler",
    "Halvorsen",
    "HyperRossler",
    "HastingsPowell",
    "ForcedFitzHughNagumo",
    "Thomas",
    "Aizawa",
)


def summary(case: str, peer: str, rows: list[Row], note: str = "") -> list[Row]:
    """Geometric means of ``rows`` as one row before them."""
    if not rows:
        return []

    def mean(values: list[float]) -> float | str:
        return float(np.exp(np.mean(np.log(values)))) if all(isinstance(v, float) for v in values) else ""

    ratios = [r.ratio for r in rows]
    spread = f"{min(ratios):.3g} to {max(ratios):.3g}, {len(rows)} systems"
    total = row(
        case, peer, mean([r.ours for r in rows]), mean([r.theirs for r in rows]), "ms",
        error_ours=mean([r.error_ours for r in rows]), error_theirs=mean([r.error_theirs for r in rows]),
        note="; ".join(filter(None, [spread, choose().name, note])),
    )  # fmt: skip
    print(f"{case} against {peer}: {total.ratio:.4g}", flush=True)
    return [total, *rows]


def against(problem: Problem, case: str, peer: str, seconds: float, error: float, note: str = "") -> Row:
    """Ours at an error no larger than the peer's."""
    rtol = problem.as_accurate_as(error)
    return row(
        f"{case}/{problem.system.name}", peer, 1e3 * problem.our_time(rtol), 1e3 * seconds, "ms",
        error_ours=problem.our_errors[rtol], error_theirs=error,
        note="; ".join(filter(None, [f"ours at rtol {rtol:.1e}", note])),
    )  # fmt: skip


def panda(problem: Problem) -> Row:
    """dysts' Radau at rtol 1e-9, of two starts for its error and one for its time."""
    run = peers.panda(problem)
    ends = np.array([run(y, problem.horizon, 2)[-1] for y in problem.starts[:2]])
    seconds, extrapolated = peers.whole(run, problem, problem.starts[0])
    return against(
        problem, "panda", "dysts Radau 1e-9", seconds, problem.error(ends), "theirs timed on an eighth" * extrapolated
    )


def dop853(problem: Problem) -> Row:
    """SciPy's DOP853 at rtol 1e-9."""
    run = peers.scipy_dop853(problem)
    ends = np.array([run(y, problem.horizon, 2)[-1] for y in problem.starts])
    seconds, extrapolated = peers.whole(run, problem, problem.starts[0])
    return against(
        problem, "dop853", "scipy DOP853 1e-9", seconds, problem.error(ends), "theirs timed on an eighth" * extrapolated
    )


def compiled(problem: Problem, method: str) -> Row | None:
    """numbalsoda at rtol 1e-9, where it is installed."""
    run = peers.numbalsoda(problem, method)
    if run is None:
        return None
    error = problem.error(run(problem.starts, problem.horizon, 2)[:, -1])
    some = np.resize(problem.starts, (8, problem.system.dim))
    span = problem.periods * problem.system.period
    seconds = cpu(lambda: run(some, span, problem.points), 3) / len(some)
    return against(problem, "compiled", f"numbalsoda {method} 1e-9", seconds, error)


def perturbed(name: str, count: int, points: int, periods: float) -> Row:
    """Perturbed parameters: a run onto the attractor, then the trajectory, at rtol 1e-12 against Panda's 1e-9.

    Panda finds a start on a trajectory of 4096 points at rtol 1e-6; we run twenty periods.
    """
    system = load_system(name)
    draws = stream("benchmark", "perturbed", name).standard_normal((count, len(system.values)))
    values = system.values * (1 + 0.05 * draws)
    states = np.tile(system.initial_condition, (count, 1))
    span = periods * system.period

    def make() -> int:
        same = {"bounded": system.bounded, "period": system.period}
        first = integrate_ensemble(system.graph, states, (0.0, 20 * system.period, 2), values, careful(1e-12), **same)
        sound = first.finished
        grid = (0.0, span / (points - 1), points)
        path = integrate_ensemble(system.graph, first.states[sound, 1], grid, values[sound], careful(1e-12), **same)
        return int(path.finished.sum())

    kept = make()
    ours = cpu(make, 3) / kept
    chosen = dict(zip(system.parameters, values[0].tolist(), strict=True))
    run = peers.panda(Problem(system, states, points, periods, 1), chosen)
    part = cpu(lambda: run(states[0], span / 8, points // 8, 1e-6, 1e-7)) + cpu(
        lambda: run(states[0], span / 8, points // 8)
    )
    note = f"{kept} of {count} sets finish; theirs timed on an eighth"
    return row(f"perturbed/{name}", "dysts Radau 1e-9", 1e3 * ours, 8e3 * part, "ms", note=note)


def skew(pairs: int, couplings: int, starts: int, points: int, periods: float) -> Iterator[Row]:
    """Skew products, one kernel for each pair, its compilation inside our time."""
    from benchmarks.integration.skew import PAIRS, costs

    for pair in PAIRS[:pairs]:
        found = costs(pair, couplings, starts, points, periods)
        yield row(
            f"skew/{'-'.join(pair)}", "dysts SkewProduct Radau 1e-9", 1e3 * found["ours"], 1e3 * found["theirs"], "ms",
            note=f"{found['finished']} finish, compile time inside; apart {found['apart']:.1e} after a period; theirs timed on an eighth",
        )  # fmt: skip


def end_to_end(count: int, points: int) -> Row:
    """Generate, judge and write Lorenz trajectories; the peer's: Radau, six tests of dysts.attractor, one Arrow file."""
    import pyarrow as pa

    from benchmarks.validity import peers as tests
    from strangecast.data.filtering import filter_dataset
    from strangecast.data.generate import generate_shard
    from strangecast.workflow.by_hand import ByHand

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = [
            "dataset=lorenz63", f"dataset.sampling.length={points}", "dataset.sampling.points_per_period=102.4",
            f"dataset.initial_conditions={count}", f"dataset.shard_size={count}", "dataset.lyapunov=null",
        ]  # fmt: skip

        def ours() -> None:
            generate_shard(plan, made.root, 0)
            filter_dataset(plan, made.root)

        made = ByHand(asked, folder / "results")
        plan = made.dataset_plan()
        ours()
        seconds = cpu(ours, 3) / count
        problem = Problem.of("Lorenz", starts=1, points=points, periods=points / 102.4)
        run, judge = peers.panda(problem), {k: v for k, v in tests().items() if k != "limit_cycle"}

        def theirs() -> None:
            path = run(problem.starts[0], problem.periods * problem.system.period, points)
            for check in judge.values():
                check(np.ascontiguousarray(path.T))
            table = pa.table({"target": [path.ravel()], "target._np_shape": [list(path.shape)]})
            with pa.OSFile(str(folder / "1_T.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)

        return row("end_to_end", "dysts Radau 1e-9, dysts.attractor", 1e3 * seconds, 1e3 * cpu(theirs), "ms",
                   note=f"Lorenz, {count} trajectories of {points} points")  # fmt: skip


COMPILE = """
import sys, time
from strangecast.systems.load import load_system
from strangecast.systems.lanes.ensemble import integrate_ensemble
systems = [load_system(n) for n in sys.argv[2].split(",")]
import numpy as np, numba, llvmlite.binding
begin = time.process_time()
if sys.argv[1] == "lanes":
    for s in systems:
        integrate_ensemble(s.graph, s.initial_condition[None], (0.0, 1e-3 * s.period, 2), s.values)
else:
    from strangecast.systems.numpy_field import bound
    for s in systems:
        bound(s.graph, s.values)(0.0, s.initial_condition)
print(time.process_time() - begin)
"""


def compile_times(names: list[str]) -> list[Row]:
    """All kernels and the loop that feeds them, in a fresh process without and with code on disk.

    The peer compiles the bare right-hand sides by numba, which keeps nothing of functions made from text.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"STRANGECAST_CACHE": f"{folder}/ours", "NUMBA_CACHE_DIR": f"{folder}/numba"}

        def run(what: str) -> float:
            command = [sys.executable, "-c", COMPILE, what, ",".join(names)]
            return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

        first, second, theirs = run("lanes"), run("lanes"), run("numba")
    note = f"{len(names)} flows, {choose().name}"
    return [
        row("compile_first", "numba, right-hand sides alone", first, theirs, "s", note=note),
        row("compile_second", "numba, right-hand sides alone", second, theirs, "s", note=note),
    ]


def paths_and_threads(problem: Problem) -> Iterator[Row]:
    """Lorenz on every path this processor has, and on two threads."""
    states = np.resize(problem.starts, (problem.count, problem.system.dim))
    grid = (0.0, problem.dt, problem.points)

    def work(path: str | None = None, threads: int = 1) -> Callable[[], object]:
        call = lambda: integrate_ensemble(  # noqa: E731
            problem.system.graph, states, grid, problem.system.values, solver(1e-9), path=path, threads=threads
        )
        call()
        return call

    best = cpu(work(), 5) / problem.count
    for path in available()[1:]:
        seconds = cpu(work(path), 3) / problem.count
        yield row(
            f"path/{path}", path, 1e3 * best, 1e3 * seconds, "ms", note=f"Lorenz, rtol 1e-9, ours {choose().name}"
        )
    one, two = (peers.wall(work(threads=n), 5) / problem.count for n in (1, 2))
    yield row("threads_wall", "1 thread", 1e3 * two, 1e3 * one, "ms", note="Lorenz, rtol 1e-9, 2 threads; least of 5")
    one, two = (cpu(work(threads=n), 5) / problem.count for n in (1, 2))
    yield row(
        "threads_cpu", "1 thread", 1e3 * two, 1e3 * one, "ms",
        note="CPU time of both threads: at ratio 1 two free cores take half the time",
    )  # fmt: skip


def measure(quick: bool) -> list[Row]:
    """All cases on 25 systems (quick: on two, short)."""
    names = ("Lorenz", "Rossler") if quick else SYSTEMS
    sizes = {"starts": 2, "points": 128, "periods": 1.25, "count": 8} if quick else {}
    problems = [Problem.of(name, **sizes) for name in names]
    length = {"points": 128, "periods": 1.25} if quick else {"points": 4096, "periods": 40}
    rows = summary("panda", "dysts Radau 1e-9", [panda(p) for p in problems])
    rows += summary("dop853", "scipy DOP853 1e-9", [dop853(p) for p in problems], "their right-hand side compiled")
    for method in ("dop853", "lsoda"):
        found = [r for r in (compiled(p, method) for p in problems) if r is not None]
        if not found:
            print(f"compiled: skipped, numbalsoda with {method} is not installed")
        rows += summary("compiled", f"numbalsoda {method} 1e-9", found)
    rows += summary(
        "perturbed", "dysts Radau 1e-9",
        [perturbed(name, 8 if quick else 64, **length) for name in PERTURBED[: 1 if quick else None]],
        "ours at rtol 1e-12",
    )  # fmt: skip
    if importlib.util.find_spec("strangecast.systems.skew_product") is None:
        print("skew: skipped, there is no strangecast.systems.skew_product")
    else:
        amount = (1, 2, 2) if quick else (6, 8, 4)
        rows += summary("skew", "dysts SkewProduct Radau 1e-9", list(skew(*amount, **length)), "ours at rtol 1e-12")
    rows.append(end_to_end(*(12, 1536) if quick else (64, 4096)))
    flows = [e.name for e in catalogue.entries().values() if e.kind == "flow"]
    rows += compile_times(flows[:3] if quick else flows)
    rows += paths_and_threads(problems[0])
    return rows


if __name__ == "__main__":
    main("integrate", measure)
