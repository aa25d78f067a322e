# Wildcards, the command line of the jobs, and resources that several chapters share.
import re
import shlex

from snakemake.settings.types import DeploymentMethod

IMPORTED = [
    name
    for name in PLANS.registry.names("dataset")
    if PLANS.registry.option("dataset", name, SETTINGS.scale).get("source")
]


wildcard_constraints:
    scale="smoke|laptop|full",
    dataset=r"[^/]+",
    shard=r"\d{4}",
    data=r"[^/]+",
    emulator=r"[^/]+",
    training=r"[^/]+",
    block=r"[^/]+",
    suite=r"[^/]+",
    study="|".join(map(re.escape, PLANS.registry.names("study"))),
    analysis=r"[^/]+",
    table=r"[^/]+",
    figure=r"[^/]+",


# In a conda environment `python` is the environment's; otherwise it is the one that runs Snakemake.
HOST = shlex.quote(sys.executable)
REPOSITORY = Path(os.path.relpath(workflow.basedir))
SNAKEMAKE = f"{HOST} -m snakemake -s {shlex.quote(str(REPOSITORY / 'Snakefile'))} --workflow-profile none"
if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
    PYTHON = f"PYTHONPATH={shlex.quote(str(Path(workflow.basedir) / 'src'))} python"
else:
    PYTHON = HOST
JOB = f"{PYTHON} -m strangecast"

# Not part of any rerun decision: where to compute, and whether to keep what has not changed.
DEVICE = SETTINGS.device
REUSE = "" if SETTINGS.reuse else "--no-reuse"
LOGGER = SETTINGS.logger

os.environ.setdefault("OMP_NUM_THREADS", "1")


def block(w):
    return f"runs/{w.data}/{w.emulator}/{w.training}/{w.block}"


def block_plan(w):
    return PLANS.plan_file(w.scale, "block", block(w))


def study_plan(w):
    return PLANS.plan_file(w.scale, "study", w.study)


def gpus(part):
    return lambda w: int(PLANS.uses_gpu(w.scale, block(w), part))


def grows(value):
    """A resource that a retry doubles."""
    return lambda w, attempt: value * 2 ** (attempt - 1)
