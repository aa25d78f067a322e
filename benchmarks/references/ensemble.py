"""Scores of samples of one window by their definitions: truth [H, C], samples [N, H, C], numbers out."""

from __future__ import annotations

import math

import numpy as np


def crps(truth, samples):
    N = len(samples)
    single = np.abs(samples - truth).mean(axis=0)
    pairs = sum(np.abs(samples[i] - samples[j]) for i in range(N) for j in range(N)) / (2 * N * (N - 1))
    return float((single - pairs).mean())


def energy_score(truth, samples):
    N, H, C = samples.shape
    total = 0.0
    for t in range(H):
        single = [math.sqrt(((samples[i, t] - truth[t]) ** 2).sum() / C) for i in range(N)]
        pairs = [
            math.sqrt(((samples[i, t] - samples[j, t]) ** 2).sum() / C) for i in range(N) for j in range(N) if i != j
        ]
        total += sum(single) / N - sum(pairs) / (2 * N * (N - 1))
    return total / H


def quantile_loss(truth, samples, levels):
    parts = []
    for level in levels:
        q = np.quantile(samples, level, axis=0)
        off = truth - q
        parts.append(2 * np.mean(np.maximum(level * off, (level - 1) * off)))
    return float(np.mean(parts))


def coverage_error(truth, samples, nominal):
    low, high = np.quantile(samples, [(1 - nominal) / 2, (1 + nominal) / 2], axis=0, method="weibull")
    return float(abs(np.mean((low <= truth) & (truth <= high)) - nominal))


def spread_skill_error(truth, samples):
    N = len(samples)
    spread = math.sqrt((N + 1) / N * np.var(samples, axis=0, ddof=1).mean())
    error = math.sqrt(((samples.mean(axis=0) - truth) ** 2).mean())
    return 1 - min(spread / error, error / spread)
