# Wildcards, the command line of the jobs, and resources that several chapters share.
import re
import shlex

# A pattern of the datasets that are a user's own files; (?!) matches nothing.
IMPORTED = "|".join(
    re.escape(name)
    for name in PLANS.registry.names("dataset")
    if PLANS.registry.option("dataset", name, SETTINGS.scale).get("source")
)
IMPORTED = IMPORTED or "(?!)"


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


REPOSITORY = Path(os.path.relpath(workflow.basedir))

# Jobs call `python -m strangecast`: the Python that runs Snakemake, or that of the rule's conda environment, with the
# package of this Snakefile. Where to compute, whether to keep what has not changed, and whose plan it is reach the jobs
# as environment variables, so that they are no part of any rerun decision.
os.environ.update(
    PATH=os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    ),
    STRANGECAST_DEVICE=SETTINGS.device,
    STRANGECAST_LOGGER=SETTINGS.logger,
    STRANGECAST_REUSE=str(int(SETTINGS.reuse)),
    STRANGECAST_PLAN=PLANS.fingerprint,
    OMP_NUM_THREADS=os.environ.get("OMP_NUM_THREADS", "1"),
)


# Snakemake drops PYTHONPATH when it activates a conda environment, so the command itself sets it.
SOURCE = shlex.quote(f"{workflow.basedir}/src{os.pathsep}{workflow.basedir}")
shell.prefix(
    f"set -euo pipefail; export PYTHONPATH={SOURCE}; ".replace("{", "{{").replace(
        "}", "}}"
    )
)


def block(w):
    return f"runs/{w.data}/{w.emulator}/{w.training}/{w.block}"


def block_plan(w):
    return PLANS.plan_file(w.scale, "block", block(w))


def study_plan(w):
    return PLANS.plan_file(w.scale, "study", w.study)


def gpus(part):
    return lambda w: int(PLANS.uses_gpu(w.scale, block(w), part))
