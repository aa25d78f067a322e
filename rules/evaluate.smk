# From runs to forecasts, scores, comparisons, analyses and claims.


rule forecast:
    """Forecast every window of a suite with the members of a block."""
    input:
        lambda w: PLANS.forecast_inputs(w.scale, block(w), w.suite),
    output:
        update(
            "results/{scale}/runs/{data}/{emulator}/{training}/{block}/{suite}/forecasts.arrow"
        ),
    log:
        "results/{scale}/log/forecast/{data}/{emulator}/{training}/{block}/{suite}.log",
    benchmark:
        "results/{scale}/benchmark/forecast/{data}/{emulator}/{training}/{block}/{suite}.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        gpu=gpus("emulator"),
    params:
        hash=lambda w: PLANS.forecast_hash(w.scale, block(w), w.suite),
        plan=block_plan,
    message:
        "forecast {wildcards.suite} with {wildcards.emulator}, block {wildcards.block}"
    shell:
        "python -m strangecast forecast {params.plan} --suite {wildcards.suite} > {log} 2>&1"
        " || (cat {log} >&2; exit 1)"


rule score:
    """Score forecasts against the truth, one key per run and metric."""
    input:
        "results/{scale}/runs/{data}/{emulator}/{training}/{block}/{suite}/forecasts.arrow",
        "results/{scale}/suites/{suite}/windows.parquet",
    output:
        update(
            "results/{scale}/runs/{data}/{emulator}/{training}/{block}/{suite}/scores.parquet"
        ),
    log:
        "results/{scale}/log/score/{data}/{emulator}/{training}/{block}/{suite}.log",
    benchmark:
        "results/{scale}/benchmark/score/{data}/{emulator}/{training}/{block}/{suite}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.score_hash(w.scale, block(w), w.suite),
        plan=block_plan,
    message:
        "score {wildcards.emulator} on {wildcards.suite}, block {wildcards.block}"
    shell:
        "python -m strangecast score {params.plan} --suite {wildcards.suite} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule compare:
    """Gather the runs and scores of a study; intervals and paired tests."""
    input:
        lambda w: PLANS.of_study(w.scale, w.study, "scores.parquet"),
        lambda w: PLANS.trained(w.scale, w.study, "run.json"),
        lambda w: PLANS.windows(w.scale, w.study),
    output:
        runs="results/{scale}/{study}/runs.parquet",
        scores="results/{scale}/{study}/scores.parquet",
        comparisons="results/{scale}/{study}/comparisons.parquet",
    log:
        "results/{scale}/log/compare/{study}.log",
    benchmark:
        "results/{scale}/benchmark/compare/{study}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.compare_hash(w.scale, w.study),
        plan=study_plan,
    message:
        "compare the runs of {wildcards.study}"
    shell:
        "python -m strangecast compare {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule analyse:
    """Compute one analysis table of a study."""
    input:
        lambda w: PLANS.analyse_inputs(w.scale, w.study, w.analysis),
    output:
        "results/{scale}/{study}/analysis/{analysis}.parquet",
    log:
        "results/{scale}/log/analyse/{study}/{analysis}.log",
    benchmark:
        "results/{scale}/benchmark/analyse/{study}/{analysis}.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        gpu=lambda w: PLANS.analysis_uses_gpu(w.scale, w.study, w.analysis),
    params:
        hash=lambda w: PLANS.analyse_hash(w.scale, w.study, w.analysis),
        plan=study_plan,
    message:
        "analyse {wildcards.study}: {wildcards.analysis}"
    shell:
        "python -m strangecast analyse {params.plan} --analysis {wildcards.analysis} > {log} 2>&1"
        " || (cat {log} >&2; exit 1)"


rule claims:
    """Judge the claims of a study by its tables."""
    input:
        rules.compare.output,
        lambda w: PLANS.analyses(w.scale, w.study),
        lambda w: PLANS.windows(w.scale, w.study),
    output:
        "results/{scale}/{study}/claims.parquet",
    log:
        "results/{scale}/log/claims/{study}.log",
    benchmark:
        "results/{scale}/benchmark/claims/{study}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.claims_hash(w.scale, w.study),
        plan=study_plan,
    message:
        "judge the claims of {wildcards.study}"
    shell:
        "python -m strangecast claims {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule check_results:
    """Test the results themselves: schemas, uniqueness, every planned run, keys, sanity orderings."""
    input:
        lambda w: PLANS.study_tables(w.scale, "comparisons"),
        lambda w: PLANS.study_tables(w.scale, "claims"),
    output:
        "results/{scale}/checked.txt",
    log:
        "results/{scale}/log/check_results.log",
    benchmark:
        "results/{scale}/benchmark/check_results.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.summary_hash(w.scale, "strangecast.evaluation.check"),
        plans=lambda w: PLANS.study_plans(w.scale),
    message:
        "check the results"
    shell:
        "python -m strangecast check {params.plans} --out {output} > {log} 2>&1 || (cat {log} >&2; exit 1)"
