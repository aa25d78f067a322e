# strangecast: from dynamical systems to the paper. Chapters in rules/, choices in config.yaml, definitions in
# src/strangecast/conf/. `snakemake --list-target-rules` tells what can be asked for.
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.27")

try:
    from strangecast.core.errors import StrangecastError
    from strangecast.workflow.dag import Dag
    from strangecast.workflow.settings import read_settings
except ImportError as e:
    raise WorkflowError(
        f"the package strangecast cannot be imported ({e}); run `make setup`, then .venv/bin/snakemake"
    )

try:
    SETTINGS = read_settings(Path(workflow.basedir), dict(config))
    PLANS = Dag(SETTINGS)
    PLANS.plan(SETTINGS.scale)
except StrangecastError as e:
    raise WorkflowError(str(e))


include: "rules/common.smk"
include: "rules/targets.smk"


rule all:
    """Everything config.yaml asks for: tables, figures, report and paper, checked."""
    input:
        PLANS.study_tables(SETTINGS.scale, "comparisons"),
        PLANS.study_tables(SETTINGS.scale, "claims"),
        PLANS.tables(SETTINGS.scale),
        FIGURES,
        f"{ROOT}/claims.csv",
        f"{ROOT}/leaderboard.csv",
        f"{ROOT}/checked.txt",
        f"{ROOT}/report.html",
        f"{ROOT}/paper.pdf",


include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"
include: "rules/paper.smk"
include: "rules/benchmark.smk"


localrules:
    all,
