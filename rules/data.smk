# From systems and files to validated, split datasets and the windows of the suites.


rule generate:
    """Integrate the trajectories of one shard of a dataset."""
    output:
        "results/{scale}/data/{dataset}/shard-{shard}.arrow",
    wildcard_constraints:
        dataset="(?!(?:" + "|".join(map(re.escape, IMPORTED or ["/"])) + ")/)[^/]+",
    params:
        hash=lambda w: DAG.dataset_hash(w.scale, w.dataset, "make"),
        plan=lambda w: DAG.plan_file(w.scale, "dataset", w.dataset),
    log:
        "results/{scale}/log/generate/{dataset}-{shard}.log",
    benchmark:
        "results/{scale}/benchmark/generate/{dataset}-{shard}.tsv"
    message:
        "generate {wildcards.dataset}, shard {wildcards.shard}"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(60),
    shell:
        "{JOB} generate {params.plan} --shard {wildcards.shard} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule import:
    """Read a user's own trajectories into the store."""
    input:
        lambda w: DAG.imported_file(w.scale, w.dataset),
    output:
        "results/{scale}/data/{dataset}/shard-{shard}.arrow",
    wildcard_constraints:
        dataset="|".join(map(re.escape, IMPORTED)) or "/",
    params:
        hash=lambda w: DAG.dataset_hash(w.scale, w.dataset, "make"),
        plan=lambda w: DAG.plan_file(w.scale, "dataset", w.dataset),
    log:
        "results/{scale}/log/import/{dataset}-{shard}.log",
    benchmark:
        "results/{scale}/benchmark/import/{dataset}-{shard}.tsv"
    message:
        "import {wildcards.dataset}"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
    shell:
        "{JOB} import {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule filter:
    """Give every trajectory a verdict per validity test."""
    input:
        lambda w: DAG.shards(w.scale, w.dataset),
    output:
        "results/{scale}/data/{dataset}/manifest.parquet",
    params:
        hash=lambda w: DAG.dataset_hash(w.scale, w.dataset, "filter"),
        plan=lambda w: DAG.plan_file(w.scale, "dataset", w.dataset),
    log:
        "results/{scale}/log/filter/{dataset}.log",
    benchmark:
        "results/{scale}/benchmark/filter/{dataset}.tsv"
    message:
        "filter {wildcards.dataset}"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
    shell:
        "{JOB} filter {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule split:
    """Divide accepted trajectories into training, validation and test parts."""
    input:
        "results/{scale}/data/{dataset}/manifest.parquet",
    output:
        "results/{scale}/data/{dataset}/splits.parquet",
    params:
        hash=lambda w: DAG.dataset_hash(w.scale, w.dataset, "split"),
        plan=lambda w: DAG.plan_file(w.scale, "dataset", w.dataset),
    log:
        "results/{scale}/log/split/{dataset}.log",
    benchmark:
        "results/{scale}/benchmark/split/{dataset}.tsv"
    message:
        "split {wildcards.dataset}"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    shell:
        "{JOB} split {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule windows:
    """Fix the forecast origins of a suite."""
    input:
        lambda w: DAG.splits_of_suite(w.scale, w.suite),
    output:
        "results/{scale}/suites/{suite}/windows.parquet",
    params:
        hash=lambda w: DAG.suite_hash(w.scale, w.suite),
        plan=lambda w: DAG.plan_file(w.scale, "suite", w.suite),
    log:
        "results/{scale}/log/windows/{suite}.log",
    benchmark:
        "results/{scale}/benchmark/windows/{suite}.tsv"
    message:
        "windows of suite {wildcards.suite}"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    shell:
        "{JOB} windows {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"
