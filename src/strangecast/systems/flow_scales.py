"""The committed table of how far and how fast each ODE flow moves: what couplings are measured in.

``flow_scales.csv`` has one row per flow and coordinate: ``spread``, the standard deviation of the coordinate along a
reference trajectory, and ``speed``, the root mean square of its time derivative. ``python -m
strangecast.systems.flow_scales`` writes it anew. Numbers have four digits, so that a coupling made from them does not
depend on the last bits of a trajectory, hence not on the computer.
"""

from __future__ import annotations

import csv
import io
from functools import cache
from pathlib import Path

import numpy as np

from strangecast.core.errors import ConfigError, unknown
from strangecast.systems import catalogue
from strangecast.systems.base import System

PATH = Path(__file__).with_name("flow_scales.csv")
TRANSIENT, PERIODS, SAMPLES, REFERENCES = 20, 100, 10_000, 8


@cache
def _table() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rows: dict[str, list[tuple[float, float]]] = {}
    with open(PATH, newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            rows.setdefault(row["system"], []).append((float(row["spread"]), float(row["speed"])))
    return {name: (np.array([a for a, _ in r]), np.array([b for _, b in r])) for name, r in rows.items()}


def flow_scales(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Spread [D] and speed [D] of a flow at its default parameters.

    Raises:
        ConfigError: the table has no such flow.
    """
    if name not in _table():
        raise ConfigError(unknown("flow in flow_scales.csv", name, _table()))
    return _table()[name]


def turn(system: System, states: np.ndarray, slopes: np.ndarray) -> float:
    """A time of one turn from the second moment of the spectrum: 2 pi spread / speed, geometric mean over coordinates.

    For a sine it is the period. Coordinates that do not move are left out; those that grow without bound are angles and
    count with a spread of 1. Source: S. O. Rice, Bell System Technical Journal 24 (1945) 46.

    Args:
        system: whose ``bounded`` says which coordinates are angles.
        states, slopes: [T, D], the states and their time derivatives.
    """
    return mean_turn(states.std(axis=0), np.sqrt((slopes**2).mean(axis=0)), system.bounded)


def mean_turn(spread: np.ndarray, speed: np.ndarray, bounded: np.ndarray) -> float:
    """The same from spreads and speeds [D]."""
    spread = np.where(bounded, spread, 1.0)
    moving = (spread > 0) & (speed > 0)
    return float(2 * np.pi * np.exp(np.log(spread[moving] / speed[moving]).mean()))


def measure(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Spread and speed of a flow, pooled over eight trajectories of 100 periods on its attractor.

    Raises:
        ConfigError: a trajectory could not be followed.
    """
    from strangecast.systems.attractor import Start
    from strangecast.systems.lanes.ensemble import integrate_ensemble
    from strangecast.systems.load import load_system

    system = load_system(name)
    starts = np.stack([Start().draw(system, 0, f"scales {i}", 0.0)[0] for i in range(REFERENCES)])
    grid = TRANSIENT * system.period + np.linspace(0.0, PERIODS * system.period, SAMPLES)
    times = np.concatenate([[0.0], grid])
    paths = integrate_ensemble(system.graph, starts, times, system.values, bounded=system.bounded, period=system.period)
    if not paths.finished.all():
        raise ConfigError(
            f"{name} cannot be followed for {PERIODS} periods: {paths.told(int(np.argmin(paths.finished)))}"
        )
    states = paths.states[:, 1:]
    slopes = system.rhs(times[1:], states, system.values)
    return np.sqrt(states.var(axis=1).mean(axis=0)), np.sqrt((slopes**2).mean(axis=(0, 1)))


def render() -> str:
    """The text of ``flow_scales.csv``: all ODE flows of the catalogue."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["system", "coordinate", "spread", "speed"])
    for entry in catalogue.entries().values():
        if entry.kind == "flow":
            for i, (spread, speed) in enumerate(zip(*measure(entry.name), strict=True)):
                writer.writerow([entry.name, i, f"{spread:.4g}", f"{speed:.4g}"])
    return out.getvalue()


if __name__ == "__main__":
    from strangecast.core.atomic import write_text

    write_text(PATH, render())
