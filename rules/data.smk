# From systems and files to validated, split datasets and the windows of the suites.


rule generate:
    """Integrate the trajectories of one shard of a dataset."""
    input:
        lambda w: PLANS.restarted(w.scale, w.dataset),
    output:
        "results/{scale}/data/{dataset}/shard-{shard}.arrow",
    log:
        "results/{scale}/log/generate/{dataset}-{shard}.log",
    benchmark:
        "results/{scale}/benchmark/generate/{dataset}-{shard}.tsv"
    wildcard_constraints:
        dataset=f"(?!(?:{IMPORTED})/)[^/]+",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.dataset_hash(w.scale, w.dataset, "make"),
        plan=lambda w: PLANS.plan_file(w.scale, "dataset", w.dataset),
    message:
        "generate {wildcards.dataset}, shard {wildcards.shard}"
    shell:
        "python -m strangecast generate {params.plan} --shard {wildcards.shard} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule import:
    """Read a user's own trajectories into the store."""
    input:
        lambda w: PLANS.imported_file(w.scale, w.dataset),
    output:
        "results/{scale}/data/{dataset}/shard-{shard}.arrow",
    log:
        "results/{scale}/log/import/{dataset}-{shard}.log",
    benchmark:
        "results/{scale}/benchmark/import/{dataset}-{shard}.tsv"
    wildcard_constraints:
        dataset=IMPORTED,
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.dataset_hash(w.scale, w.dataset, "make"),
        plan=lambda w: PLANS.plan_file(w.scale, "dataset", w.dataset),
    message:
        "import {wildcards.dataset}"
    shell:
        "python -m strangecast import {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule filter:
    """Give every trajectory a verdict per validity test."""
    input:
        lambda w: PLANS.shards(w.scale, w.dataset),
    output:
        "results/{scale}/data/{dataset}/manifest.parquet",
    log:
        "results/{scale}/log/filter/{dataset}.log",
    benchmark:
        "results/{scale}/benchmark/filter/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.dataset_hash(w.scale, w.dataset, "filter"),
        plan=lambda w: PLANS.plan_file(w.scale, "dataset", w.dataset),
    message:
        "filter {wildcards.dataset}"
    shell:
        "python -m strangecast filter {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule split:
    """Divide accepted trajectories into training, validation and test parts."""
    input:
        "results/{scale}/data/{dataset}/manifest.parquet",
    output:
        "results/{scale}/data/{dataset}/splits.parquet",
    log:
        "results/{scale}/log/split/{dataset}.log",
    benchmark:
        "results/{scale}/benchmark/split/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.dataset_hash(w.scale, w.dataset, "split"),
        plan=lambda w: PLANS.plan_file(w.scale, "dataset", w.dataset),
    message:
        "split {wildcards.dataset}"
    shell:
        "python -m strangecast split {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule windows:
    """Fix the forecast origins of a suite."""
    input:
        lambda w: PLANS.splits_of_suite(w.scale, w.suite),
    output:
        "results/{scale}/suites/{suite}/windows.parquet",
    log:
        "results/{scale}/log/windows/{suite}.log",
    benchmark:
        "results/{scale}/benchmark/windows/{suite}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.suite_hash(w.scale, w.suite),
        plan=lambda w: PLANS.plan_file(w.scale, "suite", w.suite),
    message:
        "windows of suite {wildcards.suite}"
    shell:
        "python -m strangecast windows {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule exponents:
    """Measure the Lyapunov exponents of the catalogue's systems at their own parameters, by two methods each."""
    output:
        table="results/{scale}/lyapunov.parquet",
        page="results/{scale}/lyapunov.md",
    log:
        "results/{scale}/log/exponents.log",
    benchmark:
        "results/{scale}/benchmark/exponents.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.code.of(
            "strangecast.systems.lyapunov_table", "strangecast.paper.tables.lyapunov"
        ),
    message:
        "Lyapunov exponents of the catalogue"
    shell:
        "python -m strangecast lyapunov --out {output.table} --out {output.page} > {log} 2>&1"
        " || (cat {log} >&2; exit 1)"


rule lyapunov:
    """The table of Lyapunov exponents, which no other target asks for."""
    input:
        f"{ROOT}/lyapunov.parquet",
        f"{ROOT}/lyapunov.md",


localrules:
    lyapunov,
