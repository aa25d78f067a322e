# From runs to forecasts, scores, comparisons, analyses and claims.


rule forecast:
    """Forecast every window of a suite with the members of a block."""
    input:
        lambda w: DAG.forecast_inputs(w.scale, block(w), w.suite),
    output:
        update("results/{scale}/runs/{data}/{emulator}/{training}/{block}/{suite}/forecasts.arrow"),
    params:
        hash=lambda w: DAG.forecast_hash(w.scale, block(w), w.suite),
        plan=block_plan,
    log:
        "results/{scale}/log/forecast/{data}/{emulator}/{training}/{block}/{suite}.log",
    benchmark:
        "results/{scale}/benchmark/forecast/{data}/{emulator}/{training}/{block}/{suite}.tsv"
    message:
        "forecast {wildcards.suite} with {wildcards.emulator}, block {wildcards.block}"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
        gpu=gpus("emulator"),
    shell:
        "{JOB} forecast {params.plan} --suite {wildcards.suite} --device {DEVICE} {REUSE} > {log} 2>&1"
        " || (cat {log} >&2; exit 1)"


rule score:
    """Score forecasts against the truth, one key per run and metric."""
    input:
        "results/{scale}/runs/{data}/{emulator}/{training}/{block}/{suite}/forecasts.arrow",
        "results/{scale}/suites/{suite}/windows.parquet",
    output:
        update("results/{scale}/runs/{data}/{emulator}/{training}/{block}/{suite}/scores.parquet"),
    params:
        hash=lambda w: DAG.score_hash(w.scale, block(w), w.suite),
        plan=block_plan,
    log:
        "results/{scale}/log/score/{data}/{emulator}/{training}/{block}/{suite}.log",
    benchmark:
        "results/{scale}/benchmark/score/{data}/{emulator}/{training}/{block}/{suite}.tsv"
    message:
        "score {wildcards.emulator} on {wildcards.suite}, block {wildcards.block}"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
    shell:
        "{JOB} score {params.plan} --suite {wildcards.suite} {REUSE} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule compare:
    """Gather the runs and scores of a study; intervals and paired tests."""
    input:
        lambda w: DAG.of_study(w.scale, w.study, "scores.parquet"),
        lambda w: DAG.trained(w.scale, w.study, "run.json"),
    output:
        runs="results/{scale}/{study}/runs.parquet",
        scores="results/{scale}/{study}/scores.parquet",
        comparisons="results/{scale}/{study}/comparisons.parquet",
    params:
        hash=lambda w: DAG.compare_hash(w.scale, w.study),
        plan=study_plan,
    log:
        "results/{scale}/log/compare/{study}.log",
    benchmark:
        "results/{scale}/benchmark/compare/{study}.tsv"
    message:
        "compare the runs of {wildcards.study}"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=grows(8000),
        runtime=grows(60),
    shell:
        "{JOB} compare {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule analyse:
    """Compute one analysis table of a study."""
    input:
        lambda w: DAG.of_study(w.scale, w.study, "forecasts.arrow"),
        lambda w: DAG.windows(w.scale, w.study),
    output:
        "results/{scale}/{study}/analysis/{analysis}.parquet",
    params:
        hash=lambda w: DAG.analyse_hash(w.scale, w.study, w.analysis),
        plan=study_plan,
    log:
        "results/{scale}/log/analyse/{study}/{analysis}.log",
    benchmark:
        "results/{scale}/benchmark/analyse/{study}/{analysis}.tsv"
    message:
        "analyse {wildcards.study}: {wildcards.analysis}"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grows(8000),
        runtime=grows(60),
        gpu=lambda w: DAG.analysis_uses_gpu(w.scale, w.study, w.analysis),
    shell:
        "{JOB} analyse {params.plan} --analysis {wildcards.analysis} --device {DEVICE} > {log} 2>&1"
        " || (cat {log} >&2; exit 1)"


rule claims:
    """Judge the claims of a study by its tables."""
    input:
        rules.compare.output,
        lambda w: DAG.analyses(w.scale, w.study),
    output:
        "results/{scale}/{study}/claims.parquet",
    params:
        hash=lambda w: DAG.claims_hash(w.scale, w.study),
        plan=study_plan,
    log:
        "results/{scale}/log/claims/{study}.log",
    benchmark:
        "results/{scale}/benchmark/claims/{study}.tsv"
    message:
        "judge the claims of {wildcards.study}"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
    shell:
        "{JOB} claims {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule check_results:
    """Test the results themselves: schemas, uniqueness, every planned run, keys, sanity orderings."""
    input:
        lambda w: DAG.study_tables(w.scale, "comparisons"),
        lambda w: DAG.study_tables(w.scale, "claims"),
    output:
        "results/{scale}/checked.txt",
    params:
        hash=lambda w: DAG.summary_hash(w.scale, "strangecast.evaluation.check"),
        plans=lambda w: DAG.study_plans(w.scale),
    log:
        "results/{scale}/log/check_results.log",
    benchmark:
        "results/{scale}/benchmark/check_results.tsv"
    message:
        "check the results"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=grows(8000),
        runtime=grows(30),
    shell:
        "{JOB} check {params.plans} --out {output} > {log} 2>&1 || (cat {log} >&2; exit 1)"
