"""Measures of attractors by their definitions, with every histogram, distance and density written out.

Arguments are points [T, D] in climate units unless a name says otherwise.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from scipy.special import logsumexp


def bins_divergence(truth, generated, bins, smoothing, definition):
    """Over a dictionary of all cells of the grid, visited or not."""
    low, high = truth.min(axis=0), truth.max(axis=0)
    if definition != "dynamix":
        margin = 0.1 * truth.std(axis=0, ddof=1)
        low, high = low - margin, high + margin
    counts = []
    for series in (truth, generated):
        count = dict.fromkeys(product(range(bins), repeat=truth.shape[1]), 0)
        for x in series:
            cell = tuple(math.floor(bins * ((x[d] - low[d]) / (high[d] - low[d]))) for d in range(len(x)))
            if definition == "dynamix" and min(cell) < 1:
                continue
            if cell in count:
                count[cell] += 1
        counts.append(count)
    sizes = [
        len(s) if definition == "counted" else sum(c.values()) for s, c in zip((truth, generated), counts, strict=True)
    ]
    cells = bins ** truth.shape[1]
    p, q = (
        {k: (n + smoothing) / (size + smoothing * cells) for k, n in count.items()}
        for count, size in zip(counts, sizes, strict=True)
    )
    return math.fsum(p[k] * math.log(p[k] / q[k]) for k in p)


def log_density(samples, points, widths):
    D = points.shape[1]
    square = ((samples[:, None] - points[None]) ** 2).sum(axis=-1)
    terms = -square / (2 * widths) - 0.5 * D * np.log(2 * np.pi * widths)
    return logsumexp(terms, axis=1) - math.log(len(points))


def mixture_divergence(samples, truth, generated, variance):
    p, q = (log_density(samples, x, np.full(len(x), variance)) for x in (truth, generated))
    return max(float(np.mean(p - q)), 0.0)


def smoothed(power, width):
    """Gaussian of standard deviation ``width`` bins, cut off at 4 of them, mirror images beyond both ends."""
    reach = int(4 * width + 0.5)
    k = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (k / width) ** 2)
    kernel /= kernel.sum()
    n = len(power)
    out = np.zeros(n)
    for i in range(n):
        for weight, j in zip(kernel, i + k, strict=True):
            j %= 2 * n
            out[i] += weight * power[j if j < n else 2 * n - 1 - j]
    return out


def periodogram(series):
    x = series - series.mean()
    T = len(x)
    t = np.arange(T)
    return np.array([abs((x * np.exp(-2j * np.pi * k * t / T)).sum()) ** 2 for k in range(T // 2 + 1)])


def hellinger(p, q):
    p, q = p / p.sum(), q / q.sum()
    return math.sqrt(max(1 - float(np.sqrt(p * q).sum()), 0.0))


def hellinger_smoothed(truth, generated, width):
    T = len(truth)
    parts = [
        hellinger(*(smoothed(periodogram(x[:, d])[1:], width * T) for x in (truth, generated)))
        for d in range(truth.shape[1])
    ]
    return float(np.mean(parts))


def hellinger_bins(truth, generated, width):
    parts = [
        hellinger(*(smoothed(periodogram(x[:, d]), width) for x in (truth, generated))) for d in range(truth.shape[1])
    ]
    return float(np.mean(parts))


def distances(points, theiler):
    T = len(points)
    return np.sort([math.dist(points[i], points[j]) for i in range(T) for j in range(i + theiler + 1, T)])


def correlation_dimension(points, theiler, share):
    r = distances(points, theiler)
    cut = r[int(share * len(r))]
    near = r[(r < cut) & (r > 0)]
    return len(near) / math.fsum(np.log(cut / near))


def gp_dimension(points):
    T = len(points)
    r = np.array([math.dist(points[i], points[j]) for i in range(T) for j in range(T)])
    r = r[r > 0]
    r = r[r > np.percentile(r, 5)]
    r = r[r < np.percentile(r, 50)]
    return 1 + len(r) / math.fsum(np.log(r / r.min()))


def mean_period(points):
    power = sum(periodogram(points[:, d]) for d in range(points.shape[1]))[1:]
    frequency = np.arange(1, len(power) + 1) / len(points)
    return int(max(1, min(math.ceil(power.sum() / (frequency * power).sum()), len(points) // 10)))


def separation(points, follow, theiler, n):
    """Mean log distance of neighbours after 0, 1, ..., follow steps."""
    pairs = []
    for i in range(n):
        others = [(math.dist(points[i], points[j]), j) for j in range(n) if abs(i - j) > theiler]
        if others:
            pairs.append((i, min(others)[1]))
    curve = []
    for k in range(follow + 1):
        d = [math.dist(points[i + k], points[j + k]) for i, j in pairs]
        curve.append(np.mean([math.log(x) for x in d if x > 0]))
    return curve


def lyapunov_rosenstein(points, dt, turn):
    T = len(points)
    follow = min(5 * turn, T // 6)
    curve = separation(points, follow, turn, T - follow)
    chosen = sorted({int(i) for i in np.linspace(0, T - 1, min(256, T))})
    end = np.mean(
        [
            math.log(d)
            for i in chosen
            for j in range(T)
            if abs(i - j) > turn
            if (d := math.dist(points[i], points[j])) > 0
        ]
    )
    last = next((k for k in range(1, follow + 1) if curve[k] >= curve[0] + 0.5 * (end - curve[0])), follow)
    first = min(int(0.2 * last), last - 1)
    return float(np.polyfit(np.arange(first, last + 1), curve[first : last + 1], 1)[0]) / dt


def lyapunov_rosenstein_dysts(points, dt, follow):
    curve = separation(points, follow - 1, len(points) // 4, len(points) - follow + 1)
    return float(np.polyfit(np.arange(follow), curve, 1)[0]) / dt
