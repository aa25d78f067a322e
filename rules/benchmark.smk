# Speed against named peers; `snakemake benchmarks` runs them all.
BENCHMARKS = sorted(
    p.stem
    for p in Path(workflow.basedir, "benchmarks").glob("*.py")
    if p.stem not in ("__init__", "table")
)


rule benchmarks:
    """Every benchmark table under results/benchmarks/, and what is drawn from them."""
    input:
        expand("results/benchmarks/{name}.csv", name=BENCHMARKS),
        "figures/benchmarks/work_precision.pdf",


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


rule work_precision:
    """The integrator's work-precision diagram against its peers, from the benchmark's table."""
    input:
        "results/benchmarks/integrate.csv",
    output:
        pdf="figures/benchmarks/work_precision.pdf",
        png="figures/benchmarks/work_precision.png",
    log:
        "results/benchmarks/log/work_precision.log",
    benchmark:
        "results/benchmarks/benchmark/work_precision.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.drawing_hash("strangecast.paper.benchmark_job"),
    message:
        "work-precision diagram"
    shell:
        "python -m strangecast work-precision {input} --out {output.pdf} > {log} 2>&1 || (cat {log} >&2; exit 1)"


localrules:
    benchmarks,
