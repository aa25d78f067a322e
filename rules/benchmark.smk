# Speed against named peers; `snakemake benchmarks` runs them all.
BENCHMARKS = sorted(
    p.stem
    for p in Path(workflow.basedir, "benchmarks").glob("*.py")
    if p.stem not in ("__init__", "table")
)


rule benchmarks:
    """Every benchmark table under results/benchmarks/."""
    input:
        expand("results/benchmarks/{name}.csv", name=BENCHMARKS),


rule run_benchmark:
    """Measure one benchmark against its peers in one run."""
    input:
        str(REPOSITORY / "benchmarks" / "{name}.py"),
    output:
        "results/benchmarks/{name}.csv",
    log:
        "results/benchmarks/log/{name}.log",
    wildcard_constraints:
        name="|".join(map(re.escape, BENCHMARKS)) or "(?!)",
    conda:
        "../envs/train.yaml"
    threads: workflow.cores or 1
    resources:
        gpu=0,
    message:
        "benchmark {wildcards.name}"
    shell:
        "python -m benchmarks.{wildcards.name} --out {output} > {log} 2>&1 || (cat {log} >&2; exit 1)"


localrules:
    benchmarks,
