"""Train a small MLP on the Lorenz system and ask how long its forecasts of an unseen trajectory stay valid."""

from __future__ import annotations

import sys

import numpy as np

from strangecast.api import forecast, generate, load, score, train
from strangecast.data.store import Dataset

CONTEXT, HORIZON = 64, 512


def main(results: str = "results", *more: str) -> float:
    """Median valid prediction time in Lyapunov times; ``more`` are override strings, such as training.updates=500."""
    data = Dataset.open(generate("dataset=lorenz63", "scale=smoke", results=results))
    folder = train(
        "emulator=mlp", "emulator.hidden=32", "training=supervised", "training.updates=2000",
        "dataset=lorenz63", "scale=smoke", "seed=0", *more, results=results,
    )  # fmt: skip
    emulator = load(folder, member=0)

    pieces = [data.values(s.trajectory_id)[s.start : s.stop] for s in data.segments("test")]  # each [T, C]
    origins = range(CONTEXT, len(pieces[0]) - HORIZON, 100)
    context = np.stack([p[o - CONTEXT : o] for p in pieces for o in origins])  # [B, T, C]
    truth = np.stack([p[o : o + HORIZON] for p in pieces for o in origins])  # [B, H, C]

    found = forecast(emulator, context, HORIZON)  # [S, B, H, C]
    scores = score(truth, found, context, dt=data.spec.dt, lyapunov=data.spec.lyapunov)
    median = scores.groupby("metric")["value"].median()
    print(median.to_string())
    print(f"valid for {median['valid_prediction_time']:.2f} Lyapunov times (median of {len(truth)} windows)")
    return float(median["valid_prediction_time"])


if __name__ == "__main__":
    main(*sys.argv[1:])
