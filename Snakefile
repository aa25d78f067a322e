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
    DAG = Dag(SETTINGS)
    DAG.plan(SETTINGS.scale)
except StrangecastError as e:
    raise WorkflowError(str(e))


include: "rules/common.smk"
include: "rules/targets.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"
include: "rules/paper.smk"
include: "rules/benchmark.smk"
