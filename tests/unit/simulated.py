"""Datasets of many systems as files, with curves in place of trajectories: what analyses of data, and what is drawn from
them, read.

Names are those of real systems, so that their kinds are real; verdicts are given, not found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from strangecast.core.atomic import write_json
from strangecast.core.schemas import MANIFEST, SPLITS
from strangecast.core.spec import Channel, Spec
from strangecast.core.streams import stream
from strangecast.core.tables import write_parquet
from strangecast.data.labels import FILTERED, MADE, RULE, SPLIT_BY, filtered_label, split_label
from strangecast.data.rows import table_of
from strangecast.data.trajectories import row, spec_label, write_shard
from strangecast.systems.integrate import Solver
from strangecast.systems.roster import channels_of, parents_of

LENGTH, PER_PERIOD, PERIOD = 240, 20, 2.0
VALIDITY = {"stationarity": {"max_trend": 0.7}, "boundedness": {"max_z": 20.0}, "limit_cycle": None}
HASHES = {"make": "m", "filter": "f", "split": "s"}


@dataclass
class Attempt:
    """One row of a manifest: ``failed`` tests, how its integration ended, whether its values were kept."""

    system: str
    parameter_index: int = 0
    ic_index: int = 0
    attempt: int = 0
    failed: tuple[str, ...] = ()
    status: str = "finished"
    solver: str = "lanes dop853 avx2 rtol=1e-09 atol=1e-10"
    kept: bool = True
    lyapunov: float | None = 0.5
    split: str = "train"

    @property
    def trajectory_id(self) -> str:
        name = f"{self.system}-p{self.parameter_index}-i{self.ic_index}"
        return f"{name}-a{self.attempt}" if self.attempt else name


@dataclass
class SimulatedDataset:
    """A dataset under ``root``: its shards, manifest, splits and plan.

    Args:
        root: results folder of a scale.
        name: of the dataset.
        attempts: rows, in the order of the shards.
        shard_size: rows of a shard.
        config: beside what is always there.
    """

    root: Path
    name: str
    attempts: list[Attempt]
    shard_size: int = 4
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.root / "data" / self.name

    @property
    def plan(self) -> dict[str, Any]:
        """Its dataset plan."""
        shards = -(-len(self.attempts) // self.shard_size)
        config = {
            "system": None, "systems": {"list": list(dict.fromkeys(a.system for a in self.attempts))}, "source": None,
            "noise": 0.0, "initial_conditions": 1, "parameter_sets": 1, "perturb": {"scale": 0.5},
            "sampling": {"points_per_period": PER_PERIOD, "length": LENGTH, "transient_periods": 20},
            "solver": {"name": "dop853", "rtol": 1e-9, "atol": 1e-10}, "validity": VALIDITY,
            "split": {"by": "system", "test": 1}, "lyapunov": {"periods": 100},
            "window": {"context": 32, "horizon": 32, "count": 1, "prefixes": [32]},
        }  # fmt: skip
        return {
            "kind": "dataset", "name": self.name, "scale": "smoke", "folder": f"data/{self.name}", "made_by": "generate",
            "shards": [f"shard-{i:04d}.arrow" for i in range(shards)], "hash": HASHES, "config": config | self.config,
        }  # fmt: skip

    def write(self) -> SimulatedDataset:
        """Write everything."""
        plan = self.plan
        write_json(self.root / "plan" / "dataset" / f"{self.name}.json", plan)
        rows = [self._row(a) for a in self.attempts]
        specs = [spec_of(a) for a in self.attempts]
        manifest, splits = [], []
        for i, shard in enumerate(plan["shards"]):
            own = slice(i * self.shard_size, (i + 1) * self.shard_size)
            systems = {s.system: s for s in specs[own]}
            labels = {MADE: HASHES["make"], RULE: "generate"}
            write_shard(self.folder / shard, rows[own], Spec.common(specs[own], self.name), labels, systems)
            for j, (attempt, r) in enumerate(zip(self.attempts[own], rows[own], strict=True)):
                where = {"shard": shard, "row": j, "channels": r["shape"][1], "length": r["shape"][0]}
                reasons = [t for t, v in json.loads(r["verdicts"]).items() if not v["passed"]]
                where |= {"accepted": not reasons, "reasons": reasons}
                manifest.append(where | {k: r[k] for k in MANIFEST.names if k not in where})
                if not reasons:
                    piece = {"shard": shard, "row": j, "channels": r["shape"][1]}
                    piece |= {"split": attempt.split, "start": 0, "stop": r["shape"][0]}
                    splits.append(piece | {k: r[k] for k in SPLITS.names if k not in piece})
        common = Spec.common(specs, self.name)
        filtered = filtered_label(plan, [HASHES["make"]])
        labels = {"spec": spec_label(common), FILTERED: filtered}
        write_parquet(self.folder / "manifest.parquet", table_of(manifest, MANIFEST), MANIFEST, labels)
        labels = {"content": "c", "spec": json.dumps(common.to_json()), "noise": "0.0"}
        labels[SPLIT_BY] = split_label(plan, filtered)
        write_parquet(self.folder / "splits.parquet", table_of(splits, SPLITS), SPLITS, labels)
        return self

    def _row(self, attempt: Attempt) -> dict[str, Any]:
        spec = spec_of(attempt)
        length = 0 if not attempt.kept else LENGTH if attempt.status == "finished" else LENGTH // 3
        values = curve(attempt, spec.C)[:length]
        tests = {"integration": attempt.status == "finished"}
        if attempt.status == "finished":
            tests |= {t: t not in attempt.failed for t, limits in VALIDITY.items() if limits is not None}
            tests |= dict.fromkeys(attempt.failed, False)
        verdicts = {t: {"passed": ok, "statistic": 1.0, "threshold": 1.0} for t, ok in tests.items()}
        return row(
            attempt.trajectory_id,
            attempt.system,
            values,
            dt=spec.dt,
            parents=parents_of(attempt.system),
            parameter_index=attempt.parameter_index,
            ic_index=attempt.ic_index,
            attempt=attempt.attempt,
            period=PERIOD,
            lyapunov=attempt.lyapunov,
            lyapunov_standard_error=None if attempt.lyapunov is None else 0.1,
            parameters=np.array([0.7]),
            solver=f"{attempt.solver}: {attempt.status}",
            evaluations=1000,
            verdicts=json.dumps(verdicts, sort_keys=True),
        )


def spec_of(attempt: Attempt) -> Spec:
    """Channels as many as the real system has."""
    C = channels_of(attempt.system)
    return Spec(
        channels=tuple(Channel("xyzuvwabcd"[i]) for i in range(C)),
        dt=PERIOD / PER_PERIOD,
        parameters=("tau",),
        lyapunov=attempt.lyapunov,
        system=attempt.system,
    )


def curve(attempt: Attempt, channels: int) -> np.ndarray:
    """[T, C]: a closed curve that no other attempt has."""
    turn = 2 * np.pi * np.arange(LENGTH)[:, None] / PER_PERIOD
    phase = stream("curve", attempt.trajectory_id).uniform(0, 6, channels)
    return np.sin(turn * (1 + np.arange(channels)) + phase) * (1 + np.arange(channels))


def three_datasets(root: Path) -> list[SimulatedDataset]:
    """Defaults of every kind, perturbed sets, and skew products, with failures of every sort."""
    fallback = str(Solver().instead())
    default = [
        Attempt("Lorenz"), Attempt("Lorenz", ic_index=1, failed=("boundedness",), split="test"),
        Attempt("ArnoldBeltramiChildress", lyapunov=None), Attempt("ForcedVanDerPol", solver=fallback, split="test"),
        Attempt("Chua", failed=("stationarity", "boundedness")), Attempt("MackeyGlass", lyapunov=-0.1),
        Attempt("HyperRossler", status="diverged in the transient", kept=False, lyapunov=0.15),
    ]  # fmt: skip
    perturbed = [
        Attempt(system, parameter_index=p, **more)
        for system in ("Lorenz", "Rossler")
        for p, more in enumerate(({}, {}, {"failed": ("stationarity",)}, {"status": "diverged"}))
    ]
    perturbed[1:1] = [Attempt("Lorenz", parameter_index=1, attempt=1, failed=("boundedness",), kept=False)]
    skew = [
        Attempt("skew-additive-Lorenz-Rossler-0"), Attempt("skew-additive-Rossler-Lorenz-0", failed=("boundedness",)),
        Attempt("skew-activated-Thomas-Lorenz-0", split="test"),
    ]  # fmt: skip
    named = {"dysts_all": default, "dysts_perturbed": perturbed, "skew": skew}
    return [SimulatedDataset(root, name, attempts).write() for name, attempts in named.items()]
