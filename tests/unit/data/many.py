"""Small datasets of many systems, shared by the tests of the data room."""

from __future__ import annotations

import copy

from strangecast.data.trajectories import shard_name
from strangecast.systems.roster import Roster

from .conftest import dataset_plan

SKEW = {"pairs": 2, "couplings": 2, "among": {"list": ["Lorenz", "Thomas", "SprottB"]}}
ROSTER = {"list": ["Lorenz", "HyperPang", "Thomas", "Duffing", "MackeyGlass"], "skew": SKEW}
JUDGE = {"_target_": "strangecast.data.judging.judge_row"}
SPLIT = {
    "by": "system", "test": ["Thomas"], "seed": 0,
    "within": {"by": "initial_condition", "train": None, "validation": 1, "test": 0},
}  # fmt: skip


def many_plan(name="many", **changes):
    """A plan of a dataset of many systems, as the planner would write it."""
    given = {
        "system": None,
        "systems": copy.deepcopy(ROSTER),
        "parameter_sets": 2,
        "perturb": {"scale": 0.05},
        "initial_conditions": 2,
        "shard_size": 7,
        "validity": {"boundedness": {}, "fixed_point": {}},
        "split": copy.deepcopy(SPLIT),
        "lyapunov": None,
    }
    plan = dataset_plan(name, **(given | changes))
    roster = Roster.from_config(plan["config"], (plan["config"].get("restart") or {}).get("first_ic", 0))
    plan["shards"] = [shard_name(i) for i in range(roster.shards(plan["config"]["shard_size"]))]
    return plan
