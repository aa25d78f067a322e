"""Measures of attractors against those that ship with dysts 0.96."""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from benchmarks.metric_cases.series import DT, TOLERANCE, compared, cpu, flat, lorenz
from benchmarks.table import Row, row
from strangecast.metrics import d_stsp_gmm
from strangecast.metrics.correlation_dimension import correlation_dimension
from strangecast.metrics.gp_dimension import gp_dimension
from strangecast.metrics.hellinger_first100 import hellinger_first100
from strangecast.metrics.hellinger_smoothed import hellinger_smoothed
from strangecast.metrics.lyapunov_rosenstein import lyapunov_rosenstein, lyapunov_rosenstein_dysts
from strangecast.metrics.spectrum import mean_period


def against_dysts(quick: bool) -> list[Row]:
    """One number at a time, at the lengths of two protocols."""
    from dysts.analysis import gp_dim, max_lyapunov_exponent_rosenstein
    from dysts.metrics import average_hellinger_distance

    rows = []
    for n in (400,) if quick else (3584, 10_000):
        truth, mine = lorenz(n), lorenz(n, 2000)
        scale, turn = flat(1, 3), mean_period(truth)
        theirs = {
            "gp_dim": partial(gp_dim, mine),
            "rosenstein": partial(max_lyapunov_exponent_rosenstein, mine, tau=DT, trajectory_len=64),
            "hellinger": partial(average_hellinger_distance, truth, mine),
        }
        pair = truth[None], mine[None, None], scale
        cases = [
            ("gp_dimension", "gp_dim", partial(gp_dimension, mine), TOLERANCE),
            ("correlation_dimension", "gp_dim", partial(correlation_dimension, mine, turn), None),
            ("lyapunov_dysts", "rosenstein", partial(lyapunov_rosenstein_dysts, mine, DT, 64), 1e-4),
            ("lyapunov", "rosenstein", partial(lyapunov_rosenstein, mine, DT, turn), None),
            ("hellinger_first100", "hellinger", lambda p=pair: hellinger_first100(*p)[0, 0], TOLERANCE),
            ("hellinger_smoothed", "hellinger", lambda p=pair: hellinger_smoothed(*p)[0, 0], None),
        ]
        rows += [
            compared(f"dysts_{case}/{n}", f"dysts {peer}", ours, theirs[peer], tolerance=tolerance)
            for case, peer, ours, tolerance in cases
        ]
        rows += [dysts_mixture(truth, mine), dysts_hellinger_of_many(n, 3 if quick else 15)]
    return rows


def dysts_mixture(truth: np.ndarray, mine: np.ndarray) -> Row:
    """1000 samples in both; the densities are compared at the same ones, for dysts draws its own."""
    from dysts.metrics import GaussianMixture, estimate_kl_divergence

    few, drawn = truth[:300], d_stsp_gmm.draws(truth, 50, 1.0)
    density = np.exp(d_stsp_gmm.log_density(drawn, few, 1.0))
    error = float(np.abs(density / GaussianMixture(few, 1.0)(drawn) - 1).max())
    if error > TOLERANCE:
        raise RuntimeError(f"d_stsp_gmm: densities are not those of dysts (relative difference {error:.1e})")
    ours, a = cpu(partial(d_stsp_gmm.mixture_divergence, truth, mine, 1.0))
    start = time.process_time()
    b = estimate_kl_divergence(truth, mine, n_samples=1000, sigma_scale=1.0)
    theirs = time.process_time() - start
    return row(
        f"dysts_d_stsp_gmm/{len(truth)}", "dysts estimate_kl_divergence", 1e3 * ours, 1e3 * theirs, "ms",
        error_ours=error, note=f"{a:.3g} here, {b:.3g} there, other draws",
    )  # fmt: skip


def dysts_hellinger_of_many(n: int, members: int) -> Row:
    """Several forecasts of one truth, as a suite has them: its spectrum is computed once."""
    from dysts.metrics import average_hellinger_distance

    truth = lorenz(n)
    mine = np.stack([lorenz(n, 100 * m) for m in range(1, members + 1)])[:, None]
    ours, found = cpu(lambda: hellinger_first100(truth[None], mine, flat(1, 3)), 9)
    theirs, expected = cpu(lambda: [average_hellinger_distance(truth, m[0]) for m in mine], 9)
    error = float(np.abs(found[:, 0] / expected - 1).max())
    if error > TOLERANCE:
        raise RuntimeError(f"hellinger_first100 of many: relative difference {error:.1e}")
    return row(
        f"dysts_hellinger_first100/{n}x{members}", "dysts hellinger", 1e3 * ours, 1e3 * theirs, "ms", error_ours=error
    )  # fmt: skip
