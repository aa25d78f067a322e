"""Three flows with their equations, and the emulator that integrates them from the true state."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from strangecast.core.atomic import write_json
from strangecast.core.errors import DataError
from strangecast.core.spec import Spec
from strangecast.core.streams import stream
from strangecast.data.filtering import filter_dataset
from strangecast.data.splits import split_dataset
from strangecast.data.trajectories import row, shard_name, write_shard
from strangecast.data.windows import build_windows
from strangecast.emulators.base import Can, Emulator
from strangecast.systems.integrate import Solver
from strangecast.systems.load import load_system
from tests.unit.evaluation.synthetic import block_plan, dataset_plan, study_plan, suite_plan, write_plans

FLOWS = ("Lorenz", "Rossler", "Halvorsen")  # 3, 3 and 2 parameters
LENGTH = 160


class Oracle(Emulator):
    """Integrates the system of the context from the state at the origin, with the window's own parameters."""

    can: ClassVar[Can] = Can(pooled=True, irregular=True, needs=("state", "vector_field"))

    def forecast(self, context, times, *, samples=None, rng=None):
        """[S, B, H, C]."""
        if context.system is None or context.state is None or context.parameters is None:
            raise DataError("an oracle knows everything")
        found = torch.full((1, *times.shape[1:], context.values.shape[3]), torch.nan, dtype=torch.float64)
        seen: dict[tuple, np.ndarray] = {}
        for b in range(times.shape[1]):
            given = [x[0, b].numpy() for x in (context.state, context.parameters, times)]
            key = tuple(x.tobytes() for x in given)
            if key not in seen:
                state, parameters, clock = given
                path = context.system.simulate(state, clock - clock[0], parameters, Solver())
                seen[key] = context.system.observe(path.states, parameters)
            found[0, b, : len(seen[key])] = torch.from_numpy(seen[key])
        return found


def make_flow(root: Path, name: str) -> None:
    """Four trajectories of a flow, each with its own parameters."""
    system = load_system(name)
    plan = dataset_plan(name)
    dt = system.period / 40
    rows = []
    for i in range(4):
        draws = stream("flow", name, i)
        parameters = system.values * (1 + 0.01 * draws.standard_normal(len(system.values)))
        start = system.initial_condition * (1 + 1e-2 * draws.standard_normal(system.dim))
        whole = system.simulate(start, np.arange(300 + LENGTH) * dt, parameters, Solver())
        assert whole.finished
        rows.append(
            row(
                f"{name}-p{i}-i0",
                name,
                system.observe(whole.states[300:], parameters),
                dt=dt,
                state=None if system.observes_state else whole.states[300:],
                parameter_index=i,
                ic_index=i,
                lyapunov=0.5,
                parameters=parameters,
                solver=f"{Solver()}: {whole.status}",
            )
        )
    spec = Spec(system.channels, dt=dt, parameters=system.parameters, lyapunov=0.5, system=name)
    write_shard(root / plan["folder"] / shard_name(0), rows, spec)
    filter_dataset(plan, root)
    split_dataset(plan, root)
    write_json(root / "plan" / "dataset" / f"{name}.json", plan)


def flow_suite(*datasets: str) -> dict[str, Any]:
    """Plan of a suite of flows, under the name the synthetic plans use."""
    plan = suite_plan()
    plan["config"]["datasets"] = list(datasets)
    plan["datasets"] = {n: {"folder": f"data/{n}", "window": dataset_plan(n)["config"]["window"]} for n in datasets}
    return plan


def oracle_plan() -> dict[str, Any]:
    """Block plan of the oracle, used on all datasets."""
    plan = block_plan("persistence", None, [(None, 0)])
    folder = "runs/none/oracle/none/base-all"
    plan["emulator"] = {
        "name": "oracle",
        "config": {"_target_": "tests.unit.evaluation.oracle.Oracle"},
        "can": Oracle.can.to_yaml(),
        "gpu": False,
    }
    plan["members"][0] |= {"run_id": "oracle", "static_key": "oracle"}
    plan["suites"]["waves"]["forecast_folder"] = f"{folder}/waves"
    return plan | {"folder": folder}


def make_world(root: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Data and windows of the flows, and the plans of the oracle and its rivals."""
    for name in FLOWS:
        make_flow(root, name)
    suite = flow_suite(*FLOWS)
    build_windows(suite, root)
    made = [oracle_plan(), *(block_plan(e, None, [(None, 0)]) for e in ("persistence", "climatology"))]
    study = study_plan(made) | {"claims": {}}
    study["emulators"]["oracle"]["can"] = made[0]["emulator"]["can"]
    write_plans(root, made, study)
    write_json(root / "plan" / "suite" / "waves.json", suite)
    return study, made
