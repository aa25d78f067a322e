"""Every metric against the implementation of its definition."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.metric_cases.series import DT, TOLERANCE, compared, flat, lorenz
from benchmarks.references import attractor, ensemble, pointwise
from benchmarks.table import Row
from strangecast.core.streams import stream
from strangecast.evaluation.metric_option import SAMPLES, metric_option
from strangecast.metrics import d_stsp_gmm
from strangecast.metrics.correlation_dimension import correlation_dimension
from strangecast.metrics.d_stsp_bins import bins_divergence
from strangecast.metrics.gp_dimension import gp_dimension
from strangecast.metrics.hellinger_smoothed import hellinger_smoothed
from strangecast.metrics.lyapunov_rosenstein import lyapunov_rosenstein, lyapunov_rosenstein_dysts
from strangecast.metrics.scale import Scale, window_scale
from strangecast.workflow.compose import Registry


def _one(metric: Callable, truth: np.ndarray, given: np.ndarray, scale: Scale) -> float:
    """The only value of a metric of one forecast of one window."""
    return float(metric(truth, given, scale)[0, 0])


def equal_pointwise(quick: bool) -> list[Row]:
    """Pointwise metrics and scores of samples, of one window of each kind of data."""
    H, T, N = (40, 30, 6) if quick else (512, 512, 20)
    registry, rows = Registry(), []
    for kind in ("random", "chaotic"):
        random = stream("benchmark", kind)
        series = random.standard_normal((T + H, 3)).cumsum(axis=0) if kind == "random" else lorenz(T + H)
        context, truth = series[:T], series[T:]
        mean, std = series.mean(axis=0), series.std(axis=0)
        growth = np.exp(np.linspace(-4, 1, H))[:, None] * std
        samples = truth + growth * random.standard_normal((N, H, 3))
        forecast = samples[0]
        scale = window_scale(context[None], mean[None], std[None], np.full(1, DT), np.full(1, 0.9))
        unit = float(scale.lyapunov_steps[0])
        direct = {
            "mse": partial(pointwise.mse, truth, forecast),
            "mae": partial(pointwise.mae, truth, forecast),
            "rmse": partial(pointwise.rmse, truth, forecast),
            "nrmse": partial(pointwise.nrmse, truth, forecast, std),
            "smape": partial(pointwise.smape, truth, forecast),
            "mase_lag1": partial(pointwise.mase, truth, forecast, context, 1),
            "mase10": partial(pointwise.mase, truth, forecast, context, 1, 10),
            "mase10_dynamix": partial(pointwise.mase_dynamix, truth, forecast, 10),
            "r2": partial(pointwise.r2, truth, forecast),
            "r2_pooled": partial(pointwise.r2_pooled, truth, forecast),
            "spearman": partial(pointwise.spearman, truth, forecast),
            "gmean_nrmse": partial(pointwise.gmean_nrmse, truth, forecast, std),
            "pe20": partial(pointwise.n_step_error, truth, forecast, std, 20),
            "valid_prediction_time": partial(pointwise.valid_prediction_time, truth, forecast, std, 0.4, unit),
            "correlation_time": partial(pointwise.correlation_time, truth, forecast, mean, std, 0.8, unit),
            "crps": partial(ensemble.crps, truth, samples),
            "energy_score": partial(ensemble.energy_score, truth, samples),
            "quantile_loss": partial(ensemble.quantile_loss, truth, samples, np.arange(1, 10) / 10),
            "coverage80_error": partial(ensemble.coverage_error, truth, samples, 0.8),
            "spread_skill_error": partial(ensemble.spread_skill_error, truth, samples),
        }
        for name, theirs in direct.items():
            metric = metric_option(name, registry.option("metric", name, "laptop"))
            given = samples[:, None, None] if metric.of == SAMPLES else forecast[None, None]
            rows.append(
                compared(
                    f"equal_{name}/{kind}", "definition", partial(_one, metric.function, truth[None], given, scale),
                    theirs, tolerance=TOLERANCE,
                )
            )  # fmt: skip
    return rows


def equal_attractors(quick: bool) -> list[Row]:
    """Measures of attractors against every cell, density and distance written out."""
    n = 150 if quick else 500
    rows = []
    for kind in ("random", "chaotic"):
        random = stream("benchmark", "attractor", kind)
        noise = random.standard_normal((2, n, 3))
        truth, mine = noise if kind == "random" else (lorenz(n), lorenz(n, 3 * n) + 0.05 * noise[1])
        drawn = d_stsp_gmm.draws(truth, 1000, 0.3)
        pairs = {
            **{
                f"d_stsp_bins30_{definition}": (
                    partial(bins_divergence, truth, mine, 30, 1e-5, definition),
                    partial(attractor.bins_divergence, truth, mine, 30, 1e-5, definition),
                )
                for definition in ("counted", "alrnn", "dynamix")
            },
            "d_stsp_gmm": (
                partial(d_stsp_gmm.mixture_divergence, truth, mine),
                partial(attractor.mixture_divergence, drawn, truth, mine, 0.3),
            ),
            "hellinger_smoothed": (
                partial(_one, partial(hellinger_smoothed, width=0.02), truth[None], mine[None, None], flat(1, 3)),
                partial(attractor.hellinger_smoothed, truth, mine, 0.02),
            ),
            "correlation_dimension": (
                partial(correlation_dimension, mine, 12),
                partial(attractor.correlation_dimension, mine, 12, 0.03),
            ),
            "gp_dimension": (partial(gp_dimension, mine), partial(attractor.gp_dimension, mine)),
            "lyapunov": (
                partial(lyapunov_rosenstein, mine, DT, 12),
                partial(attractor.lyapunov_rosenstein, mine, DT, 12),
            ),
            "lyapunov_dysts": (
                partial(lyapunov_rosenstein_dysts, mine, DT, 20),
                partial(attractor.lyapunov_rosenstein_dysts, mine, DT, 20),
            ),
        }
        rows += [
            compared(f"equal_{name}/{kind}", "definition", ours, theirs, tolerance=TOLERANCE)
            for name, (ours, theirs) in pairs.items()
        ]
    return rows
