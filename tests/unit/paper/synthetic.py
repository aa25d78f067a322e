"""A study's tables made up from a seed, with the columns and oddities of real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from strangecast.core import schemas
from strangecast.core.atomic import write_json
from strangecast.core.tables import write_parquet
from strangecast.evaluation.claims import judge_claims
from strangecast.evaluation.compare import comparisons

HORIZON, CONTEXT, PREFIXES = 64, 64, (16, 32, 64)
SKILL = {"Persistence": 0.15, "Climatology": 0.0, "Ridge regression": 1.5, "MLP, 1-step": 2.5, "MLP, 4-step": 3.0}
METRICS = {
    "nrmse": {
        "_target_": "strangecast.metrics.nrmse.nrmse", "title": "NRMSE", "unit": "climate standard deviation",
        "better": "lower", "horizons": "prefixes", "space": "physical",
    },
    "smape": {
        "_target_": "strangecast.metrics.smape.smape", "title": "sMAPE", "unit": "%", "better": "lower",
        "horizons": "prefixes", "space": "normalised",
    },
    "valid_prediction_time": {
        "_target_": "strangecast.metrics.valid_prediction_time.valid_prediction_time", "epsilon": 0.4,
        "title": "Valid prediction time", "unit": "Lyapunov times", "better": "higher", "worst": 0.0,
        "horizons": "full", "space": "physical",
    },
}  # fmt: skip
EMULATORS = {
    "Persistence": ("persistence", "none"),
    "Climatology": ("climatology", "none"),
    "Ridge regression": ("ridge", "least_squares"),
    "MLP, 1-step": ("mlp", "supervised"),
    "MLP, 4-step": ("mlp", "supervised"),
}


class Study:
    """One made-up study under ``root``.

    Args:
        root: results folder of a scale.
        systems, labels: how many of each (labels in the order of ``SKILL``), or names.
        diverged: whether one run of the last label diverged in training and some forecasts on the way.
        lyapunov: whether exponents are known.
        skill: median valid prediction time by label.
    """

    def __init__(
        self,
        root: Path,
        systems: int = 3,
        labels: int | list[str] = 5,
        diverged: bool = False,
        lyapunov: bool = True,
        skill: dict[str, float] | None = None,
        seeds: int = 2,
        name: str = "crossover",
    ) -> None:
        self.root, self.name, self.lyapunov = root, name, lyapunov
        self.random = np.random.default_rng(7)
        names = ["Lorenz", "Rossler", "HyperPang", "Thomas", "Halvorsen", "Chen", "RabinovichFabrikant", "Aizawa"]
        self.systems = names[:systems] + [f"System{i}" for i in range(systems - len(names))]
        self.skill = SKILL | (skill or {})
        self.labels = list(self.skill)[:labels] if isinstance(labels, int) else labels
        self.seeds = seeds
        self.datasets = [f"chaos-{s}" for s in self.systems]
        self.plan = self._plan()
        self.runs = self._runs(diverged)
        self.scores = self._scores(diverged)

    def _plan(self) -> dict[str, Any]:
        rows = []
        for label in self.labels:
            emulator, training = EMULATORS.get(label, ("mlp", "supervised"))
            learned = training != "none"
            for dataset in self.datasets if learned else ["none"]:
                for seed in range(self.seeds if training == "supervised" else 1):
                    steps = label.split()[-1].split("-")[0] if training == "supervised" else None
                    rows.append(
                        {
                            "run_id": f"{label}/{dataset}/{seed}",
                            "data": dataset,
                            "emulator": emulator,
                            "training": training,
                            "point": {"training.rollout_steps": int(steps)} if steps and steps.isdigit() else {},
                            "label": label,
                            "seed": seed,
                            "init": None,
                            "trained_on_system": learned,
                            "folder": f"runs/{'chaos' if learned else 'none'}/{emulator}/{training}/0",
                            "member": 0,
                        }
                    )
        return {
            "kind": "study",
            "name": self.name,
            "scale": "smoke",
            "config": {"title": "Every emulator, the same windows", "question": "What does a forecast gain, and from what?"},
            "runs": rows,
            "blocks": list(dict.fromkeys(r["folder"] for r in rows)),
            "suites": {"chaos": {"folder": "suites/chaos"}},
            "metrics": METRICS,
            "analyses": {"forecast_examples": {}, "error_growth": {}},
            "tables": {
                "leaderboard": {
                    "_target_": "strangecast.paper.tables.leaderboard.build", "title": "Leaderboard",
                    "caption": "Every emulator.", "inputs": ["comparisons", "runs", "scores"],
                },
                "per_system": {
                    "_target_": "strangecast.paper.tables.per_system.build", "title": "Valid prediction time by system",
                    "caption": "Median, by system.", "inputs": ["scores", "runs"],
                },
            },
            "figures": {name: figure_option(name) for name in FIGURES},
            "claims": {
                "mean": {
                    "statement": "An invented score is within 5 % & on 'time'_.", "source": "this study", "anchor": "own",
                    "unit": "Lyapunov times",
                    "compute": {
                        "_target_": "strangecast.evaluation.claim_rules.median_of", "suite": "chaos",
                        "metric": "valid_prediction_time" if self.lyapunov else "smape", "label": self.labels[-1],
                    },
                },
                "far": {
                    "statement": "A model that is not here forecasts all.", "source": "Lai, Bao and Gilpin (2025)",
                    "anchor": "published", "published": 1.0, "missing": "thousands of systems",
                },
            },
            "emulators": {
                e: {"title": e.title(), "color": None, "can": {"learns": "none" if t == "none" else "fit"}}
                for label in self.labels
                for e, t in [EMULATORS.get(label, ("mlp", "supervised"))]
            },
        }  # fmt: skip

    def _runs(self, diverged: bool) -> pd.DataFrame:
        rows = []
        for r in self.plan["runs"]:
            learned = r["training"] != "none"
            rows.append(
                {k: r[k] for k in ("run_id", "data", "emulator", "training", "label", "seed", "init", "trained_on_system")}
                | {
                    "point": json.dumps(r["point"]), "status": "done", "n_parameters": 4547 if learned else 0,
                    "train_seconds": 12.3 if learned else 0.0, "forecast_seconds": 0.2, "device": "cpu" if learned else None,
                    "best_update": 100 if learned else None, "key": "k", "data_hash": "d", "config_hash": "c", "code_hash": "h",
                    "folder": r["folder"], "member": 0, "versions": json.dumps({"torch": "2.13.0"} if learned else {}),
                }
            )  # fmt: skip
        frame = pd.DataFrame(rows, columns=schemas.RUNS.names)
        if diverged:
            frame.loc[frame.index[-1], "status"] = "diverged"
        return frame

    def exponent(self, dataset: str) -> float:
        return 0.9 / (1 + 0.1 * self.datasets.index(dataset)) if self.lyapunov else float("nan")

    def _scores(self, diverged: bool) -> pd.DataFrame:
        rows = []
        for run in self.runs.itertuples():
            gone = run.status == "diverged"
            for dataset in self.datasets if run.data == "none" else [run.data]:
                reach = HORIZON * 0.08 * self.exponent(dataset)
                for window in range(4):
                    base = self.skill[run.label] * np.exp(0.5 * self.random.standard_normal())
                    time = float(np.clip(base, 0, reach))
                    lost = gone or (diverged and run.label == self.labels[-1] and window == 0)
                    at = 0 if gone else 5 if lost else None
                    common = dict(run_id=run.run_id, suite="chaos", dataset=dataset, trajectory_id=f"t{window // 2}",
                                  window=window % 2, key="k")  # fmt: skip
                    if self.lyapunov:
                        rows.append(common | dict(horizon=HORIZON, horizon_lyapunov=reach, metric="valid_prediction_time",
                                                  value=0.0 if gone else time, diverged_at=at))  # fmt: skip
                    for h in PREFIXES:
                        error = 1.3 * np.exp(-base) * (h / HORIZON)
                        for metric, value in (("nrmse", error), ("smape", min(100.0, 75 * error))):
                            rows.append(common | dict(
                                horizon=h, horizon_lyapunov=reach * h / HORIZON, metric=metric,
                                value=np.nan if lost else value, diverged_at=at))  # fmt: skip
        return pd.DataFrame(rows, columns=schemas.SCORES.names).astype({"diverged_at": float})

    def windows(self) -> pd.DataFrame:
        return pd.DataFrame(
            [
                {
                    "suite": "chaos", "dataset": d, "system": s, "trajectory_id": f"t{w // 2}", "window": w % 2,
                    "origin": CONTEXT + 10 * w, "context": CONTEXT, "horizon": HORIZON, "dt": 0.08,
                    "lyapunov": self.exponent(d) if self.lyapunov else None, "climate_mean": [0.0] * 3,
                    "climate_std": [1.0] * 3, "sha256": "x",
                }
                for d, s in zip(self.datasets, self.systems, strict=True)
                for w in range(4)
            ],
            columns=schemas.WINDOWS.names,
        )  # fmt: skip

    def examples(self) -> pd.DataFrame:
        parts = []
        step = np.arange(1, HORIZON + 1)
        for d, s in zip(self.datasets, self.systems, strict=True):
            unit = 0.08 * self.exponent(d)
            for label in self.labels:
                for c, name in enumerate("xyz"):
                    truth = 12 * np.sin(step / 7 + c) + 5 * np.sin(step / 3.1)
                    off = 0.02 * np.exp(step * 0.08 / max(self.skill[label], 0.2))
                    with np.errstate(over="ignore"):
                        forecast = truth + off * np.sin(step)
                    parts.append(
                        pd.DataFrame(
                            {
                                "suite": "chaos", "dataset": d, "system": s, "label": label, "run_id": label, "seed": 0,
                                "trajectory_id": "t0", "window": 0, "step": step, "lyapunov_time": step * unit,
                                "channel": name, "truth": truth, "forecast": forecast,
                            }
                        )
                    )  # fmt: skip
        frame = pd.concat(parts, ignore_index=True)
        frame.loc[(frame["label"] == self.labels[-1]) & (frame["step"] > 50), "forecast"] = np.inf
        return frame

    def growth(self) -> pd.DataFrame:
        parts = []
        step = np.arange(1, HORIZON + 1)
        pairs = list(zip(self.datasets, self.systems, strict=True)) + ([(None, None)] if self.lyapunov else [])
        for d, s in pairs:
            unit = 0.08 * (self.exponent(d) if d else 0.8)
            for label in self.labels:
                median = 1.4 * (1 - np.exp(-0.01 * np.exp(step * 0.08 / max(self.skill[label], 0.15))))
                parts.append(
                    pd.DataFrame(
                        {
                            "suite": "chaos", "dataset": d, "system": s, "label": label,
                            "step": pd.array(step if d else [pd.NA] * len(step), "Int64"), "lyapunov_time": step * unit,
                            "q25": 0.6 * median, "median": median, "q75": 1.7 * median, "n_datasets": 1, "n": 8,
                        }
                    )
                )  # fmt: skip
        frame = pd.concat(parts, ignore_index=True)
        frame.loc[frame.index[-3:], ["median", "q75"]] = np.inf
        return frame

    def write(self) -> Study:
        """Write every table and plan file that figures, tables and the paper read."""
        folder = self.root / self.name

        def write(path: Path, frame: pd.DataFrame, schema: pa.Schema | None = None, labels=None) -> None:
            if schema is not None:
                plain = [f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in schema]
                arrays = [
                    pa.array([_cell(v, t) for v in frame[n].tolist()], t)
                    for n, t in zip(schema.names, plain, strict=True)
                ]
                table = pa.table(arrays, names=schema.names)
            else:
                table = pa.Table.from_pandas(frame, preserve_index=False)
            write_parquet(path, table, schema, labels)

        write(folder / "runs.parquet", self.runs, schemas.RUNS)
        write(folder / "scores.parquet", self.scores, schemas.SCORES)
        write(folder / "comparisons.parquet", comparisons(self.scores, self.runs, METRICS), schemas.COMPARISONS)
        write(self.root / "suites/chaos/windows.parquet", self.windows(), schemas.WINDOWS)
        write(folder / "analysis/forecast_examples.parquet", self.examples())
        write(folder / "analysis/error_growth.parquet", self.growth())
        judge_claims(self.plan, self.root)
        self._write_plans()
        return self

    def _write_plans(self) -> None:
        plans = self.root / "plan"
        write_json(plans / "study" / f"{self.name}.json", self.plan)
        window = {"context": CONTEXT, "horizon": HORIZON, "count": 2, "prefixes": list(PREFIXES)}
        write_json(
            plans / "suite" / "chaos.json",
            {
                "kind": "suite", "name": "chaos", "folder": "suites/chaos",
                "config": {"split": "test", "normalisation": "context", "batch": 32},
                "datasets": {d: {"folder": f"data/{d}", "window": window} for d in self.datasets},
            },
        )  # fmt: skip
        for d, s in zip(self.datasets, self.systems, strict=True):
            write_json(
                plans / "dataset" / f"{d}.json",
                {
                    "kind": "dataset", "name": d, "folder": f"data/{d}",
                    "config": {
                        "system": s, "source": None, "noise": 0.0, "initial_conditions": 6, "window": window,
                        "sampling": {"points_per_period": 100, "length": 1536, "transient_periods": 20},
                        "solver": {"name": "dop853", "rtol": 1e-9, "atol": 1e-10},
                        "validity": {"boundedness": {"max_z": 20.0}, "limit_cycle": None, "fixed_point": {"tail": 0.2}},
                        "split": {"by": "initial_condition", "train": 2, "validation": 1, "test": 2},
                        "lyapunov": {"periods": 100, "separation": 1e-8, "steps_per_period": 4},
                    },
                },
            )  # fmt: skip
            rows = pd.DataFrame(
                [
                    {
                        "trajectory_id": f"{s}-{i}", "shard": "shard-0000.arrow", "row": i, "system": s, "parents": [],
                        "parameter_index": 0, "ic_index": i, "attempt": 0, "channels": 3, "length": 1536, "dt": 0.08,
                        "period": 8.0, "lyapunov": None, "lyapunov_standard_error": None, "solver": "dop853",
                        "status": "finished", "evaluations": 1000,
                        "accepted": i != 3, "reasons": [] if i != 3 else ["stationarity"], "verdicts": "{}", "sha256": "x",
                    }
                    for i in range(6)
                ]
            )  # fmt: skip
            arrays = [
                pa.array(rows[f.name].tolist(), f.type.value_type if pa.types.is_dictionary(f.type) else f.type)
                for f in schemas.MANIFEST
            ]
            write_parquet(
                self.root / f"data/{d}/manifest.parquet",
                pa.table(arrays, names=schemas.MANIFEST.names),
                schemas.MANIFEST,
            )
        for folder in self.plan["blocks"]:
            _, data, emulator, training, _ = folder.split("/")
            supervised = {
                "_target_": "a.B",
                "rollout_steps": 1,
                "optimizer": {"_target_": "torch.optim.Adam", "lr": 0.003},
            }
            write_json(
                plans / "block" / f"{folder.removeprefix('runs/')}.json",
                {
                    "kind": "block", "folder": folder, "data": data,
                    "emulator": {"name": emulator, "config": {"_target_": "a.B", "hidden": 64} if training != "none" else {}},
                    "training": None if training == "none" else {"name": training, "config": supervised},
                },
            )  # fmt: skip

    def frames(self) -> dict[str, pd.DataFrame]:
        """All inputs, read back from the files."""
        from strangecast.paper.frames import load_frames

        inputs = ["runs", "scores", "comparisons", "claims", "windows"]
        return load_frames(self.plan, self.root, [*inputs, "analysis/forecast_examples", "analysis/error_growth"])


FIGURES = ("forecast_vs_truth", "vpt_distribution", "error_growth", "skill_heatmap")


def figure_option(name: str) -> dict[str, Any]:
    """The YAML of a figure, as the planner would compose it."""
    import yaml

    import strangecast

    folder = Path(strangecast.__file__).parent / "conf" / "figure"
    return yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))


def _cell(value: Any, kind: pa.DataType) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return int(value) if pa.types.is_integer(kind) else value
