"""Metrics of one window by their definitions: truth [H, C], forecast [H, C], numbers out."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats


def mse(truth, forecast):
    return float(np.mean((forecast - truth) ** 2))


def mae(truth, forecast):
    return float(np.mean(np.abs(forecast - truth)))


def rmse(truth, forecast):
    return math.sqrt(mse(truth, forecast))


def nrmse(truth, forecast, std):
    return float(np.mean([rmse(truth[:, c], forecast[:, c]) / std[c] for c in range(len(std))]))


def smape(truth, forecast):
    terms = [abs(f - x) / (abs(f) + abs(x)) if f or x else 0.0 for f, x in zip(forecast.flat, truth.flat, strict=True)]
    return 100 * float(np.mean(terms))


def mase(truth, forecast, context, lag, steps=None):
    parts = []
    for c in range(truth.shape[1]):
        naive = np.mean([abs(context[t, c] - context[t - lag, c]) for t in range(lag, len(context))])
        parts.append(np.mean(np.abs(forecast[:steps, c] - truth[:steps, c])) / naive)
    return float(np.mean(parts))


def mase_dynamix(truth, forecast, steps):
    naive = np.mean([np.abs(truth[t] - truth[t - 1]) for t in range(1, len(truth))])
    return float(np.mean(np.abs(forecast[:steps] - truth[:steps])) / naive)


def r2(truth, forecast):
    channels = range(truth.shape[1])
    left = [((forecast[:, c] - truth[:, c]) ** 2).sum() for c in channels]
    total = [((truth[:, c] - truth[:, c].mean()) ** 2).sum() for c in channels]
    return float(np.mean([1 - a / b for a, b in zip(left, total, strict=True)]))


def r2_pooled(truth, forecast):
    return float(1 - ((forecast - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def spearman(truth, forecast):
    found = []
    for c in range(truth.shape[1]):
        moves = len(set(forecast[:, c])) > 1
        found.append(stats.spearmanr(truth[:, c], forecast[:, c]).statistic if moves else 0.0)
    return float(np.mean(found))


def error_curve(truth, forecast, std):
    return np.array([math.sqrt(np.mean(((f - x) / std) ** 2)) for f, x in zip(forecast, truth, strict=True)])


def gmean_nrmse(truth, forecast, std):
    return float(stats.gmean(error_curve(truth, forecast, std)))


def n_step_error(truth, forecast, std, n):
    return float(error_curve(truth, forecast, std)[n - 1] ** 2)


def valid_prediction_time(truth, forecast, std, epsilon, unit):
    for t, error in enumerate(error_curve(truth, forecast, std)):
        if error > epsilon:
            return t * unit
    return len(truth) * unit


def anomaly_correlation(truth, forecast, mean, std):
    found = []
    for x, f in zip((truth - mean) / std, (forecast - mean) / std, strict=True):
        found.append(float(f @ x / math.sqrt((f @ f) * (x @ x))))
    return found


def correlation_time(truth, forecast, mean, std, threshold, unit):
    previous = 1.0
    for t, now in enumerate(anomaly_correlation(truth, forecast, mean, std)):
        if now < threshold:
            return (t + (previous - threshold) / (previous - now)) * unit
        previous = now
    return len(truth) * unit
