"""What metrics cost: peak memory, a study's score jobs, one forecast of the long-term ones."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.metric_cases.folder import SUITE, build
from benchmarks.metric_cases.series import cpu, flat, lorenz
from benchmarks.table import Row, row
from strangecast.evaluation.metric_option import ATTRACTOR, SAMPLES, metric_option
from strangecast.evaluation.score import score_block
from strangecast.metrics.spearman import spearman
from strangecast.workflow.compose import Registry

BUDGET = 20.0  # seconds for the scoring of a study's windows
GIGABYTE = 1000.0  # MB

SERIES = """
import os
import numpy as np
import {modules}
x, y = np.random.default_rng(0).standard_normal((2, {n}, 10)).cumsum(axis=1) % 7
{call}
print(open("/proc/self/status").read() if os.path.exists("/proc/self/status") else "")
"""
MEASURED = {
    "gp_dimension": ("strangecast.metrics.gp_dimension as m", "m.gp_dimension(x)"),
    "correlation_dimension": ("strangecast.metrics.correlation_dimension as m", "m.correlation_dimension(x, 50)"),
    "lyapunov": ("strangecast.metrics.lyapunov_rosenstein as m", "m.lyapunov_rosenstein(x, 0.01, 50)"),
    "d_stsp_gmm": ("strangecast.metrics.d_stsp_gmm as m", "m.mixture_divergence(x, y)"),
    "d_stsp_gmm_local": ("strangecast.metrics.d_stsp_gmm as m", "m.mixture_divergence(x, y, None)"),
    "d_stsp_bins30": ("strangecast.metrics.d_stsp_bins as m", "m.bins_divergence(x, y)"),
    "hellinger": ("strangecast.metrics.spectrum as m", "m.hellinger(*(m.shares(m.power(z), 20.0) for z in (x, y)))"),
}


def peak(modules: str, call: str, n: int) -> float:
    """Peak memory of a process in MB, imports and compiled code included."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERIES.format(modules=modules, n=n, call=call)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{call} failed")
    # The usage of a child begins with what its parent held; Linux also says what the program itself did.
    own = re.search(r"VmHWM:\s+(\d+) kB", printed)
    return (float(own[1]) if own else usage.ru_maxrss) / 1024


def memory(quick: bool) -> list[Row]:
    """Each measure of attractors in a process of its own."""
    n = 300 if quick else 10_000
    rows = [row(f"memory_{name}", "a gigabyte", peak(*how, n), GIGABYTE, "MB") for name, how in MEASURED.items()]
    ours = {r.case: r.ours for r in rows}
    for name, call in (("gp_dimension", "m.gp_dim(x)"), ("lyapunov", "m.max_lyapunov_exponent_rosenstein(x)")):
        theirs = peak("dysts.analysis as m", call, n)
        rows.append(row(f"memory_{name}", "dysts", ours[f"memory_{name}"], theirs, "MB"))
    return rows


def scoring(quick: bool) -> list[Row]:
    """Whole score jobs in two processes: reading, every metric of one time, and writing."""
    size = (
        {"systems": 2, "windows": 2, "emulators": 2, "horizon": 64}
        if quick
        else {"systems": 40, "windows": 6, "emulators": 15, "horizon": 512}
    )
    registry = Registry()
    metrics = {name: registry.option("metric", name, "laptop") for name in registry.names("metric")}
    metrics = {n: c for n, c in metrics.items() if c.get("kind") != ATTRACTOR and c.get("of") != SAMPLES}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        blocks = build(root, metrics, **size)
        with get_context("spawn").Pool(2) as pool:
            pool.map(_warm, range(2), chunksize=1)
            start = time.perf_counter()
            seconds = pool.starmap(_score, [(block, root) for block in blocks], chunksize=1)
            wall = time.perf_counter() - start
    what = "{systems} systems x {windows} windows x {emulators} emulators".format(**size)
    note = f"{what}, {len(metrics)} metrics, 8 prefixes; CPU seconds of both processes together: {sum(seconds):.3g}"
    return [
        row("scoring_wall", "budget on 2 cores", wall, BUDGET, "s", note=note),
        row("scoring_cpu", "budget on 2 cores", sum(seconds) / 2, BUDGET, "s", note="half of the CPU seconds"),
    ]


def _warm(_: int) -> None:
    """Load what is compiled."""
    rng = np.random.default_rng(0)
    spearman(rng.standard_normal((1, 9, 2)), rng.standard_normal((1, 1, 9, 2)), flat(1, 2))


def _score(block: dict, root: Path) -> float:
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        score_block(block, root, SUITE, reuse=False)
    return time.process_time() - start


def cost(quick: bool) -> list[Row]:
    """One forecast at 3584 samples, against the same metric at 10,000; what is needed of the truth included."""
    short, long = (200, 400) if quick else (3584, 10_000)
    registry, rows = Registry(), []
    for name in registry.names("metric"):
        metric = metric_option(name, registry.option("metric", name, "laptop"))
        if metric.kind != ATTRACTOR:
            continue
        seconds = [
            cpu(partial(metric.function, lorenz(n)[None], lorenz(n, 2000)[None, None], flat(1, 3)))[0]
            for n in (short, long)
        ]
        rows.append(row(f"cost_{name}", f"{long} samples", 1e3 * seconds[0], 1e3 * seconds[1], "ms", note=f"{short}"))
    return rows
